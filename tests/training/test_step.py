"""One step: its sums and gradients beside plain torch, in one wait for the device; what it refuses."""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn.functional import cross_entropy
from torch.utils._python_dispatch import TorchDispatchMode

from netspec_runtime.training.batches import Batch, TrainingBatches
from netspec_runtime.training.job import Job
from netspec_runtime.training.launch import MeshError
from netspec_runtime.training.loop import Trainer
from netspec_runtime.training.optimizer import PaperSGD, parameter_groups
from netspec_runtime.training.pixels import Pixels
from netspec_runtime.training.step import Gradients, Step
from tests.e2e.runs import SPEC
from tests.training.jobs import initial, job

NORMED = SPEC.replace("drop2: {type: dropout, inputs: conv2, rate: 0.3}", "drop2: {type: batchnorm, inputs: conv2}")


class Reads(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch has no types for it
    """Counts how often one number is read from a tensor, for which a GPU is waited for."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch has no types for it
        self.count = 0

    def __torch_dispatch__(
        self, func: Any, types: Sequence[type], args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        self.count += func is torch.ops.aten._local_scalar_dense.default
        return func(*args, **(kwargs or {}))


def parts_of(made: Job, parts: int = 1) -> tuple[Step, Batch]:
    """A step with the first weights, and the first batch."""
    made.net.module.load_state_dict(made.net.distribute(initial()), strict=False)
    optimizer = PaperSGD(parameter_groups(made.recipe.rules, made.net.parameters(), made.net.canonical), 0.9)
    pixels = Pixels(made.pictures, made.data.statistics, made.net.device)
    train, seed = made.data.splits["train"], made.recipe.seed
    batches = TrainingBatches(train, made.data.statistics, made.pictures, made.batch, seed, 0, slice(0, made.batch))
    return Step(made.net, made.world, optimizer, pixels, parts=parts), batches.batch(0)


def run(step: Step, batch: Batch, made: Job) -> Gradients:
    return step.gradients(batch, made.batch, 1)


@pytest.mark.parametrize("devices", ["cpu", "cpu,cpu"])
@pytest.mark.parametrize("parts", [1, 3])
def test_a_step_gives_the_sums_and_gradients_of_plain_torch(tmp_path: Path, devices: str, parts: int) -> None:
    made = job(tmp_path, devices=devices)
    step, batch = parts_of(made, parts)
    found = run(step, batch, made)
    gradients = {name: gradient.clone() for name, gradient in step.all_gradients.items()}
    made.net.module.zero_grad()
    made.net.draw(1, 0)
    scores = made.net.logits(Pixels(made.pictures, made.data.statistics, made.net.device)(batch.images, batch.noise))
    assert scores is not None
    torch.autograd.backward(cross_entropy(scores, batch.labels))
    order = scores.detach().argsort(dim=1, descending=True, stable=True)
    place = (order == batch.labels[:, None]).int().argmax(dim=1)
    assert found.finite
    assert (found.tally.count, found.tally.top1) == (8, int((place > 0).sum()))
    assert found.tally.top5 == int((place > 4).sum())
    loss = float(cross_entropy(scores.detach(), batch.labels, reduction="sum"))
    assert found.tally.loss == pytest.approx(loss, rel=1e-6)
    for name, gradient in step.all_gradients.items():
        torch.testing.assert_close(gradients[name], gradient, rtol=1e-4, atol=1e-6)


def test_a_step_waits_for_the_device_once(tmp_path: Path) -> None:
    """`tolist` on a CPU is not seen here; one number at a time is what it replaces."""
    made = job(tmp_path)
    step, batch = parts_of(made, 2)
    with Reads() as reads:
        float(torch.ones(1))
        assert reads.count == 1  # or this test could not fail
        run(step, batch, made)
        step.update(0.01, 0.01)
    assert reads.count == 1


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_what_is_not_finite_is_seen(tmp_path: Path, bad: float) -> None:
    made = job(tmp_path)
    step, batch = parts_of(made)
    with torch.no_grad():
        next(iter(made.net.parameters().values()))[0] = bad
    found = run(step, batch, made)
    assert not found.finite
    assert not found.tally.finite
    assert found.tally.top1 > 0


def test_a_label_without_a_finite_score_is_among_no_first_five(tmp_path: Path) -> None:
    """As in a test (`score.tally`), also of a net that has fewer classes."""
    made = job(tmp_path)
    step, batch = parts_of(made)
    with torch.no_grad():
        for parameter in made.net.parameters().values():
            parameter.fill_(math.nan)
    assert run(step, batch, made).tally.top5 == 8


def test_batch_normalisation_takes_no_parts(tmp_path: Path) -> None:
    with pytest.raises(MeshError, match=r"--parts 2: batch normalisation \(drop2\) .* train without --parts"):
        Trainer(job(tmp_path, text=NORMED, parts=2))
    Trainer(job(tmp_path, text=NORMED))


@pytest.mark.parametrize("workers", [1, 3])
def test_tensors_are_made_ready_by_the_threads_of_the_loader(tmp_path: Path, workers: int) -> None:
    made = job(tmp_path)
    train, statistics = made.data.splits["train"], made.data.statistics
    batches = TrainingBatches(train, statistics, made.pictures, made.batch, 1, workers, slice(0, made.batch))
    threads: set[str] = set()

    def pinned(tensor: torch.Tensor) -> torch.Tensor:
        threads.add(threading.current_thread().name)
        copy = tensor.clone()
        ready.append(copy.data_ptr())
        copies.append(copy)
        return copy

    ready: list[int] = []
    copies: list[torch.Tensor] = []
    with closing(batches.start(0, pinned)) as iterator:
        batch = next(iterator)
    assert batch.noise is not None
    assert {t.data_ptr() for t in (batch.images, batch.labels, batch.noise)} <= set(ready)
    assert threads
    assert all(name.startswith("netspec-input") for name in threads)
