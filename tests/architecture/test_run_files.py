"""The names of a run's files are written in one place, `run_marks`: who needs one imports it. Not a style check."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from netspec_runtime import run_marks

PLACE = Path(run_marks.__file__).name
NAMES = {value for name, value in vars(run_marks).items() if name.isupper()}


def test_a_name_of_a_file_of_a_run_is_written_once(root: Path) -> None:
    assert {"checkpoints", "metrics.jsonl"} < NAMES
    paths = [path for folder in ("netspec", "runtime/netspec_runtime") for path in (root / folder).rglob("*.py")]
    assert [f"{path}:{line}" for path in paths for line in written(path) if path.name != PLACE] == []


def written(path: Path) -> Iterator[int]:
    """The lines that have such a name alone in a string."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and node.value in NAMES:
            yield node.lineno
