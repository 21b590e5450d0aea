"""Disks that refuse what an experiment writes beside its runs: said as by any command, not as the output's fault."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from netspec.experiment.execute import LOG, Placement, Task, execute
from netspec.experiment.outcome import DIVERGED, mark_diverged
from netspec_runtime.errors import DataError
from tests.training.faults import failing


class Nobody:
    """Is told and does nothing."""

    def began(self, task: Task) -> None:
        return

    def running(self, tasks: list[Task]) -> None:
        return

    def ended(self, task: Task, code: int) -> None:
        return


def test_a_full_disk_takes_no_mark_of_a_run_that_diverged(tmp_path: Path) -> None:
    with failing(0, errno.ENOSPC), pytest.raises(DataError, match="No space left on device"):
        mark_diverged(tmp_path)
    assert not any(tmp_path.iterdir())
    mark_diverged(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == [DIVERGED]


def test_a_log_that_cannot_be_opened(tmp_path: Path) -> None:
    (tmp_path / LOG).mkdir()
    task = Task("a run", tmp_path, None)
    with pytest.raises(DataError, match=f"{LOG}: cannot write: Is a directory"):
        execute((task,), tmp_path, Placement(2, ("cpu",), 1, 1), lambda: False, Nobody())
