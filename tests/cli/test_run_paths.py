"""Where a run says that it lies, and where its data lie: without the `..` that somebody typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from netspec.runs import plain
from tests.cli.conftest import Run
from tests.data.raw import write_folder
from tests.experiment.made import NET


def test_links_stay_where_nothing_goes_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "big" / "disk").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "big" / "disk")
    monkeypatch.chdir(tmp_path)
    assert plain(Path("link") / "runs") == tmp_path / "link" / "runs"
    assert plain(Path("link") / ".." / "runs") == (tmp_path / "big" / "runs").resolve()  # as the system goes
    assert plain(tmp_path / "new") == tmp_path / "new"


@pytest.mark.slow
def test_a_run_says_no_detours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, netspec: Run) -> None:
    here = tmp_path.resolve() / "here"
    here.mkdir()
    write_folder(here.parent / "raw", {"a": 20, "b": 20})
    text = NET.replace("classes: 10", "classes: 2").replace("outputs: 10", "outputs: 2")
    (here / "tiny.yaml").write_text(text.replace("epochs: 12", "epochs: 1"), encoding="utf-8")
    monkeypatch.chdir(here)
    done = netspec("train", "tiny.yaml", "--data", "../raw", "--runs", "../runs")
    assert done.code == 0, done.err
    run = here.parent / "runs" / "tiny"
    assert json.loads((run / "arguments.json").read_text())["data"] == str(here.parent / "raw")
    assert f"--onnx {run}/model.onnx" in done.out
    assert ".." not in (done.out + done.err).replace("...", "")


def test_a_run_whose_pictures_were_moved_knows_where_they_are(place: Path, netspec: Run) -> None:
    assert netspec("train", "small.yaml", "--data", "pictures").code == 0
    (place / "pictures").rename(place / "moved")
    assert netspec("train", "--resume", "runs/small").code == 4
    assert netspec("train", "--resume", "runs/small", "--data", "moved").code == 0
    assert json.loads((place / "runs" / "small" / "arguments.json").read_text())["data"] == str(place / "moved")
    assert netspec("train", "--resume", "runs/small").code == 0
    assert netspec("eval", "runs/small").code == 0
