"""What a run measured, a JSON object a line in metrics.jsonl. It computes and draws nothing."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self, get_args, get_type_hints

from netspec_runtime.errors import DataError
from netspec_runtime.files import write_file

# In every record, ``step`` counts the steps that are done and ``epoch`` counts from 1, as a person does. Errors are
# shares of images in 0 to 1, losses are means over images, ``seconds`` are those of training since the run began.


@dataclass(frozen=True)
class TrainRecord:
    """The steps since the last such record."""

    kind: ClassVar[str] = "train"

    step: int
    epoch: int
    loss: float
    top1_error: float
    top5_error: float
    images_per_second: float
    lr: float
    lr_b: float
    seconds: float


@dataclass(frozen=True)
class EpochRecord:
    """An epoch that ended; the test numbers are None where nothing was tested."""

    kind: ClassVar[str] = "epoch"

    step: int
    epoch: int
    train_loss: float
    train_top1_error: float
    train_top5_error: float
    test_loss: float | None
    test_top1_error: float | None
    test_top5_error: float | None
    lr: float
    lr_b: float
    seconds: float


@dataclass(frozen=True)
class EventRecord:
    """Something that happened once: advice, a changed rate."""

    kind: ClassVar[str] = "event"

    step: int
    epoch: int
    event: str
    text: str


Record = TrainRecord | EpochRecord | EventRecord

_LONG = 1e5  # of such a loss only the size is of interest


def loss_text(loss: float, digits: int) -> str:
    """A loss for people, with so many digits after the point unless it is huge."""
    return f"{loss:.2g}" if loss >= _LONG else f"{loss:.{digits}f}"


RATE = "rate"  # the event of a rate that was divided
DIVERGED = "diverged"  # the event that ends a run: its text says why

_KINDS: dict[str, type[Record]] = {cls.kind: cls for cls in (TrainRecord, EpochRecord, EventRecord)}
_TYPES = {  # of each field
    cls: {name: get_args(hint) or (hint,) for name, hint in get_type_hints(cls).items()} for cls in _KINDS.values()
}


class Metrics:
    """The file, open to append; each record is handed to the system at once. Raises DataError where it cannot.

    A resumed run's file equals an unbroken one's but for times, if the records of a step are written before its
    checkpoint, and `truncate_after` is called with the checkpoint's step before going on.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            _drop_torn(path)
            self._file = path.open("ab", buffering=0)
        except OSError as error:
            raise _refusal(path, error, "open it") from None

    def write(self, record: Record) -> None:
        """Append a record."""
        rest = _line(record)
        try:
            while rest:
                rest = rest[self._file.write(rest) :]  # a full disk takes a part, and then refuses
        except OSError as error:
            raise _refusal(self._path, error, f"write {len(rest):,} bytes more") from None

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def read_metrics(path: Path) -> list[Record]:
    """All records; a line that a kill cut off at the end is none. Raises DataError for any other foreign line."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(str(path), f"cannot read: {error.strerror}", "give the folder of a run") from None
    return [_record(path, number, line) for number, line in enumerate(_whole_lines(data), 1)]


def divergence(path: Path) -> str:
    """Why a run cannot go on, if that is the last of what it measured; else empty. Raises as `read_metrics` does."""
    last = read_metrics(path)[-1:] if path.exists() else []
    return "".join(one.text for one in last if isinstance(one, EventRecord) and one.event == DIVERGED)


def truncate_after(path: Path, step: int, epochs: int | None = None) -> None:
    """Drop what a killed run measured after its last checkpoint, at ``step``. A missing file stays missing.

    ``epochs`` is the number of epochs that the checkpoint knows the test errors of: it may have been saved between the
    last step of an epoch and its test, and what comes after a test would come twice.
    """
    if not path.exists():
        return
    kept = [
        record
        for record in read_metrics(path)
        if record.step <= step and (epochs is None or not _after_test(record) or record.epoch <= epochs)
    ]
    write_file(path, [b"".join(_line(record) for record in kept)])


def _after_test(record: Record) -> bool:
    """Whether it is written when an epoch's test is done."""
    return isinstance(record, EpochRecord) or (isinstance(record, EventRecord) and record.event == RATE)


def _line(record: Record) -> bytes:
    return (json.dumps({"kind": record.kind, **asdict(record)}, allow_nan=False) + "\n").encode()


def _whole_lines(data: bytes) -> Iterator[bytes]:
    lines = data.splitlines(keepends=True)
    if lines and not lines[-1].endswith(b"\n"):
        lines.pop()
    return iter(lines)


def _record(path: Path, number: int, line: bytes) -> Record:
    try:
        return _parsed(line)
    except (ValueError, KeyError, TypeError):
        reason = f"line {number} is no record of netspec train"
        raise DataError(str(path), reason, "remove that line") from None


def _parsed(line: bytes) -> Record:
    """Raises ValueError, KeyError or TypeError for any other line."""
    entry: Mapping[str, Any] = json.loads(line)
    cls = _KINDS[entry["kind"]]
    record = cls(**{name: value for name, value in entry.items() if name != "kind"})
    wrong = [name for name, kinds in _TYPES[cls].items() if not _is(getattr(record, name), kinds)]
    if wrong:
        raise TypeError(wrong[0])
    return record


def _is(value: object, kinds: tuple[type, ...]) -> bool:
    """Whether a value is of one of these types, and finite; a whole number is a float too, and True no number."""
    if type(value) is int and float in kinds:
        return True
    return type(value) in kinds and not (isinstance(value, float) and not math.isfinite(value))


def _drop_torn(path: Path) -> None:
    """A line that was cut off would swallow the next one."""
    if not path.exists():
        return
    data = path.read_bytes()
    whole = data.rfind(b"\n") + 1
    if whole < len(data):
        os.truncate(path, whole)


def _refusal(path: Path, error: OSError, what: str) -> DataError:
    return DataError(str(path), f"cannot {what}: {error.strerror}", "free some space, then resume the run")
