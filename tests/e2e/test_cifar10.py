"""All of CIFAR-10 through every command, beside a plain torch script: half an hour, so only in `make soak`."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from netspec_runtime.training.predictions import read_predictions

EPOCHS = 15
PICTURES = 20

pytestmark = pytest.mark.soak


def python(folder: Path, *command: str) -> str:
    """What a module printed, run in ``folder``."""
    done = subprocess.run([sys.executable, "-m", *command], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, cifar10: Path) -> Path:
    """The folder of a run of the fast net, at the rates of its file."""
    folder = tmp_path_factory.mktemp("cifar10")
    python(folder, "netspec", "train", "cifar10-18pct", "--data", str(cifar10), "--set", f"train.epochs={EPOCHS}")
    return folder / "runs" / "cifar10-18pct"


def predicted(run: Path, backend: str) -> NDArray[np.float32]:
    """[10,000, 10]: the probabilities of the test pictures."""
    file = run.parent / f"{backend}.safetensors"
    python(run.parent.parent, "netspec", "eval", str(run), "--backend", backend, "--predictions", str(file))
    return read_predictions(file).probabilities


def test_error_is_that_of_a_plain_script(run: Path, cifar10: Path, root: Path) -> None:
    last = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()][-1]
    assert (last["kind"], last["epoch"]) == ("epoch", EPOCHS)
    printed = python(root, "benchmarks.plain_cifar", str(cifar10), "--epochs", str(EPOCHS))
    plain = float(re.findall(r"test error ([0-9.]+)%", printed)[-1]) / 100
    assert abs(last["test_top1_error"] - plain) < 0.015


def test_torch_and_onnx_give_the_same_answers(run: Path) -> None:
    torch, onnx = predicted(run, "torch"), predicted(run, "onnx")
    assert len(torch) == 10_000
    assert (torch.argmax(axis=1) != onnx.argmax(axis=1)).sum() <= 2


def test_infer_on_files_agrees_with_eval(run: Path, cifar10: Path, tmp_path: Path) -> None:
    records = np.fromfile(cifar10 / "test_batch.bin", np.uint8).reshape(-1, 3073)[:PICTURES, 1:]
    for number, planes in enumerate(records.reshape(-1, 3, 32, 32)):
        Image.fromarray(planes.transpose(1, 2, 0).copy()).save(tmp_path / f"{number:02}.png")
    printed = python(
        tmp_path, "netspec", "infer", "--onnx", str(run / "model.onnx"), "--top-k", "10", "--json", str(tmp_path)
    )
    expected = predicted(run, "torch")
    results = json.loads(printed)["results"]
    assert len(results) == PICTURES
    for number, result in enumerate(results):
        found = {one["index"]: one["probability"] for one in result["predictions"]}
        assert [found[i] for i in range(10)] == pytest.approx(expected[number].tolist(), abs=1e-4)
