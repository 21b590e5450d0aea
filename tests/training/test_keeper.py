"""What is not finite is saved by no process, and each of them says so. Files: test_checkpoint.py."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from netspec_runtime.training.keeper import Keeper
from netspec_runtime.training.loop import Trainer
from netspec_runtime.training.optimizer import PaperSGD
from netspec_runtime.training.watch import Diverged
from netspec_runtime.training.world import Alone
from tests.e2e.runs import SPEC
from tests.training.jobs import Half, Meeting, both, initial, job


class Process(Alone):
    """One of two."""

    size = 2

    def __init__(self, rank: int) -> None:
        self.rank = rank


def started(place: Path, rank: int, text: str = SPEC) -> tuple[Trainer, Keeper, PaperSGD]:
    trainer = Trainer(job(place, text=text, world=Process(rank)))
    trainer.start(initial)
    return trainer, trainer._keeper, trainer._keeper._optimizer


@pytest.mark.parametrize("rank", [0, 1])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_momentum_that_is_not_finite_ends_every_process(tmp_path: Path, rank: int, value: float) -> None:
    trainer, keeper, optimizer = started(tmp_path, rank, SPEC.replace("std: [64, 64, 64], ", ""))
    keeper.pictures = (3, 5)
    optimizer.state_tensors()["conv2.weight"][1, 0, 2, 2] = value
    with pytest.raises(Diverged) as caught:
        keeper.save(trainer.position)
    assert caught.value.reason == "the momentum of conv2.weight is not finite on training pictures 3, 5"
    assert "data.std" in caught.value.fix  # which this net has not
    assert {path.stem for path in tmp_path.glob("run/checkpoints/*")} == ({"step-00000000"} if rank == 0 else set())


def test_every_process_names_the_last_checkpoint(tmp_path: Path) -> None:
    """The first one on each machine tells of a divergence."""
    meeting = Meeting()
    trainers = [Trainer(job(tmp_path, world=Half(rank, meeting))) for rank in (0, 1)]
    both(*(lambda t=t: t.start(initial) for t in trainers))
    found = [trainer._keeper.diverged(1, "the loss is not finite").checkpoint for trainer in trainers]
    assert found == [str(tmp_path / "run" / "checkpoints" / "step-00000000.json")] * 2


@pytest.mark.parametrize("rank", [0, 1])
def test_a_weight_that_is_not_finite_ends_every_process(tmp_path: Path, rank: int) -> None:
    trainer, keeper, _ = started(tmp_path, rank)
    with torch.no_grad():
        trainer._job.net.parameters()["fc3.bias"][2] = torch.nan
    with pytest.raises(Diverged, match=r"step 0: fc3\.bias is not finite"):
        keeper.save(trainer.position)
    with pytest.raises(Diverged, match=r"step 0: fc3\.bias is not finite"):
        keeper.keep_best(0, 1, 0.5)
    assert not (tmp_path / "run" / "best.safetensors").exists()
