"""Real runs of `netspec train`: how they are started, stopped and compared. The tests say what must hold."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from netspec_runtime.data.manifest import Origin
from netspec_runtime.data.prepared import Split
from netspec_runtime.data.write import write_arrays
from netspec_runtime.training.checkpoint import Checkpoint, Checkpoints
from tests.training.records import TIMES

SPEC = """
netspec: 1
name: tiny
input: {channels: 3, size: 12}
classes: 6
layers:
  conv1: {type: conv, inputs: data, filters: 4, size: 3, pad: 1, gpu: [0, 1], neuron: relu, init_w: he}
  rnorm1: {type: rnorm, inputs: conv1, size: 3, k: 2, alpha: 1e-4, alpha_over: sum, groups: 2}
  pool1: {type: pool, inputs: rnorm1, pool: max, size: 3, stride: 2}
  conv2: {type: conv, inputs: pool1, filters: 4, size: 3, groups: 2, neuron: relu, init_w: he}
  drop2: {type: dropout, inputs: conv2, rate: 0.3}
  fc3: {type: fc, inputs: drop2, outputs: 6, gpu: 0, init_w: 0.1}
  probs: {type: softmax, inputs: fc3}
data: {resize: 14, mirror: true, mean: image, std: [64, 64, 64], color_pca: 0.1}
train: {batch: 8, epochs: 4, momentum: 0.9, decay: 0.0005, lr: {start: 0.01, divide: 10, when: [3]}}
"""
CLASSES = ("ant", "bee", "cat", "dog", "elk", "fox")
PICTURES, PER_EPOCH, EPOCHS = 100, 12, 4
STEPS = PER_EPOCH * EPOCHS
OFTEN = ("--save-every", "3", "--log-every", "4", "--workers", "1")


@dataclass(frozen=True)
class Done:
    """What a command left. ``code`` is below 0 for a signal that ended it."""

    code: int
    out: str
    err: str


class Server:
    """Starts `netspec` in a folder."""

    def __init__(self, root: Path, spoken: Path) -> None:
        command = [sys.executable, "-m", "tests.e2e.server"]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, cwd=root, env=environment, stdin=pipe, stdout=pipe, text=True)
        self._spoken, self._number = spoken, count()

    def start(self, folder: Path, *arguments: object, limit: int = 0) -> Running:
        """``limit``: the most bytes of a file."""
        said = self._spoken / str(next(self._number))
        request = {"run": list(map(str, arguments)), "folder": str(folder), "said": str(said), "limit": limit}
        number = self.ask(request)
        assert number is not None
        return Running(self, number, said)

    def run(self, folder: Path, *arguments: object, limit: int = 0) -> Done:
        return self.start(folder, *arguments, limit=limit).wait()

    def ask(self, request: dict[str, Any]) -> int | None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{json.dumps(request)}\n")
        self._process.stdin.flush()
        answer: int | None = json.loads(self._process.stdout.readline())
        return answer

    def close(self) -> None:
        self._process.communicate()


class Running:
    """A command that was started."""

    def __init__(self, server: Server, number: int, said: Path) -> None:
        self._server, self._number, self._said = server, number, said
        self._code: int | None = None

    @property
    def ended(self) -> bool:
        if self._code is None:
            self._code = self._server.ask({"poll": self._number})
        return self._code is not None

    def send(self, which: signal.Signals) -> None:
        if not self.ended:
            os.kill(self._number, which)

    def wait(self) -> Done:
        if self._code is None:
            self._code = self._server.ask({"wait": self._number})
        assert self._code is not None
        out, err = (self._said.with_suffix(f".{name}").read_text() for name in ("out", "err"))
        return Done(self._code, out, err)

    def kill(self) -> None:
        self.send(signal.SIGKILL)
        self.wait()

    def until(self, holds: Callable[[], bool]) -> bool:
        """Wait; False if the command ended before."""
        end = time.monotonic() + 120
        while not holds():
            if self.ended:
                return False
            assert time.monotonic() < end, "it never happened"
            time.sleep(0.001)
        return True


def write_data(folder: Path, train: int = PICTURES, test: int = 30, classes: int = 6, seed: int = 0) -> Path:
    """Prepared pictures, 14 x 14: each class is a patch at another place, in noise."""
    random = np.random.default_rng(seed)

    def split(images: int) -> Split:
        labels = np.arange(images, dtype=np.int64) % classes
        pixels = random.integers(0, 140, (images, 14, 14, 3), dtype=np.uint8)
        for picture, label in zip(pixels, labels, strict=True):
            row, column = divmod(int(label), 3)
            picture[7 * row : 7 * row + 7, 4 * column : 4 * column + 5] += 60
        return Split(pixels, labels)

    splits = {"train": split(train), "test": split(test)}
    return write_arrays(folder, CLASSES[:classes], splits, Origin("made")).path


def last(run: Path) -> Checkpoint:
    found, damaged = Checkpoints(run / "checkpoints").latest()
    assert found is not None
    assert damaged == []
    return found


def steps(run: Path) -> list[int]:
    """Those that have a checkpoint."""
    return sorted(int(path.stem.removeprefix("step-")) for path in (run / "checkpoints").glob("step-*.json"))


def metrics(run: Path) -> list[dict[str, Any]]:
    """All that was measured, but for times."""
    lines = (run / "metrics.jsonl").read_text().splitlines()
    return [{name: value for name, value in json.loads(line).items() if name not in TIMES} for line in lines]


def outcome(run: Path) -> dict[str, object]:
    """All that must be equal in two runs of the same."""
    final = last(run)
    state = json.loads(json.dumps(final.state))
    for name in ("seconds", "logged_at"):
        state["position"].pop(name)
    tensors = {**final.weights, **{f"v {name}": tensor for name, tensor in final.momentum.items()}}
    files = ("best.safetensors", "model.onnx", "curves.svg", "tiny.yaml", "tiny.py")
    return {
        "step": final.step,
        "state": state,
        "tensors": {name: hashlib.sha256(tensor.numpy().tobytes()).hexdigest() for name, tensor in tensors.items()},
        "metrics": metrics(run),
        "left": sorted(path.name for path in run.rglob("*.tmp")),
        **{name: hashlib.sha256((run / name).read_bytes()).hexdigest() for name in files},
    }
