"""A run that is killed at any moment and resumed ends with the bytes of one that nobody disturbed."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from tests.e2e.runs import OFTEN, STEPS, Server, outcome, steps


def arguments(run: str) -> tuple[str, ...]:
    return ("train", "tiny.yaml", "--data", "data", "--out", run, "--resume", "auto", *OFTEN)


def killed(server: Server, place: Path, run: str, lots: random.Random) -> int:
    """Start or resume the run, and kill it at a random step, at a random moment of it; the last step that it saved."""
    begun = max(steps(place / run), default=-1)
    running = server.start(place, *arguments(run))
    after = lots.randint(begun, STEPS)
    running.until(lambda: max(steps(place / run), default=-1) > after)
    time.sleep(lots.uniform(0, 0.05))
    running.kill()
    return max(steps(place / run), default=-1)


def kills_and_resumes(server: Server, place: Path, run: str, kills: int, seed: int) -> list[int]:
    lots = random.Random(seed)
    seen = [killed(server, place, run, lots) for _ in range(kills)]
    done = server.run(place, *arguments(run))
    assert done.code == 0, done.err
    return seen


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_kills_at_random_moments(server: Server, place: Path, unbroken: Path, seed: int) -> None:
    kills_and_resumes(server, place, f"killed-{seed}", 2, seed)
    assert outcome(place / f"killed-{seed}") == outcome(unbroken)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 200))
def test_a_hundred_kills(server: Server, place: Path, unbroken: Path, seed: int) -> None:
    kills_and_resumes(server, place, f"killed-{seed}", 1, seed)
    assert outcome(place / f"killed-{seed}") == outcome(unbroken)


@pytest.mark.slow
@pytest.mark.parametrize("pause", [0, pytest.param(0.02, marks=pytest.mark.soak)])
def test_a_kill_while_the_model_is_written(server: Server, place: Path, unbroken: Path, pause: float) -> None:
    run = place / f"writing-{pause}"
    running = server.start(place, *arguments(run.name))
    assert running.until(lambda: any(run.glob(".model.onnx.*.tmp")) or (run / "model.onnx").exists())
    time.sleep(pause)
    running.kill()
    done = server.run(place, "train", "--resume", run.name)
    assert done.code == 0, done.err
    assert outcome(run) == outcome(unbroken)
