"""`netspec eval` on raw pictures that name no splits: what a net learned from is known by the net, wherever it lies."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Done, Run
from tests.cli.evaluated import document
from tests.cli.runs import draw_pictures

pytestmark = pytest.mark.slow
ALL = 48


@pytest.fixture
def learned(place: Path, netspec: Run) -> Path:
    """A run that learned from pictures/train, of which it set some aside, in a folder where nothing is prepared now."""
    done = netspec("train", "small.yaml", "--data", "pictures/train", "-o", "run")
    assert done.code == 0, done.err
    shutil.rmtree(place / "data")
    return place


def judged(done: Done) -> int:
    count: int = document(done)["results"][0]["count"]
    return count


@pytest.mark.parametrize("model", ["run", "run/model.onnx", "model.onnx"])
@pytest.mark.parametrize("moved", [False, True])
def test_what_was_learned_is_not_counted(learned: Path, model: str, moved: bool, netspec: Run) -> None:
    """Also by a file alone, and also of pictures that lie elsewhere now."""
    shutil.copy(learned / "run" / "model.onnx", learned / "model.onnx")
    if moved:
        shutil.copytree(learned / "pictures" / "train", learned / "elsewhere")
        shutil.rmtree(learned / "pictures")
    done = netspec("eval", model, "--data", "elsewhere" if moved else "pictures/train", "--json")
    assert 0 < judged(done) < ALL
    assert "split as it was to learn from it, 0.1 of it set aside for test\n" in done.err


def test_other_pictures_are_all_counted_whatever_was_prepared_here(learned: Path, netspec: Run) -> None:
    """Those that another net learned from here too."""
    draw_pictures(learned / "others", seed=1)
    assert netspec("train", "small.yaml", "--data", "others/train", "-o", "second").code == 0
    done = netspec("eval", "run", "run/model.onnx", "--data", "others/train", "--json")
    assert judged(done) == ALL
    note = (
        "others/train: all 48 pictures are judged: it names no training split, and no model here says that it learned"
    )
    assert done.err.count(note) == 1
    assert 0 < judged(netspec("eval", "run", "second", "--data", "others/train", "--json")) < ALL


@pytest.mark.usefixtures("learned")
def test_pictures_that_are_split_are_as_they_say(netspec: Run) -> None:
    done = netspec("eval", "run", "--data", "pictures", "--json")
    assert judged(done) == ALL
    assert "judged" not in done.err


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize("fraction", [0, 0.3])
def test_another_fraction_than_trains_own(fraction: float, netspec: Run) -> None:
    """What `prepare --holdout` set aside is judged; with another model, what both set aside; nothing is hidden."""
    source = ("pictures/train", "--size", 20)
    assert netspec("prepare", *source, "-o", "ready", "--holdout", fraction).code == 0
    assert netspec("train", "small.yaml", "--data", "ready", "-o", "run").code == 0
    model = "run/model.onnx"
    kept = document(netspec("eval", model, "--data", "ready", "--split", "test" if fraction else "train", "--json"))
    done = netspec("eval", model, "--data", "pictures/train", "--json")
    assert document(done)["results"][0]["top1_error"] == kept["results"][0]["top1_error"]
    assert judged(done) == kept["results"][0]["count"]
    if not fraction:
        assert "all 48 pictures are judged: it names no training split, and a model here learned from all" in done.err
        return
    assert "split as it was to learn from it, 0.3 of it set aside for test\n" in done.err
    assert netspec("train", "small.yaml", "--data", "pictures/train", "-o", "other").code == 0
    both = netspec("eval", model, "other/model.onnx", "--data", "pictures/train", "--json")
    assert 0 < judged(both) < judged(done)
