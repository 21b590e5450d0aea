"""The training loop: steps, tests, checkpoints, until the recipe ends or someone wishes to stop. It prints nothing."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import replace
from typing import Protocol

from torch import Tensor

from netspec_runtime.errors import DataError
from netspec_runtime.training.arithmetic import fix_arithmetic
from netspec_runtime.training.bands import hold
from netspec_runtime.training.batches import Batch, TrainingBatches
from netspec_runtime.training.draws import draw_key
from netspec_runtime.training.evaluate import EvaluationSet, evaluate
from netspec_runtime.training.job import Job
from netspec_runtime.training.keeper import Keeper
from netspec_runtime.training.memory import enough_memory
from netspec_runtime.training.metrics import DIVERGED, RATE, EpochRecord, EventRecord, Record, TrainRecord
from netspec_runtime.training.optimizer import PaperSGD, parameter_groups
from netspec_runtime.training.pixels import Pixels
from netspec_runtime.training.position import Position
from netspec_runtime.training.schedule import rate
from netspec_runtime.training.score import Scores
from netspec_runtime.training.step import Gradients, Step, Tally
from netspec_runtime.training.watch import Diverged, Watch


class Listener(Protocol):
    """Who is told how a run goes."""

    def step(self, step: int) -> None:
        """So many steps are done."""

    def testing(self, done: int, images: int) -> None:
        """So many of the test's images are done."""

    def record(self, record: Record) -> None:
        """Something was measured or happened; the checkpoint that holds its step comes after."""


class Nobody:
    """A listener that has nothing to do: in all processes of a run but the first."""

    def step(self, step: int) -> None:
        return

    def testing(self, done: int, images: int) -> None:
        return

    def record(self, record: Record) -> None:
        return


class _StoppedError(Exception):
    """In the middle of a test, someone wished to stop."""


