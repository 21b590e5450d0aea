"""What `netspec train` says besides of a run, its data and its spec, each in a line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.cli.runs import CLASSES, SPEC, draw_pictures, prepared

pytestmark = pytest.mark.slow

RECIPE = "train: {batch: 16, epochs: 1, lr: 0.0001}\n"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with small.yaml and raw pictures."""
    monkeypatch.chdir(tmp_path)
    draw_pictures(tmp_path / "pictures")
    text = SPEC.format(name="small", crop=16, channels="rgb", views=1, labels=", ".join(CLASSES)) + RECIPE
    (tmp_path / "small.yaml").write_text(text, encoding="utf-8")
    return tmp_path


def test_data_that_cannot_tell_a_good_net_from_another_are_remarked(place: Path, netspec: Run) -> None:
    """Of one class, and without test pictures; `prepare` says so too."""
    shutil.copytree(place / "pictures" / "train" / "ant", place / "ants" / "ant")
    text = (place / "small.yaml").read_text().replace(f"[{', '.join(CLASSES)}]", "[ant]")
    (place / "one.yaml").write_text(text.replace("classes: 6", "classes: 1").replace("outputs: 6", "outputs: 1"))
    prepared(place / "ants", place / "few")
    done = netspec("train", "one.yaml", "--data", "few", "-o", "one")
    assert done.code == 0, done.err
    assert "note: there are no test pictures with labels, so the best weights are those of the least" in done.err
    assert "`netspec prepare --holdout 0.1` sets some aside\n" in done.err
    assert "note: there is one class, so every answer is right and nothing is learned" in done.err
