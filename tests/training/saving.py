"""A program that is killed again and again while it saves checkpoints: `saving.py FOLDER ROUNDS SEED`. No test itself.

Each round forks a process that resumes and saves, kills it at a random moment, and looks at what is there. Prints the
number of kills that left temporary files or tensors without a note, and the last step.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from pathlib import Path

import torch

from netspec_runtime.training.checkpoint import Checkpoint, Checkpoints

SIZE = 50_000


def checkpoint(step: int) -> Checkpoint:
    """Every number of it tells its step."""
    return Checkpoint(step, {"a": torch.full((SIZE,), step)}, {"a": torch.full((9,), -step)}, {"step": step})


def save_until_killed(folder: Path, pipe: int) -> None:
    """Report each finished save through the pipe."""
    checkpoints = Checkpoints(folder)
    checkpoints.claim()
    last, _ = checkpoints.latest()
    step = last.step if last else 0
    while True:
        step += 1
        checkpoints.save(checkpoint(step))
        os.write(pipe, step.to_bytes(8, "little"))


def kill_one(folder: Path, delay: float) -> int:
    """The last step that the killed process reported, 0 if none."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        save_until_killed(folder, writer)
    os.close(writer)
    time.sleep(delay)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with os.fdopen(reader, "rb") as pipe:
        reported = pipe.read()
    return int.from_bytes(reported[-8:], "little") if reported else 0


def main(folder: Path, rounds: int, seed: int) -> None:
    """Raises AssertionError at the first kill that left no good checkpoint."""
    torch.set_num_threads(1)
    generator = random.Random(seed)
    torn = known = 0
    for _ in range(rounds):
        known = max(known, kill_one(folder, generator.uniform(0.001, 0.03)))
        files = {path.name for path in folder.iterdir()} if folder.exists() else set()
        torn += any(name.endswith(".tmp") for name in files)
        found, damaged = Checkpoints(folder).latest()
        assert damaged == [], damaged
        step = found.step if found else 0
        assert step >= known, (step, known)
        if found:
            assert found.state == {"step": step}
            assert found.weights["a"].equal(torch.full((SIZE,), step))
            assert found.momentum["a"].equal(torch.full((9,), -step))
        known = step
    sys.stdout.write(f"{torn} {known}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
