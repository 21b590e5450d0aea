"""What a run was asked for, as its arguments.json says it. Whole runs that go on: tests/e2e."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from netspec.runs import Before, before
from netspec_runtime.errors import DataError
from netspec_runtime.training.run import RunFolder

FLAGS = {
    "precision": "bf16",
    "channels_last": True,
    "compiled": False,
    "parts": 4,
    "views": None,
    "save_every": 0,
    "log_every": 20,
    "until": 0.25,
    "tensorboard": False,
}


def asked(folder: Path, document: object) -> Before:
    (folder / "arguments.json").write_text(json.dumps(document))
    return before(RunFolder(folder, "net"))


def test_what_was_asked_for_comes_back(tmp_path: Path) -> None:
    document = {"data": "/pictures", "init_from": None, "flags": FLAGS, "launch": "a 1"}
    assert asked(tmp_path, document) == Before(Path("/pictures"), None, FLAGS, "a 1")
    for change in ({"views": "10", "until": None}, {"until": 1}, {"flag": ["of another version"]}):
        assert asked(tmp_path, {"data": None, "flags": FLAGS | change}).flags == FLAGS | change


@pytest.mark.parametrize(
    ("document", "what"),
    [
        ([], "list indices must be"),
        ({}, "'data'"),
        ({"data": 5}, "expected str"),
        ({"data": None, "flags": "x"}, "dictionary update"),
        ({"data": None, "flags": {"parts": "x"}}, 'parts is "x"'),
        ({"data": None, "flags": {"parts": True}}, "parts is true"),
        ({"data": None, "flags": {"precision": 16}}, "precision is 16"),
        ({"data": None, "flags": {"until": [0.5]}}, r"until is \[0.5\]"),
        ({"data": None, "flags": {"tensorboard": None}}, "tensorboard is null"),
    ],
)
def test_what_is_damaged_is_refused(tmp_path: Path, document: object, what: str) -> None:
    with pytest.raises(DataError, match=rf"arguments\.json: damaged: .*{what}.*; start a new run"):
        asked(tmp_path, document)
