"""How runs side by side go on, in sentences, from what they have measured. It prints nothing."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from netspec.experiment.execute import Task
from netspec.experiment.outcome import epochs_of

_EVERY: Final = 10.0  # seconds between two looks; of the epochs since then the last one is told


class News:
    """Remembers what was told of each run."""

    def __init__(self) -> None:
        self._told: dict[Path, int] = {}
        self._looked = time.monotonic()

    def of(self, tasks: Iterable[Task]) -> list[str]:
        """A sentence for each run that has done an epoch since it was last told of; none before it is time."""
        if time.monotonic() - self._looked < _EVERY:
            return []
        self._looked = time.monotonic()
        return [line for line in map(self.last, tasks) if line]

    def last(self, task: Task) -> str:
        """A run's last epoch; empty where that was told."""
        epochs = epochs_of(task.folder)
        if not epochs or self._told.get(task.folder) == epochs[-1].epoch:
            return ""
        self._told[task.folder] = epochs[-1].epoch
        end = epochs[-1]
        test = "" if end.test_top1_error is None else f", test error {end.test_top1_error:.2%}"
        spent = f"{end.seconds / 60:.1f} minutes"
        return f"{task.label}: epoch {end.epoch}, {spent}, training error {end.train_top1_error:.2%}{test}"
