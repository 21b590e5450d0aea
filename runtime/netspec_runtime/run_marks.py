"""The names of the files in the folder of a run of `netspec train`, and what tells it from others. It opens no run."""

from __future__ import annotations

from pathlib import Path
from typing import Final

ARGUMENTS: Final = "arguments.json"
CHECKPOINTS: Final = "checkpoints"
CURVES: Final = "curves.svg"
ENVIRONMENT: Final = "environment.json"
METRICS: Final = "metrics.jsonl"
MODEL: Final = "model.onnx"  # of a run that has ended


def is_run(folder: Path) -> bool:
    """Whether a run was started here."""
    return (folder / ARGUMENTS).is_file()
