"""Stops at moments that a signal from outside meets rarely, made to happen in this process."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from netspec_runtime.errors import DataError
from netspec_runtime.training.checkpoint import Checkpoints
from netspec_runtime.training.loop import Nobody, Trainer
from netspec_runtime.training.metrics import RATE, EventRecord, Record
from netspec_runtime.training.position import Position
from netspec_runtime.training.progress import Silent
from netspec_runtime.training.reporter import Reporter
from netspec_runtime.training.run import RunFolder
from tests.e2e.jobs import initial, trainer
from tests.e2e.runs import PER_EPOCH, last, metrics

pytestmark = pytest.mark.slow


class Told(Reporter):
    """Writes what it is told, and dies at the first record of an event, after it is written."""

    def __init__(self, folder: Path, position: Position, dies_at: str = "") -> None:
        super().__init__(RunFolder(folder, "tiny"), position, Silent())
        self.tests, self._dies_at = 0, dies_at

    def testing(self, done: int, images: int) -> None:
        self.tests += 1

    def record(self, record: Record) -> None:
        super().record(record)
        if isinstance(record, EventRecord) and record.event == self._dies_at:
            raise KeyboardInterrupt


def started(place: Path, folder: Path) -> Trainer:
    made, _ = trainer(place / "tiny.yaml", place / "data", folder)
    made.start(lambda: initial(place / "tiny.yaml"))
    return made


def test_a_test_is_stopped_in_the_middle(place: Path, unbroken: Path, tmp_path: Path) -> None:
    """It may take minutes: the stop is saved at once, and the test is made again; so after a kill there."""
    run = tmp_path / "run"
    made = started(place, run)
    with Told(run, made.position) as told:
        assert not made.run(told, lambda: told.tests > 2 * 4 + 1)  # 4 passes of 8 pictures: in the third epoch's test
    assert last(run).step == 3 * PER_EPOCH
    assert last(run).state["position"]["tested"] == 2
    made = started(place, run)
    with pytest.raises(KeyboardInterrupt), Told(run, made.position, RATE) as told:
        made.run(told, lambda: False)
    made = started(place, run)
    assert made.position.tested == 2
    with Told(run, made.position) as told:
        assert made.run(told, lambda: False)
    assert metrics(run) == metrics(unbroken)
    assert all(torch.equal(last(run).weights[name], tensor) for name, tensor in last(unbroken).weights.items())


def test_killed_before_the_first_step(place: Path, tmp_path: Path) -> None:
    """The run knows already what it is of."""
    started(place, tmp_path / "run")
    other, _ = trainer(place / "tiny.yaml", place / "data", tmp_path / "run", changes=("seed=3",))
    with pytest.raises(DataError, match="its checkpoints were made with another spec"):
        other.start(dict)


@pytest.mark.parametrize("key", ["watch", "position", "identity"])
def test_a_checkpoint_of_another_version(place: Path, tmp_path: Path, key: str) -> None:
    """Whole, but of a netspec that kept something else."""
    started(place, tmp_path / "run")
    known = last(tmp_path / "run")
    state = {name: value for name, value in known.state.items() if name != key}
    Checkpoints(tmp_path / "run" / "checkpoints").save(replace(known, step=1, state=state))
    other, _ = trainer(place / "tiny.yaml", place / "data", tmp_path / "run")
    with pytest.raises(DataError, match=f"of another version of netspec: they have no '{key}'; resume with"):
        other.start(dict)


def test_a_checkpoint_of_a_later_version(place: Path, tmp_path: Path) -> None:
    """Whole, but it says what this netspec does not know."""
    started(place, tmp_path / "run")
    known = last(tmp_path / "run")
    state = {**known.state, "position": {**known.state["position"], "mood": 1}}
    Checkpoints(tmp_path / "run" / "checkpoints").save(replace(known, step=1, state=state))
    other, _ = trainer(place / "tiny.yaml", place / "data", tmp_path / "run")
    with pytest.raises(DataError, match=r"of another version of netspec: .*'mood'; resume with"):
        other.start(dict)


def test_stopped_before_the_first_step(place: Path, tmp_path: Path) -> None:
    made = started(place, tmp_path / "run")
    assert not made.run(Nobody(), lambda: True)
    assert last(tmp_path / "run").step == 0
    first = initial(place / "tiny.yaml")
    assert all(torch.equal(tensor, first[name]) for name, tensor in last(tmp_path / "run").weights.items())
