"""Pictures and nets trained on them for a moment, for the tests of `netspec eval`. No tests themselves."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from netspec_runtime.data.open import open_prepared
from tests.cli.conftest import Done
from tests.cli.runs import draw_pictures, prepared, train_run


@dataclass(frozen=True)
class Made:
    """Pictures, the same prepared, and runs that learned them."""

    pictures: Path
    data: Path
    run: Path
    other: Path
    bgr: Path
    smaller: Path


def make(folder: Path) -> Made:
    """Below a folder."""
    draw_pictures(folder / "pictures")
    path = prepared(folder / "pictures", folder / "prepared")
    data = open_prepared(path)
    return Made(
        folder / "pictures",
        path,
        train_run(folder / "run", data),
        train_run(folder / "other", data, seed=1),
        train_run(folder / "bgr", data, seed=2, channels="bgr", views=10),
        train_run(folder / "smaller", data, seed=3, crop=12),
    )


def document(done: Done) -> dict[str, Any]:
    assert done.code == 0, done.err
    found: dict[str, Any] = json.loads(done.out)
    return found


def errors(entry: dict[str, Any]) -> tuple[float, float, int]:
    return entry["top1_error"], entry["top5_error"], entry["count"]


def trained_on(source: Path, run: Path, out: Path) -> Path:
    """A copy of a run that says so."""
    shutil.copytree(run, out)
    (out / "arguments.json").write_text(json.dumps({"data": str(source)}), encoding="utf-8")
    return out
