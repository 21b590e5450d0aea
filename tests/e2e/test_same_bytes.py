"""What a run computes does not depend on workers; on parts of a batch and on the placement only by rounding."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from torch import Tensor

from tests.e2e.runs import OFTEN, STEPS, Server, last, outcome, steps

WITHIN = 1e-5  # of weights, after all steps


def train(server: Server, place: Path, run: str, *flags: str) -> Path:
    done = server.run(place, "train", "tiny.yaml", "--data", "data", "--out", run, *OFTEN, *flags)
    assert done.code == 0, done.err
    return place / run


def difference(a: Path, b: Path) -> float:
    """The largest of all weights and momenta at the end."""
    mine, others = last(a), last(b)
    assert mine.step == others.step
    return max(_largest(mine.weights, others.weights), _largest(mine.momentum, others.momentum))


def _largest(a: Mapping[str, Tensor], b: Mapping[str, Tensor]) -> float:
    assert a.keys() == b.keys()
    return max(float((a[name] - b[name]).abs().max()) for name in a)


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, pytest.param(2, marks=pytest.mark.soak), 4])
def test_any_number_of_workers(server: Server, place: Path, unbroken: Path, workers: int) -> None:
    run = train(server, place, f"workers-{workers}", "--workers", str(workers))
    assert outcome(run) == outcome(unbroken)


@pytest.mark.slow
@pytest.mark.parametrize("parts", [pytest.param(3, marks=pytest.mark.soak), 4])
def test_a_batch_in_parts(server: Server, place: Path, unbroken: Path, parts: int) -> None:
    assert 0 < difference(train(server, place, f"parts-{parts}", "--parts", str(parts)), unbroken) < WITHIN


@pytest.mark.slow
@pytest.mark.parametrize(("first", "then"), [("cpu,cpu", "cpu"), ("cpu", "cpu,cpu")])
def test_a_run_goes_on_elsewhere(server: Server, place: Path, unbroken: Path, first: str, then: str) -> None:
    run = place / f"from-{first}"
    arguments = ("train", "tiny.yaml", "--data", "data", "--out", run.name, "--resume", "auto", *OFTEN, "--devices")
    running = server.start(place, *arguments, first)
    assert running.until(lambda: max(steps(run), default=0) > STEPS // 2)
    running.kill()
    assert STEPS // 2 < max(steps(run)) < STEPS
    done = server.run(place, *arguments, then)
    assert done.code == 0, done.err
    assert difference(run, unbroken) < WITHIN


@pytest.mark.slow
def test_a_checkpoint_is_the_same_anywhere(place: Path, unbroken: Path, tmp_path: Path) -> None:
    from tests.e2e.jobs import trainer

    checkpoint = last(unbroken)
    for devices in (("cpu",), ("cpu", "cpu")):
        folder = shutil.copytree(unbroken, tmp_path / "-".join(devices))
        made, job = trainer(place / "tiny.yaml", place / "data", folder, devices)
        made.start(dict)
        weights = job.net.collect(job.net.module.state_dict())
        momentum = job.net.collect(made._step._optimizer.state_tensors())
        for mine, kept in ((weights, checkpoint.weights), (momentum, checkpoint.momentum)):
            assert mine.keys() == kept.keys()
            assert all(torch.equal(mine[name], kept[name]) for name in kept)
