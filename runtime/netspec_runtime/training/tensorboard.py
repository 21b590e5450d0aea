"""A mirror of metrics.jsonl for TensorBoard, where it is asked for. It measures nothing itself."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from netspec_runtime.errors import EnvironmentProblem
from netspec_runtime.training.metrics import EpochRecord, EventRecord, Record, TrainRecord

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

_SCALARS = {
    "train/loss": "loss",
    "train/top1_error": "top1_error",
    "train/top5_error": "top5_error",
    "speed/images_per_second": "images_per_second",
    "rate/weights": "lr",
    "rate/biases": "lr_b",
}
_EPOCH_SCALARS = {
    f"epoch/{split}_{number}": f"{split}_{number}"
    for split in ("train", "test")
    for number in ("loss", "top1_error", "top5_error")
}


def require_tensorboard() -> type[SummaryWriter]:
    """What writes event files. Raises EnvironmentProblem where the package is missing."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        fix = "pip install 'netspec[log]'"
        raise EnvironmentProblem("--tensorboard", "the package tensorboard is not installed", fix) from None
    return SummaryWriter


class TensorBoard:
    """Event files in a folder. Raises EnvironmentProblem where the package is missing."""

    def __init__(self, folder: Path, step: int = 0) -> None:
        """``step``: what a killed run wrote later than this is hidden."""
        self._writer = require_tensorboard()(str(folder), purge_step=step + 1)

    def write(self, record: Record) -> None:
        """Mirror a record."""
        match record:
            case TrainRecord():
                self._scalars(record, _SCALARS)
            case EpochRecord():
                self._scalars(record, _EPOCH_SCALARS)
            case EventRecord():
                self._writer.add_text(record.event, record.text, record.step)

    def close(self) -> None:
        self._writer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _scalars(self, record: Record, names: dict[str, str]) -> None:
        for tag, name in names.items():
            if (value := getattr(record, name)) is not None:
                self._writer.add_scalar(tag, value, record.step)
