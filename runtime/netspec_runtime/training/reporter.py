"""A run's listener: metrics.jsonl, TensorBoard, curves.svg and the progress line. It measures nothing."""

from __future__ import annotations

import time
from contextlib import nullcontext, suppress
from types import TracebackType
from typing import Final, Self

from netspec_runtime.errors import DataError
from netspec_runtime.training.curves import draw_curves
from netspec_runtime.training.metrics import (
    DIVERGED,
    EpochRecord,
    EventRecord,
    Metrics,
    Record,
    TrainRecord,
    read_metrics,
    truncate_after,
)
from netspec_runtime.training.position import Position
from netspec_runtime.training.progress import Progress
from netspec_runtime.training.run import RunFolder
from netspec_runtime.training.tensorboard import TensorBoard

_REDRAW: Final = 30.0  # seconds; the curves of a run with short epochs are drawn no more often, and at its end


class Reporter:
    """Writes what is told, in the order in which it is told. Raises DataError where the disk refuses."""

    def __init__(
        self, folder: RunFolder, position: Position, progress: Progress, tensorboard: TensorBoard | None = None
    ) -> None:
        """``position`` is where the run goes on: what was recorded later, by a run that was killed, is dropped."""
        self._folder, self._progress, self._tensorboard = folder, progress, tensorboard
        truncate_after(folder.metrics, position.step, position.tested)
        self._metrics = Metrics(folder.metrics)
        self._epochs = [r for r in read_metrics(folder.metrics) if isinstance(r, EpochRecord)]
        self._drawn = float("-inf")

    def step(self, step: int) -> None:
        self._progress.step(step)

    def testing(self, done: int, images: int) -> None:
        self._progress.testing(done, images)

    def record(self, record: Record) -> None:
        self._metrics.write(record)
        if self._tensorboard is not None:
            self._tensorboard.write(record)
        if isinstance(record, TrainRecord):
            self._progress.step(record.step, record)
        elif isinstance(record, EventRecord):
            if record.event != DIVERGED:  # the error says it
                self._progress.say(record.text)
        else:
            self._progress.epoch(record)
            self._epochs.append(record)
            if time.monotonic() - self._drawn > _REDRAW:
                self.draw()

    def draw(self) -> None:
        """Write curves.svg."""
        self._folder.write(self._folder.curves.name, draw_curves(self._epochs, f"{self._folder.name}: error by epoch"))
        self._drawn = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Draw the curves of all epochs and let go of the files; an error that ends the run hides one of these."""
        try:
            with suppress(DataError) if kind else nullcontext():
                self.draw()
        finally:
            self._metrics.close()
            if self._tensorboard is not None:
                self._tensorboard.close()