class Trainer:
    """Runs a job from its last checkpoint, or its start, to its end."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._listener: Listener = Nobody()
        self._wanted: Callable[[], bool] = lambda: False
        recipe, options, net = job.recipe, job.options, job.net
        train, statistics = job.data.splits["train"], job.data.statistics
        rows = job.world.rows(job.batch)
        if job.test_pictures is not None:
            hold(job.test_pictures)
        fix_arithmetic(options.precision)
        self._pixels = Pixels(job.pictures, statistics, net.device, options.channels_last)
        self._batches = TrainingBatches(
            train, statistics, job.pictures, recipe.batch, recipe.seed, options.workers, rows
        )
        optimizer = PaperSGD(parameter_groups(recipe.rules, net.parameters(), net.canonical), recipe.momentum)
        self._step = Step(net, job.world, optimizer, self._pixels, options.precision, options.parts)
        self._watch = Watch.of(job.classes, job.steps, job.pictures.unscaled, net)
        self._keeper = Keeper(job, optimizer, self._watch)
        self.position = Position.start(recipe)

    @property
    def finished(self) -> bool:
        """Whether nothing is left to do: all steps taken and every epoch tested."""
        return (self.position.ended or self.position.step >= self._job.steps) and not self._epoch_is_over()

    def start(self, initial: Callable[[], Mapping[str, Tensor]]) -> tuple[str, ...]:
        """Take the last good checkpoint, or else ``initial`` weights by their names in the merged net, and save those.

        So a run that is killed before its first step still knows its spec, its data and where it began. Returns a
        sentence for each damaged checkpoint that was passed over. Raises DataError.
        """
        restored = self._keeper.restore()
        if restored is None:
            self._keeper.take(initial())
            self._keeper.save(self.position)
            return ()
        self.position = position = restored.position
        if position.ended and position.learned is not None:  # perhaps with another wish than now
            self.position = replace(position, ended=self._knows_enough(position.learned))
        return restored.damaged

    def run(self, listener: Listener, wanted: Callable[[], bool]) -> bool:
        """Go on to the end; False if it was ``wanted`` to stop before, after a save.

        Raises Diverged, DataError for pictures that cannot be read and a disk that refuses, EnvironmentProblem where
        memory is full.
        """
        self._listener, self._wanted = listener, wanted
        try:
            with enough_memory("give --parts 2 or more, or a smaller train.batch"):
                self._run()
        except _StoppedError:
            self._keeper.save(self.position)
            return False
        except Diverged as error:  # after all checkpoints, so that a run that goes on from one forgets it
            with suppress(DataError):  # a full disk is the lesser news
                after = self.position.step + 1
                listener.record(EventRecord(after, self._epoch, DIVERGED, f"{error.where}: {error.reason}"))
            raise
        return True

    def _run(self) -> None:
        """To the end, or until it is wanted to stop."""
        saved = time.monotonic()
        with closing(self._batches.start(self.position.step, self._pixels.pinned)) as batches:
            while not self.finished:
                self._heed()
                if self._epoch_is_over():
                    self._end_epoch()
                    saved = time.monotonic()
                    continue
                self._take(batches)
                if not self._epoch_is_over() and self._due(saved):
                    self._keeper.save(self.position)
                    saved = time.monotonic()

    def _heed(self) -> None:
        """Every process comes here equally often: a wish to stop is everyone's."""
        if self._job.world.any(self._wanted()):
            raise _StoppedError

    def _epoch_is_over(self) -> bool:
        """Whether an epoch has all its steps, and not yet its test."""
        return self.position.tested < self.position.step // self._job.steps_per_epoch

    @property
    def _epoch(self) -> int:
        """The number of the epoch that the last step was in, from 1."""
        return max(1, -(-self.position.step // self._job.steps_per_epoch))

    def _due(self, saved: float) -> bool:
        """Whether a checkpoint is due; by the clock of any process."""
        options = self._job.options
        by_steps = options.save_every > 0 and self.position.step % options.save_every == 0
        return by_steps or self._job.world.any(time.monotonic() - saved > options.save_seconds)

    def _take(self, batches: Iterator[Batch]) -> None:
        """One step, and what is told of it. Its time is that from step to step: to wait for pictures is part of it."""
        begin = time.monotonic()
        batch = next(batches)
        rates, self._keeper.pictures = self._rates(batch.step), batch.ids.tolist()
        found = self._step.gradients(batch, self._job.batch, draw_key(self._job.recipe.seed, batch.step))
        self._require_finite(batch, found)
        self._step.update(*rates)
        tally = found.tally
        before = self.position
        self.position = replace(
            before,
            step=before.step + 1,
            epoch=before.epoch + tally,
            logged=before.logged + tally,
            seconds=before.seconds + time.monotonic() - begin,
        )
        self._listener.step(self.position.step)
        for advice in self._watch.observe(batch.step, tally.loss / tally.count, self._step.all_gradients):
            self._tell("advice", advice)
        if self.position.step % self._job.options.log_every == 0 or self._epoch_is_over():
            self._log(rates)

    def _rates(self, step: int) -> tuple[float, float]:
        """For weights and biases."""
        recipe, position = self._job.recipe, self.position
        progress, epoch = step / self._job.steps, step // self._job.steps_per_epoch
        return (
            rate(recipe.lr, progress, epoch, position.weights.divisions),
            rate(recipe.lr_b, progress, epoch, position.biases.divisions),
        )

    def _require_finite(self, batch: Batch, found: Gradients) -> None:
        if not found.tally.finite:
            raise self._keeper.diverged(batch.step + 1, "the loss is not finite")
        if self._job.world.any(not found.finite):
            raise self._keeper.diverged(batch.step + 1, "a gradient is not finite")

    def _end_epoch(self) -> None:
        """Test, keep the best weights, let the rates follow the error, save."""
        recipe, train, rates = self._job.recipe, self.position.epoch, self._rates(self.position.step - 1)
        scores, learned = self._test(), train.top1 / train.count
        error = scores.top1_error if scores else learned
        better = self.position.best is None or error < self.position.best
        if better:
            self._keeper.keep_best(self.position.step, self._epoch, error)
        self._listener.record(self._epoch_record(scores, rates))
        self.position = replace(
            self.position,
            weights=self.position.weights.update(error) if recipe.lr.when == "plateau" else self.position.weights,
            biases=self.position.biases.update(error) if recipe.lr_b.when == "plateau" else self.position.biases,
            tested=self.position.tested + 1,
            epoch=Tally(),
            best=error if better else self.position.best,
            ended=self._knows_enough(learned),
            learned=learned,
        )
        after = self._rates(self.position.step)
        if recipe.lr.curve == "steps" and after != rates and not self.finished:
            self._tell(RATE, f"the rate is now {after[0]:g}, {after[1]:g} for biases")
        self._keeper.save(self.position)

    def _knows_enough(self, error: float) -> bool:
        """Whether the run ends early after an epoch with this training error."""
        until = self._job.options.until
        return until is not None and error <= until

    def _test(self) -> Scores | None:
        job, split = self._job, self._job.test_pictures
        if split is None:
            return None

        def seen(done: int) -> None:
            self._listener.testing(done, len(split))
            self._heed()

        job.net.module.eval()
        pictures = EvaluationSet(
            split, self._pixels, job.pictures.crop, job.options.views, job.recipe.batch, job.options.workers
        )
        scores = evaluate(job.net.logits, pictures, job.world, seen)
        if not math.isfinite(scores.loss):
            raise self._keeper.diverged(self.position.step, "the loss in the test is not finite", tested=True)
        return scores

    def _log(self, rates: tuple[float, float]) -> None:
        position, logged = self.position, self.position.logged
        self.position = replace(position, logged=Tally(), logged_at=position.seconds)
        self._listener.record(
            TrainRecord(
                step=position.step,
                epoch=self._epoch,
                loss=logged.loss / logged.count,
                top1_error=logged.top1 / logged.count,
                top5_error=logged.top5 / logged.count,
                images_per_second=logged.count / max(position.seconds - position.logged_at, 1e-9),
                lr=rates[0],
                lr_b=rates[1],
                seconds=position.seconds,
            )
        )

    def _epoch_record(self, scores: Scores | None, rates: tuple[float, float]) -> EpochRecord:
        train = self.position.epoch
        return EpochRecord(
            step=self.position.step,
            epoch=self._epoch,
            train_loss=train.loss / train.count,
            train_top1_error=train.top1 / train.count,
            train_top5_error=train.top5 / train.count,
            test_loss=scores.loss if scores else None,
            test_top1_error=scores.top1_error if scores else None,
            test_top5_error=scores.top5_error if scores else None,
            lr=rates[0],
            lr_b=rates[1],
            seconds=self.position.seconds,
        )

    def _tell(self, event: str, text: str) -> None:
        self._listener.record(EventRecord(self.position.step, self._epoch, event, text))
