"""Signals at any moment: the step ends, the run is saved, one line says how to go on, and that is so."""

from __future__ import annotations

import random
import re
import time
from pathlib import Path
from signal import SIGHUP, SIGINT, SIGTERM, Signals

import pytest

from tests.e2e.runs import OFTEN, STEPS, Done, Server, outcome, steps

LINE = re.compile(
    r"^netspec: stopped(?: and saved after step (\d+))?; go on with: netspec (train --resume \S+(?: --devices \S+)?)$"
)


def start(run: str) -> tuple[str, ...]:
    return ("train", "tiny.yaml", "--data", "data", "--out", run, *OFTEN)


def stopped(server: Server, place: Path, run: str, number: Signals, after: int, pause: float) -> Done:
    """The run, stopped a moment after its first save beyond ``after`` steps."""
    running = server.start(place, *start(run))
    running.until(lambda: max(steps(place / run), default=-1) > after)
    time.sleep(pause)
    running.send(number)
    return running.wait()


def go_on(server: Server, place: Path, done: Done, number: Signals) -> int | None:
    """Check the line and do what it says, until the end; the step that was saved."""
    assert done.code == 128 + number, done.err
    match = LINE.match(done.err.splitlines()[-1])
    assert match, done.err
    again = server.run(place, *match[2].split())
    assert again.code == 0, again.err
    return None if match[1] is None else int(match[1])


@pytest.mark.slow
@pytest.mark.parametrize(("number", "after"), [(SIGINT, -1), (SIGTERM, 7), (SIGHUP, 24), (SIGTERM, 40)])
def test_a_signal_at_some_moment(server: Server, place: Path, unbroken: Path, number: Signals, after: int) -> None:
    run = f"stopped-{after}"
    done = stopped(server, place, run, number, after, 0)
    step = go_on(server, place, done, number)
    assert step is not None
    assert after < step < STEPS
    assert outcome(place / run) == outcome(unbroken)


@pytest.mark.slow
def test_the_line_names_the_devices(server: Server, place: Path) -> None:
    """They are not kept, and another placement gives other roundings."""
    placed = ("--devices", "cpu,cpu")
    assert server.run(place, *start("two-whole"), *placed).code == 0
    running = server.start(place, *start("two"), *placed)
    running.until(lambda: max(steps(place / "two"), default=-1) > 7)
    running.send(SIGTERM)
    done = running.wait()
    assert done.err.endswith("go on with: netspec train --resume two --devices cpu,cpu\n")
    go_on(server, place, done, SIGTERM)
    assert outcome(place / "two") == outcome(place / "two-whole")


@pytest.mark.slow
@pytest.mark.parametrize("number", [pytest.param(SIGINT, marks=pytest.mark.soak), SIGTERM])
def test_a_signal_while_the_model_is_written(server: Server, place: Path, unbroken: Path, number: Signals) -> None:
    run = f"writing-{number}"
    running = server.start(place, *start(run))
    assert running.until(lambda: any((place / run).glob(".model.onnx.*.tmp")) or (place / run / "model.onnx").exists())
    running.send(number)
    assert go_on(server, place, running.wait(), number) is None
    assert outcome(place / run) == outcome(unbroken)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(20))
def test_twenty_moments(server: Server, place: Path, unbroken: Path, seed: int) -> None:
    lots = random.Random(seed)
    number, after, pause = lots.choice((SIGINT, SIGTERM, SIGHUP)), lots.randrange(-1, STEPS - 3), lots.uniform(0, 0.05)
    done = stopped(server, place, f"soak-{seed}", number, after, pause)
    if done.code != 0:  # it was quicker
        go_on(server, place, done, number)
    assert outcome(place / f"soak-{seed}") == outcome(unbroken)
