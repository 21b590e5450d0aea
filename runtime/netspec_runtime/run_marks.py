"""What tells the folder of a run of `netspec train` from others, for those who do not train. It opens no run."""

from __future__ import annotations

from pathlib import Path
from typing import Final

ARGUMENTS: Final = "arguments.json"
MODEL: Final = "model.onnx"  # in the folder of a run that has ended


def is_run(folder: Path) -> bool:
    """Whether a run was started here."""
    return (folder / ARGUMENTS).is_file()
