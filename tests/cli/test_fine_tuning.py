"""The paper's 1 CNN*: a net trained on some pictures, its classifier exchanged, the rest trained on or frozen."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

from netspec_runtime.training.checkpoint import read_best
from tests.cli.conftest import Done, Run
from tests.cli.runs import CLASSES, SPEC, draw_pictures, prepared

pytestmark = pytest.mark.slow

RECIPE = "train: {batch: 16, epochs: 2, lr: 0.0001}\n"


@pytest.fixture
def first(tmp_path: Path, netspec: Run, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run on six classes; the prepared data of four others lie in `four`, their spec in `four.yaml`."""
    monkeypatch.chdir(tmp_path)
    draw_pictures(tmp_path / "six")
    shutil.copytree(tmp_path / "six", tmp_path / "pictures")
    for name in CLASSES[4:]:
        shutil.rmtree(tmp_path / "pictures" / "train" / name)
        shutil.rmtree(tmp_path / "pictures" / "val" / name)
    prepared(tmp_path / "pictures", tmp_path / "four")
    text = SPEC.format(name="small", crop=16, channels="rgb", views=1, labels=", ".join(CLASSES)) + RECIPE
    (tmp_path / "six.yaml").write_text(text, encoding="utf-8")
    four = text.replace("outputs: 6", "outputs: 4").replace("classes: 6", "classes: 4").replace(", elk, fox", "")
    (tmp_path / "four.yaml").write_text(four, encoding="utf-8")
    done = netspec("train", "six.yaml", "--data", "six", "--devices", "cpu", "--workers", 0)
    assert done.code == 0, done.err
    return Path("runs/small")


def tune(netspec: Run, source: Path | str, *more: object) -> Done:
    flags = ("--data", "four", "--devices", "cpu", "--workers", 0, "--out", "tuned", "--init-from", source)
    return netspec("train", "four.yaml", *flags, *more)


@pytest.mark.parametrize("source", ["", "best.safetensors", "model.onnx"], ids=["run", "safetensors", "onnx"])
def test_a_frozen_layer_stays_as_it_was_learned(first: Path, source: str, netspec: Run) -> None:
    frozen = ("--set", "layers.conv1.lr_w=0", "--set", "layers.conv1.lr_b=0")
    done = tune(netspec, first / source, *frozen)
    assert done.code == 0, done.err
    before, after = read_best(first)[0], read_best(Path("tuned"))[0]
    for name in ("conv1.weight", "conv1.bias"):
        assert torch.equal(before[name], after[name])
    assert after["fc2.weight"].shape[0] == 4
    assert "2 of 4 tensors, " in done.err
    assert "taken: conv1" in done.err
    assert "fc2.bias is 4 here, 6 there" in done.err


def test_without_freezing_what_was_taken_is_trained_on(first: Path, netspec: Run) -> None:
    assert tune(netspec, first).code == 0
    before, after = read_best(first)[0]["conv1.weight"], read_best(Path("tuned"))[0]["conv1.weight"]
    fresh = netspec("train", "four.yaml", "--data", "four", "--devices", "cpu", "--workers", 0, "--out", "fresh")
    assert fresh.code == 0, fresh.err
    other = read_best(Path("fresh"))[0]["conv1.weight"]
    assert not torch.equal(before, after)
    assert (before - after).norm() < (before - other).norm()


def test_the_last_test_of_a_run_is_what_eval_finds(first: Path, netspec: Run) -> None:
    """After fine-tuning too, and on the run's own data."""
    assert tune(netspec, first).code == 0
    for run in (first, Path("tuned")):
        error = read_best(run)[1]["error"]
        for flags in ((), ("--backend", "onnx")):
            done = netspec("eval", run, *flags)
            assert done.code == 0, done.err
            assert f" {error:.2%} " in done.out


def test_a_file_of_which_nothing_fits_ends_the_command(first: Path, tmp_path: Path, netspec: Run) -> None:
    text = (tmp_path / "four.yaml").read_text(encoding="utf-8")
    renamed = text.replace("conv1", "layer1").replace("fc2", "layer2")
    (tmp_path / "four.yaml").write_text(renamed, encoding="utf-8")
    done = tune(netspec, first)
    assert done.code == 4
    assert "nothing in it fits this net" in done.err
    assert "it has conv1.bias, conv1.weight, fc2.bias, fc2.weight" in done.err
