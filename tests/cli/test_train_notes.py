"""What `netspec train` says besides of a run, its data and its spec, each in a line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.cli.runs import CLASSES, prepared

pytestmark = pytest.mark.slow


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


@pytest.mark.usefixtures("place")
def test_raw_pictures_are_said_to_be_prepared_and_what_is_left_out(place: Path, netspec: Run) -> None:
    done = netspec("train", "small.yaml", "--data", "pictures", "-o", "whole")
    (folder,) = (place / "data").iterdir()
    assert f"the pictures are prepared in data/{folder.name}\n" in done.err
    (place / "pictures" / "train" / "ant" / "0.png").write_bytes(b"broken")
    (place / "pictures" / "train" / "ant" / "letter.txt").write_text("stray")
    done = netspec("train", "small.yaml", "--data", "pictures", "-o", "broken")
    assert f"prepared in data/{folder.name}, 2 bad files left out (see its quarantine.txt)\n" in done.err
    assert "without a training picture" not in done.err
    assert "prepared in" not in netspec("train", "small.yaml", "--data", folder.resolve(), "-o", "ready").err


def test_classes_whose_pictures_are_all_broken_are_remarked(place: Path, netspec: Run) -> None:
    """By `prepare` too. They stay classes, as the labels of a test split may be of them."""
    for picture in (place / "pictures" / "train" / "ant").iterdir():
        picture.write_bytes(b"broken")
    told = netspec("prepare", "pictures", "-o", "lame", "--size", "20", "--max-bad", ".5")
    assert "\n  note        class ant without a training picture\n" in told.out
    done = netspec("train", "small.yaml", "--data", "lame")
    assert "note: class ant without a training picture\n" in done.err


@pytest.mark.usefixtures("place")
def test_ten_views_that_are_one_are_remarked(netspec: Run) -> None:
    """Pictures are stretched to the crop where nothing says `resize`."""
    note = "note: the ten test views are all the same crop, or its reflection, as pictures are prepared at its size"
    done = netspec("train", "small.yaml", "--data", "pictures", "--set", "data.resize=null", "--views", "10")
    assert f"{note}, 16 x 16; a `data.resize` above 16 leaves room for others\n" in done.err
    assert note not in netspec("train", "small.yaml", "--data", "pictures", "--set", "data.resize=null").err
    assert note not in netspec("train", "small.yaml", "--data", "pictures", "--views", "10").err


@pytest.mark.usefixtures("place")
def test_weights_of_a_run_with_other_inputs_are_remarked(netspec: Run) -> None:
    assert netspec("train", "small.yaml", "--data", "pictures", "-o", "first").code == 0
    for source in ("first", "first/best.safetensors"):
        other = ("--set", "data.std=[64, 64, 64]", "--init-from", source)
        done = netspec("train", "small.yaml", "--data", "pictures", *other)
        note = f"note: the weights of {source} learned from inputs that were prepared otherwise (data.std: [64, 64, 64]"
        assert f"{note} here, null there)\n" in done.err
    done = netspec("train", "small.yaml", "--data", "pictures", "--init-from", "first")
    assert (done.code, "note:" in done.err) == (0, False)


def test_pictures_of_a_run_s_start_that_are_gone(place: Path, netspec: Run) -> None:
    assert netspec("train", "small.yaml", "--data", "pictures", "-o", "run").code == 0
    (place / "pictures").rename(place / "moved")
    shutil.rmtree(place / "data")
    for command in (("eval", "run"), ("train", "--resume", "run")):
        done = netspec(*command)
        assert (done.code, done.out) == (4, "")
        assert done.err == (
            f"netspec: {place}/pictures: not there any more, and run was started with these pictures; bring them back, "
            "or say where they are with --data\n"
        )
    assert netspec("eval", "run", "--data", "moved").code == 0
    done = netspec("eval", "run", "--data", "pictures")
    assert (done.code, "pictures: no such file or folder" in done.err, "split as" in done.err) == (4, True, False)
    assert not (place / "runs").exists()


def test_runs_of_other_data_are_judged_on_the_first_s(place: Path, netspec: Run) -> None:
    shutil.copytree(place / "pictures", place / "others")
    for name, data in (("a", "pictures"), ("b", "others")):
        assert netspec("train", "small.yaml", "--data", data, "-o", name).code == 0
    done = netspec("eval", "a", "b")
    assert f"b: trained on other data; all are judged on those of a, {place}/pictures\n" in done.err
    assert "other data" not in netspec("eval", "a", "b", "--data", "others").err
    assert "other data" not in netspec("eval", "a", "a").err


@pytest.mark.usefixtures("place")
def test_a_run_that_diverged_says_so(netspec: Run) -> None:
    """Once to who trains it, and to who evaluates it; nobody is told to go on with it."""
    broken = ("--set", "train.lr=1e30", "-o", "run")
    done = netspec("train", "small.yaml", "--data", "pictures", *broken)
    assert (done.code, done.err.count("not finite")) == (5, 1)
    done = netspec("eval", "run")
    assert (done.code, done.out) == (4, "")
    assert "netspec: run: its training diverged (step " in done.err
    assert "not finite" in done.err
    assert "--resume" not in done.err


def test_labels_that_the_data_do_not_know_are_remarked(place: Path, netspec: Run) -> None:
    text = (place / "small.yaml").read_text()
    (place / "named.yaml").write_text(text.replace(f"[{', '.join(CLASSES)}]", "[ant, bee, cat, dog, elk, renard]"))
    done = netspec("train", "named.yaml", "--data", "pictures")
    assert done.code == 0, done.err
    assert "note: 1 of 6 classes have other names in the data (in its place, `renard` is `fox`)\n" in done.err
    assert "other names" not in netspec("train", "small.yaml", "--data", "pictures").err
