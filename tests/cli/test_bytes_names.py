"""Folders whose names are bytes that no UTF-8 has, as old archives leave them: used where they can be, else refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from netspec.runs import require_utf8
from netspec_runtime.errors import DataError
from tests.cli.conftest import Run

ODD = os.fsdecode(b"gr\xfcn")


def test_build_and_infer_work_in_such_a_folder(tmp_path: Path, netspec: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        (tmp_path / ODD).mkdir()
    except OSError:
        pytest.skip("this file system has names in UTF-8 alone")
    monkeypatch.chdir(tmp_path / ODD)
    done = netspec("build", "lenet", "-o", tmp_path / ODD / "built")
    assert (done.code, done.err) == (0, "")


def test_a_run_is_refused_before_it_trains(place: Path, netspec: Run) -> None:
    done = netspec("train", "small.yaml", "--data", "pictures", "--runs", place / ODD)
    assert (done.code, done.out) == (4, "")
    assert f"{place}/gr\\udcfcn: this name is not in UTF-8; rename it, or choose another folder" in done.err
    assert not (place / ODD).exists()


def test_other_names_are_fine(tmp_path: Path) -> None:
    require_utf8(tmp_path / "grün")
    with pytest.raises(DataError, match="not in UTF-8"):
        require_utf8(tmp_path / ODD / "run")
