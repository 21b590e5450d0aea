"""A run that is killed at any moment and resumed ends with the bytes of one that nobody disturbed."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.e2e.runs import OFTEN, STEPS, Server, outcome, steps

WORKERS = (0, 1, 2, 4)  # threads that make batches ready


def arguments(run: str, workers: int = 1) -> tuple[str, ...]:
    return ("train", "tiny.yaml", "--data", "data", "--out", run, "--resume", "auto", *OFTEN, "--workers", str(workers))


def killed(server: Server, place: Path, run: str, lots: random.Random, workers: int) -> int:
    """Start or resume the run, and kill it at a random step, at a random moment of it; the last step that it saved."""
    begun = max(steps(place / run), default=-1)
    running = server.start(place, *arguments(run, workers))
    after = lots.randint(begun, STEPS)
    running.until(lambda: max(steps(place / run), default=-1) > after)
    time.sleep(lots.uniform(0, 0.05))
    running.kill()
    return max(steps(place / run), default=-1)


def kills_and_resumes(server: Server, place: Path, run: str, workers: Sequence[int], seed: int) -> list[int]:
    """A start for each of these counts of ``workers``; all but the last are killed."""
    lots = random.Random(seed)
    seen = [killed(server, place, run, lots, count) for count in workers[:-1]]
    done = server.run(place, *arguments(run, workers[-1]))
    assert done.code == 0, done.err
    return seen


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "workers"), [(0, (0, 1, 2)), (1, (2, 4, 0)), (2, (4, 0, 1))])
def test_kills_at_random_moments(
    server: Server, place: Path, unbroken: Path, seed: int, workers: tuple[int, ...]
) -> None:
    kills_and_resumes(server, place, f"killed-{seed}", workers, seed)
    assert outcome(place / f"killed-{seed}") == outcome(unbroken)


@pytest.mark.soak
@pytest.mark.parametrize("workers", WORKERS)
@pytest.mark.parametrize("seed", range(100, 200))
def test_a_hundred_kills(server: Server, place: Path, unbroken: Path, seed: int, workers: int) -> None:
    run = f"killed-{seed}-{workers}"
    kills_and_resumes(server, place, run, (workers, workers), seed)
    assert outcome(place / run) == outcome(unbroken)


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
