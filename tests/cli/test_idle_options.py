"""Options that would do nothing are refused, not ignored; `test_*.py` of each command have those that do something."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run


@pytest.mark.parametrize(
    ("line", "option", "where"),
    [
        ("prepare raw -o out --set a.b=3", "--set", "without --spec"),
        ("prepare raw -o out --mirror http://localhost", "--mirror", "without --download"),
        ("prepare --check out --size 3", "--size", "with --check"),
        ("train shapes --out here --runs there", "--runs", "with --out"),
        ("experiment --list extra", "NAME|FILE", "with --list"),
        ("experiment --list --data raw", "--data", "with --list"),
        ("experiment --epochs 3", "--epochs", "without NAME"),
        ("init --list alexnet", "NAME", "with --list"),
        ("init --out mine.yaml", "--out", "without NAME"),
        ("explain conv --set seed=3", "--set", "without SPEC"),
        ("graph lenet --force", "--force", "without --out"),
        ("import net.onnx --force", "--force", "without --out"),
        ("build lenet --dump-after build -o out", "--out", "with --dump-after"),
        ("build lenet --no-check --dump-after place", "--no-check", "with --dump-after"),
    ],
)
def test_it_is_said_which_option_does_nothing(
    line: str, option: str, where: str, netspec: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = netspec(*line.split())
    assert (done.code, done.out) == (2, "")
    assert f"Invalid value for {option}: it does nothing {where}" in " ".join(done.err.split())
    assert list(tmp_path.iterdir()) == []


def test_the_list_of_experiments_as_json(netspec: Run) -> None:
    named = [line.split()[0] for line in netspec("experiment", "--list").out.splitlines()]
    for arguments in (("--list", "--json"), ("--json",)):
        found = json.loads(netspec("experiment", *arguments).out)
        assert [entry["name"] for entry in found] == named
        assert all(entry["data"] and entry["about"] for entry in found)
