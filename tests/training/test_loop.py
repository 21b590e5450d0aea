"""What the loop measures and advises. Whole runs, and what they compute: tests/e2e."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from netspec_runtime.errors import DataError, EnvironmentProblem
from netspec_runtime.training import loop
from netspec_runtime.training.batches import Batch, TrainingBatches
from netspec_runtime.training.draws import epoch_order
from netspec_runtime.training.loop import Nobody, Trainer
from netspec_runtime.training.metrics import EventRecord, Record, TrainRecord
from netspec_runtime.training.net import LocalNet
from netspec_runtime.training.score import Scores
from netspec_runtime.training.watch import Diverged
from netspec_runtime.training.world import Alone
from tests.e2e.runs import PICTURES, SPEC
from tests.training.jobs import initial, job

PAUSE = 0.1  # seconds


class Records(Nobody):
    def __init__(self) -> None:
        self.all: list[Record] = []

    def record(self, record: Record) -> None:
        self.all.append(record)


def after(trainer: Trainer, step: int) -> Callable[[], bool]:
    """A wish to stop after this step."""
    return lambda: trainer.position.step >= step


def test_waiting_for_pictures_is_a_part_of_the_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = TrainingBatches.batch

    def slow(self: TrainingBatches, step: int) -> Batch:
        time.sleep(PAUSE)
        return batch(self, step)

    monkeypatch.setattr(TrainingBatches, "batch", slow)
    trainer, records = Trainer(job(tmp_path, log_every=5)), Records()
    trainer.start(initial)
    assert not trainer.run(records, after(trainer, 10))
    seen = [record for record in records.all if isinstance(record, TrainRecord)]
    assert trainer.position.seconds >= 10 * PAUSE
    assert [record.seconds >= n * PAUSE for n, record in zip((5, 10), seen, strict=True)] == [True, True]
    assert all(record.images_per_second <= 8 / PAUSE for record in seen)


class Advised:
    """A run of which the last filter of conv1, which is in the part of the second device, is dead."""

    def __init__(self, place: Path) -> None:
        self._place = place

    def go(self, devices: str, step: int) -> list[tuple[int, str]]:
        """(Step, advice) on these devices, until this step."""
        trainer, records = Trainer(job(self._place, text=SPEC, devices=devices)), Records()
        dead = trainer._watch.dead
        dead.window, dead.every = 20, 2
        trainer.start(self.weights)
        assert not trainer.run(records, after(trainer, step))
        return [(r.step, r.text.partition(" had")[0]) for r in records.all if isinstance(r, EventRecord)]

    @staticmethod
    def weights() -> dict[str, Any]:
        weights = initial()
        weights["conv1.bias"][3] = -1000
        weights["conv2.bias"] += 3  # without it one of four is dead by chance
        return weights


@pytest.mark.parametrize("places", [("cpu", "cpu"), ("cpu,cpu", "cpu"), ("cpu", "cpu,cpu"), ("cpu,cpu", "cpu,cpu")])
def test_a_run_that_moves_says_the_same_by_the_names_of_the_spec(tmp_path: Path, places: tuple[str, str]) -> None:
    run = Advised(tmp_path)
    found = run.go(places[0], 7)
    state = json.loads(next((tmp_path / "run" / "checkpoints").glob("step-*07.json")).read_text())["state"]["watch"]
    assert state["dead"]["filters"] == {"conv1.bias": 4, "conv2.bias": 4, "fc3.bias": 6}
    found += run.go(places[1], 11) + run.go(places[0], 21)
    assert found == [(20, "conv1: 1 of 4 filters")]


@pytest.mark.parametrize("stops", [(101,), (37, 63, 101)])
def test_a_short_run_whose_loss_does_not_move_is_told_at_the_same_step(tmp_path: Path, stops: tuple[int, ...]) -> None:
    text = SPEC.replace("start: 0.01", "start: 1e-9").replace("epochs: 4", "epochs: 10")
    records = Records()

    def guessing() -> dict[str, Any]:
        weights = initial(text)
        return {name: 0 * tensor if name.startswith("fc3") else tensor for name, tensor in weights.items()}

    for stop in stops:
        trainer = Trainer(job(tmp_path, text=text))
        trainer.start(guessing)
        assert not trainer.run(records, after(trainer, stop))
    said = [(r.step, r.text) for r in records.all if isinstance(r, EventRecord) and r.event == "advice"]
    assert [step for step, _ in said] == [100]
    assert said[0][1].startswith("the loss has stayed at ln(6) = 1.79 up to step 100: ")


@pytest.mark.parametrize("stops", [(101,), (37, 63, 101)])
def test_a_short_run_with_dead_filters_is_told_at_the_same_step(tmp_path: Path, stops: tuple[int, ...]) -> None:
    text = SPEC.replace("epochs: 4", "epochs: 10")
    records = Records()
    for stop in stops:
        trainer = Trainer(job(tmp_path, text=text))
        trainer.start(Advised.weights)
        assert not trainer.run(records, after(trainer, stop))
    events = [r for r in records.all if isinstance(r, EventRecord)]
    said = [(r.step, r.text.partition(" (")[0]) for r in events if "filters" in r.text]
    assert said == [(100, "conv1: 1 of 4 filters had no gradient in 100 steps")]


def test_a_short_run_whose_loss_is_huge_is_told_by_its_end(tmp_path: Path) -> None:
    text = SPEC.replace("epochs: 4", "epochs: 1").replace("start: 0.01", "start: 1e-9")

    def huge() -> dict[str, Any]:
        weights = initial(text)
        return {name: 1e6 * tensor if name.startswith("fc3") else tensor for name, tensor in weights.items()}

    trainer, records = Trainer(job(tmp_path, text=text)), Records()
    trainer.start(huge)
    assert trainer.run(records, lambda: False)
    said = [(r.step, r.text) for r in records.all if isinstance(r, EventRecord)]
    assert [(step, "a net that guesses has ln(6)" in text) for step, text in said] == [(12, True)]


def test_a_batch_that_memory_has_no_room_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = Trainer(job(tmp_path))
    trainer.start(initial)
    monkeypatch.setattr(LocalNet, "logits", lambda net, images: torch.empty(1 << 50))
    with pytest.raises(EnvironmentProblem, match=r"no room for .* bytes more; give --parts 2 or more, or a smaller"):
        trainer.run(Nobody(), lambda: False)


class Full(Nobody):
    """A listener whose disk is full."""

    def record(self, record: Record) -> None:
        if isinstance(record, EventRecord):
            raise DataError("metrics.jsonl", "no space left on device", "free some")


@pytest.mark.parametrize("listener", [Records(), Full()])
def test_a_divergence_is_told_last_and_whatever_the_disk_does(tmp_path: Path, listener: Nobody) -> None:
    text = SPEC.replace("start: 0.01", "start: 1e30")
    trainer = Trainer(job(tmp_path, text=text))
    trainer.start(lambda: initial(text))
    with pytest.raises(Diverged) as caught:
        trainer.run(listener, lambda: False)
    if isinstance(listener, Records):
        last = listener.all[-1]
        assert isinstance(last, EventRecord)
        assert (last.event, last.step) == ("diverged", caught.value.step)
        assert last.text == f"{caught.value.where}: {caught.value.reason}"


class FirstHalf(Alone):
    """The first of two processes that share a batch, seen alone."""

    def rows(self, batch: int) -> slice:
        return slice(0, batch // 2)


def test_a_divergence_names_the_pictures_of_all_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The number that is not finite may be of a picture in another one."""
    made = job(tmp_path, world=FirstHalf())
    trainer = Trainer(made)
    trainer.start(initial)
    monkeypatch.setattr(FirstHalf, "total", lambda world, numbers: [8.0, math.nan, 8.0, 8.0])
    with pytest.raises(Diverged) as caught:
        trainer.run(Nobody(), lambda: False)
    assert caught.value.ids == tuple(epoch_order(made.recipe.seed, 0, PICTURES)[:8])


def test_a_divergence_in_a_test_names_no_training_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "evaluate", lambda *arguments: Scores(30, math.nan, 1.0, 1.0))
    trainer = Trainer(job(tmp_path))
    trainer.start(initial)
    with pytest.raises(Diverged) as caught:
        trainer.run(Nobody(), lambda: False)
    assert (caught.value.step, caught.value.reason) == (12, "the loss in the test is not finite")
    assert caught.value.ids == ()
