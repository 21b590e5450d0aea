"""Numbers that are not finite end a run with exit code 5, name step and pictures, and are never saved."""

from __future__ import annotations

import random
import re
import shutil
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from netspec_runtime.training.batches import TrainingBatches
from netspec_runtime.training.checkpoint import Checkpoints, read_best
from netspec_runtime.training.loop import Nobody
from netspec_runtime.training.watch import Diverged
from tests.e2e.jobs import initial, trainer
from tests.e2e.runs import OFTEN, STEPS, Server, last

pytestmark = pytest.mark.slow

LINE = re.compile(
    r"^netspec: step (\d+): .+ not finite( on training pictures (?:\d+, ){7}\d+)?; the last good checkpoint is "
    r"\S+step-(\d+)\.json; try a lower rate"
)


def assert_all_finite(run: Path) -> None:
    found = list((run / "checkpoints").glob("step-*.json"))
    assert found
    for note in found:
        checkpoint, damaged = Checkpoints(run / "checkpoints").latest()
        assert checkpoint is not None
        assert damaged == []
        for tensors in (checkpoint.weights, checkpoint.momentum):
            assert all(tensor.isfinite().all() for tensor in tensors.values())
        note.unlink()
    if (run / "best.safetensors").exists():
        assert all(tensor.isfinite().all() for tensor in read_best(run)[0].values())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "what", "flags"),
    [
        ("train.lr=1e6", "", ()),
        ("train.lr=1e200", "conv1.weight is not finite", ("--save-every", "1")),  # before any loss is
        ("train.lr=1e30", "the loss in the test", ("--set", "train.batch=100")),  # a step is an epoch
    ],
)
def test_a_run_that_diverges(
    server: Server, place: Path, tmp_path: Path, change: str, what: str, flags: tuple[str, ...]
) -> None:
    run = tmp_path / "run"
    done = server.run(place, "train", "tiny.yaml", "--data", "data", "--out", run, "--set", change, *OFTEN, *flags)
    assert done.code == 5, done.err
    line = done.err.splitlines()[-1]
    match = LINE.match(line)
    assert match, done.err
    assert what in line
    assert bool(match[2]) == ("in the test" not in line)
    assert int(match[3]) <= int(match[1])
    assert not (run / "model.onnx").exists()
    assert_all_finite(run)


class Poison:
    """Makes numbers NaN in one step: in a gradient, or in what a layer computes."""

    def __init__(self, module: nn.Module, where: str, step: int) -> None:
        self._left = step
        if where == "gradient":
            next(module.parameters()).register_hook(self._gradient)  # type: ignore[no-untyped-call]  # torch's
        else:
            next(module.children()).register_forward_hook(self._forward)

    def _gradient(self, gradient: Tensor) -> Tensor:
        return self._spoilt(gradient)

    def _forward(self, module: nn.Module, inputs: object, out: Tensor) -> Tensor:
        return self._spoilt(out) if module.training else out

    def _spoilt(self, tensor: Tensor) -> Tensor:
        self._left -= 1
        if self._left >= 0:
            return tensor
        spoilt = tensor.clone()
        spoilt[0] = torch.nan
        return spoilt


def poisoned(place: Path, folder: Path, where: str, step: int) -> None:
    """A run that stops at a step, and goes on from its last checkpoint when the cause is gone."""
    made, job = trainer(place / "tiny.yaml", place / "data", folder)
    made.start(lambda: initial(place / "tiny.yaml"))
    Poison(job.net.module, where, step)
    with pytest.raises(Diverged) as caught:
        made.run(Nobody(), lambda: False)
    batches = TrainingBatches(
        job.data.splits["train"], job.data.statistics, job.pictures, job.batch, job.recipe.seed, 0, slice(None)
    )
    assert caught.value.step == step + 1  # as people count, and as all that a run says of its steps
    assert list(caught.value.ids) == batches.batch(step).ids.tolist()
    assert last(folder).step == max(step // 3 * 3, step // 12 * 12)
    assert caught.value.checkpoint is not None
    assert f"step-{last(folder).step:08d}.json" in caught.value.checkpoint
    assert_all_finite(shutil.copytree(folder, folder.with_name("copy")))
    again, _ = trainer(place / "tiny.yaml", place / "data", folder)
    again.start(dict)
    assert again.run(Nobody(), lambda: False)


@pytest.mark.parametrize(("where", "step"), [("gradient", 0), ("gradient", 17), ("forward", 24), ("forward", 47)])
def test_a_number_that_is_none(place: Path, unbroken: Path, tmp_path: Path, where: str, step: int) -> None:
    poisoned(place, tmp_path / "run", where, step)
    assert last(tmp_path / "run").weights.keys() == last(unbroken).weights.keys()
    assert all(torch.equal(last(tmp_path / "run").weights[k], v) for k, v in last(unbroken).weights.items())


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(20))
def test_twenty_such_steps(place: Path, unbroken: Path, tmp_path: Path, seed: int) -> None:
    lots = random.Random(seed)
    poisoned(place, tmp_path / "run", lots.choice(("gradient", "forward")), lots.randrange(STEPS))
    assert all(torch.equal(last(tmp_path / "run").weights[k], v) for k, v in last(unbroken).weights.items())
