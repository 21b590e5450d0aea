"""What the runs of an experiment measured, from their folders. It compares nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from netspec.experiment.folders import Made
from netspec.experiment.model import Measure, Split
from netspec.experiment.trials import Trial
from netspec_runtime.files import write_file
from netspec_runtime.run_marks import METRICS

if TYPE_CHECKING:
    from netspec_runtime.training.metrics import EpochRecord

State = Literal["not run", "unfinished", "diverged", "finished"]
DIVERGED: Final = "diverged.txt"  # in a run's folder: it cannot go on
PROOF: Final = "parity.json"  # the last thing that a run writes


@dataclass(frozen=True)
class Outcome:
    """A trial and what its run measured so far. ``value`` is the measure: an error in 0 to 1, or a count of epochs.

    ``value`` is None where there is none: no epoch is done, or none reached the error.
    """

    trial: Trial
    folder: Path | None
    state: State
    epochs: tuple[EpochRecord, ...]
    value: float | None

    @property
    def count(self) -> int:
        """Epochs that are done."""
        return self.epochs[-1].epoch if self.epochs else 0

    @property
    def minutes(self) -> float:
        """Of training, without tests."""
        return self.epochs[-1].seconds / 60 if self.epochs else 0.0

    @property
    def settled(self) -> bool:
        """Whether training longer, as far as the spec says, would change nothing."""
        reached = self.trial.until is not None and self.value is not None
        return reached or self.state in ("finished", "diverged")

    def curve(self, split: Split) -> list[tuple[int, float]]:
        """(epoch, error) of each epoch."""
        errors = ((record.epoch, error_of(record, split)) for record in self.epochs)
        return [(epoch, error) for epoch, error in errors if error is not None]


def unsettled(trial: Trial, made: Made, measure: Measure) -> bool:
    """Whether a run that is there has to go on."""
    return not _outcome(trial, made, measure).settled


def mark_diverged(folder: Path) -> None:
    """Let nobody start this run again: it would diverge again, at the same step. Raises DataError."""
    write_file(folder / DIVERGED, [b"This run diverged. Remove this file to run it again.\n"])


def error_of(record: EpochRecord, split: Split) -> float | None:
    """Of an epoch; None where nothing was tested."""
    return record.train_top1_error if split == "train" else record.test_top1_error


def outcomes(trials: tuple[Trial, ...], made: Mapping[str, Made], measure: Measure) -> tuple[Outcome, ...]:
    """What each trial came to, in their order. Raises DataError for damaged metrics."""
    return tuple(_outcome(trial, made.get(trial.label), measure) for trial in trials)


def _outcome(trial: Trial, made: Made | None, measure: Measure) -> Outcome:
    if made is None:
        return Outcome(trial, None, "not run", (), None)
    epochs = epochs_of(made.path)
    return Outcome(trial, made.path, _state(trial, made, epochs), epochs, value_of(measure, epochs))


def epochs_of(folder: Path) -> tuple[EpochRecord, ...]:
    """What the run in a folder measured by epoch. Raises DataError for damaged metrics."""
    from netspec_runtime.training.metrics import EpochRecord, read_metrics

    path = folder / METRICS
    records = read_metrics(path) if path.is_file() else []
    return tuple(record for record in records if isinstance(record, EpochRecord))


def _state(trial: Trial, made: Made, epochs: tuple[EpochRecord, ...]) -> State:
    if (made.path / DIVERGED).is_file():
        return "diverged"
    if not epochs:
        return "unfinished" if made.step else "not run"
    reached = trial.until is not None and epochs[-1].train_top1_error <= trial.until
    done = reached or epochs[-1].epoch >= trial.compiled.spec.train.epochs
    return "finished" if done and (made.path / PROOF).is_file() else "unfinished"


def value_of(measure: Measure, epochs: tuple[EpochRecord, ...]) -> float | None:
    """What a run measured; None before there is something."""
    errors = [(record.epoch, error_of(record, measure.split)) for record in epochs]
    known = [(epoch, error) for epoch, error in errors if error is not None]
    if measure.epochs_to is not None:
        return next((float(epoch) for epoch, error in known if error <= measure.epochs_to), None)
    if not known:
        return None
    return min(error for _, error in known) if measure.best else known[-1][1]
