"""Where a run starts: the first process decides, and only it tidies up. Whole runs: test_mesh_runs.py."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from torch import Tensor

from netspec_runtime.errors import DataError
from netspec_runtime.training.loop import Nobody, Trainer
from tests.training.jobs import Half, Meeting, both, initial, job


def test_a_process_that_comes_late_begins_where_the_first_one_began(tmp_path: Path) -> None:
    meeting = Meeting()
    first, second = (Trainer(job(tmp_path, world=Half(rank, meeting))) for rank in (0, 1))
    saved = tmp_path / "run" / "checkpoints" / "step-00000000.json"
    weights = initial()
    taken: list[dict[str, Tensor]] = []

    def begin() -> dict[str, Tensor]:
        taken.append(weights)
        return weights

    def take_part() -> tuple[str, ...]:
        end = time.monotonic() + 60
        while not saved.exists() and time.monotonic() < end:
            time.sleep(0.005)
        return second.start(begin)

    assert both(lambda: first.start(lambda: weights), take_part) == ((), ())
    assert len(taken) == 1  # it has restored nothing, and so waits where the first one does
    assert first.position == second.position


def test_all_go_on_from_the_step_that_the_first_one_found(tmp_path: Path) -> None:
    Trainer(before := job(tmp_path)).start(initial)
    trainer = Trainer(before)
    trainer.start(initial)
    stops = iter([False, False, True])
    assert not trainer.run(Nobody(), lambda: next(stops))
    meeting = Meeting()
    both_trainers = [Trainer(job(tmp_path, world=Half(rank, meeting))) for rank in (0, 1)]
    both(*(lambda t=t: t.start(initial) for t in both_trainers))
    assert [t.position.step for t in both_trainers] == [2, 2]


def test_a_process_without_the_checkpoint_says_so(tmp_path: Path) -> None:
    Trainer(job(tmp_path)).start(initial)
    meeting = Meeting()
    first = Trainer(job(tmp_path, world=Half(0, meeting)))
    second = Trainer(job(tmp_path, run="elsewhere", world=Half(1, meeting)))
    with pytest.raises(DataError, match=r"step-00000000\.json.*; give all processes the same folder"):
        both(lambda: first.start(initial), lambda: second.start(initial))


def test_only_the_first_process_removes_what_a_killed_one_left(tmp_path: Path) -> None:
    """Who comes while another process trains into the run has not got its lock, and is refused after this."""
    meeting = Meeting()
    folder = tmp_path / "run" / "checkpoints"
    folder.mkdir(parents=True)
    being_written = folder / ".step-00000003.safetensors.77.tmp"
    being_written.touch()
    first, second = (Trainer(job(tmp_path, world=Half(rank, meeting))) for rank in (0, 1))
    assert being_written.exists()
    both(lambda: first.start(initial), lambda: second.start(initial))
    assert not being_written.exists()
