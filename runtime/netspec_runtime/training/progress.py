"""How a run goes, for the person who waits: a line that changes on a terminal, elsewhere one a minute and an epoch."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Final, Protocol, Self, TextIO

from netspec_runtime.errors import printable
from netspec_runtime.training.metrics import EpochRecord, TrainRecord, loss_text

_REFRESH: Final = 0.1  # seconds; of a line that changes
_PATIENCE: Final = 60.0  # seconds; of a log that says nothing


class Progress(Protocol):
    """What is told to the person. Steps count those done since the run's first."""

    def step(self, step: int, record: TrainRecord | None = None) -> None:
        """A step is done; ``record`` when there are new numbers."""

    def testing(self, done: int, images: int) -> None:
        """So many of the test's images are done."""

    def epoch(self, record: EpochRecord) -> None:
        """An epoch ended."""

    def say(self, text: str) -> None:
        """A sentence: advice, where the run is, what was resumed."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Silent:
    """For nobody."""

    def step(self, step: int, record: TrainRecord | None = None) -> None:
        return

    def testing(self, done: int, images: int) -> None:
        return

    def epoch(self, record: EpochRecord) -> None:
        return

    def say(self, text: str) -> None:
        return

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return


class _Way:
    """How far a run has come, in words."""

    def __init__(self, epochs: int, steps_per_epoch: int, first: int, clock: Callable[[], float], top5: bool) -> None:
        """``first``: the steps that were done before, by the run that this one resumes."""
        self.steps, self._top5 = steps_per_epoch, top5
        self._epochs, self._first, self._clock, self._began = epochs, first, clock, clock()
        self._numbers = ""

    def note(self, record: TrainRecord | None) -> None:
        """New numbers, if there are any."""
        self._numbers = self._numbers if record is None else numbers(record, self._top5)

    def done(self, step: int) -> int:
        """Steps of the epoch that the step is in."""
        return (step - 1) % self.steps + 1 if step else 0

    def words(self, step: int) -> str:
        epoch = min(max(step - 1, 0) // self.steps + 1, self._epochs)
        return " ".join(filter(None, (f"epoch {epoch}/{self._epochs}", self._left(step), self._numbers)))

    def _left(self, step: int) -> str:
        done = step - self._first
        if done < 1:
            return ""
        return f"{duration((self._clock() - self._began) / done * (self._epochs * self.steps - step))} left"


class Plain(Silent):
    """For logs: a line an epoch, and one where a minute has passed without."""

    def __init__(
        self,
        stream: TextIO,
        epochs: int,
        steps_per_epoch: int,
        first: int = 0,
        clock: Callable[[], float] = time.monotonic,
        top5: bool = True,
    ) -> None:
        """``first`` and ``top5`` as for `Bar`."""
        self._stream, self._epochs, self._clock, self._top5 = stream, epochs, clock, top5
        self._way = _Way(epochs, steps_per_epoch, first, clock, top5)
        self._said = clock()

    def step(self, step: int, record: TrainRecord | None = None) -> None:
        self._way.note(record)
        if self._clock() - self._said >= _PATIENCE:
            self.say(f"step {step:,}, {self._way.words(step)}")

    def testing(self, done: int, images: int) -> None:
        if self._clock() - self._said >= _PATIENCE:
            self.say(f"testing {done:,} of {images:,}")

    def epoch(self, record: EpochRecord) -> None:
        self.say(epoch_line(record, self._epochs, self._top5))

    def say(self, text: str) -> None:
        self._stream.write(printable(text) + "\n")
        self._stream.flush()
        self._said = self._clock()


class Bar(Silent):
    """A line at the foot of a terminal, with rich; what is said stands above it."""

    def __init__(
        self,
        stream: TextIO,
        epochs: int,
        steps_per_epoch: int,
        first: int = 0,
        clock: Callable[[], float] = time.monotonic,
        top5: bool = True,
    ) -> None:
        """``first``: the steps that were done before, by the run that this one resumes.

        ``top5``: whether that error says anything, as it does of more than 5 classes.
        """
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn
        from rich.progress import Progress as Live

        self._console = Console(file=stream, highlight=False)
        columns = (BarColumn(bar_width=12), TextColumn("{task.description}", markup=False))
        self._live = Live(*columns, console=self._console, auto_refresh=False, expand=False)
        self._task = self._live.add_task("", total=steps_per_epoch)
        self._way = _Way(epochs, steps_per_epoch, first, clock, top5)
        self._epochs, self._clock, self._shown, self._top5 = epochs, clock, clock(), top5

    def step(self, step: int, record: TrainRecord | None = None) -> None:
        self._way.note(record)
        if record is not None or self._clock() - self._shown >= _REFRESH:
            self._show(self._way.words(step), self._way.done(step), self._way.steps)

    def testing(self, done: int, images: int) -> None:
        if self._clock() - self._shown >= _REFRESH or done == images:
            self._show(f"testing {done:,} of {images:,}", done, images)

    def epoch(self, record: EpochRecord) -> None:
        self.say(epoch_line(record, self._epochs, self._top5))

    def say(self, text: str) -> None:
        self._console.print(printable(text), markup=False, soft_wrap=True)

    def __enter__(self) -> Self:
        self._live.start()
        self._console.show_cursor(True)  # a process that is killed would leave the terminal without one
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.update(self._task, visible=False)
        self._live.stop()

    def _show(self, text: str, done: int, total: int) -> None:
        self._shown = self._clock()
        self._live.update(self._task, description=text, completed=done, total=total, refresh=True)


def open_progress(stream: TextIO, epochs: int, steps_per_epoch: int, first: int = 0, top5: bool = True) -> Progress:
    """The one that fits the stream, which is stderr. NO_COLOR and TERM are heeded. ``top5`` as for `Bar`."""
    from rich.console import Console

    console = Console(file=stream)
    if console.is_terminal and not console.is_dumb_terminal and stream.isatty():
        return Bar(stream, epochs, steps_per_epoch, first, top5=top5)
    return Plain(stream, epochs, steps_per_epoch, first, top5=top5)


def numbers(record: TrainRecord, top5: bool = True) -> str:
    """The numbers of the last steps, the most wanted first: a narrow terminal cuts the last ones off."""
    fifth = f" top-5 {record.top5_error:.1%}" if top5 else ""
    return (
        f"loss {loss_text(record.loss, 3)} top-1 {record.top1_error:.1%}{fifth} "
        f"{record.images_per_second:,.0f}/s rate {record.lr:.2g}"
    )


def epoch_line(record: EpochRecord, epochs: int, top5: bool = True) -> str:
    """An epoch in a line."""
    train = _errors(record.train_top1_error, record.train_top5_error if top5 else None)
    test = ""
    if record.test_top1_error is not None:
        test = f", test error {_errors(record.test_top1_error, record.test_top5_error if top5 else None)}"
    loss = loss_text(record.train_loss, 4)
    return (
        f"epoch {record.epoch}/{epochs}: loss {loss}, train error {train}{test}, rate {record.lr:.2g}, "
        f"{duration(record.seconds)}"
    )


def _errors(top1: float, top5: float | None) -> str:
    return f"{top1:.2%}" + ("" if top5 is None else f" (top-5 {top5:.2%})")


def duration(seconds: float) -> str:
    """`4:05` or `1:02:03`."""
    whole = max(0, round(seconds))
    hours, minutes = whole // 3600, whole // 60 % 60
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"
