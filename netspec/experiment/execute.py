"""Runs of an experiment as `netspec train` processes, some side by side. It measures and compares nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from netspec.experiment.outcome import PROOF
from netspec_runtime.errors import OneLineError
from netspec_runtime.files import disk_errors
from netspec_runtime.run_marks import CHECKPOINTS

LOG: Final = "train.log"  # in a run's folder: what its process says when several run at once
_POLL: Final = 0.1  # seconds
DIVERGED_CODE: Final = 5  # exit code of a training run that cannot go on
_UNPROVEN: Final = 1  # of one whose model.onnx does not compute what was trained, and of one whose spec is wrong


class TrainingFailed(OneLineError):  # noqa: N818 - it names what happened
    """A run's process failed; what it said is in its log or was seen. Its exit code is that of the process."""

    def __init__(self, where: str, reason: str, fix: str, exit_code: int) -> None:
        super().__init__(where, reason, fix)
        self.exit_code = exit_code  # type: ignore[misc]  # each process has its own


@dataclass(frozen=True)
class Task:
    """A run to start or to go on with, in its folder."""

    label: str
    folder: Path
    until: float | None


class Listener(Protocol):
    """Who is told how it goes."""

    def began(self, task: Task) -> None:
        """A run starts, or goes on."""

    def running(self, tasks: list[Task]) -> None:
        """These run now; told several times a second."""

    def ended(self, task: Task, code: int) -> None:
        """A run's process ended with this exit code."""


@dataclass(frozen=True)
class Placement:
    """``jobs`` runs at once, which take ``devices`` in turns; ``threads`` of the processor and loaders each."""

    jobs: int
    devices: tuple[str, ...]
    threads: int
    workers: int

    @classmethod
    def of(cls, jobs: int, devices: tuple[str, ...]) -> Placement:
        """With the processor's threads divided among the jobs."""
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return cls(jobs, devices, max(1, cores // jobs), 1 if jobs > 1 else 2)


@dataclass(frozen=True)
class _Child:
    task: Task
    slot: int
    process: subprocess.Popen[bytes]


def execute(
    tasks: tuple[Task, ...],
    data: Path,
    placement: Placement,
    wanted: Callable[[], bool],
    listener: Listener,
) -> None:
    """Run all tasks, or fewer if it is ``wanted`` to stop before: then those that run save and end.

    Raises TrainingFailed after one that is no result, and DataError where the disk refuses; the others save and end
    too.
    """
    waiting, children = list(tasks), list[_Child]()
    with _ending(children):
        while waiting or children:
            if wanted():
                return
            slots = sorted(set(range(placement.jobs)) - {child.slot for child in children})
            for slot, task in zip(slots, waiting[:], strict=False):
                waiting.remove(task)
                listener.began(task)
                children.append(_Child(task, slot, _start(task, data, placement, slot)))
            time.sleep(_POLL)
            listener.running([child.task for child in children])
            for child in [child for child in children if child.process.poll() is not None]:
                children.remove(child)
                listener.ended(child.task, child.process.returncode)
                _require_result(child, placement, wanted)


def _start(task: Task, data: Path, placement: Placement, slot: int) -> subprocess.Popen[bytes]:
    device = placement.devices[slot % len(placement.devices)]
    command = [sys.executable, "-m", "netspec", "train", "--resume", str(task.folder), "--data", str(data)]
    command += ["--devices", device, "--workers", str(placement.workers)]
    command += [] if task.until is None else ["--until-error", repr(task.until)]
    environment = {"OMP_NUM_THREADS": str(placement.threads), **os.environ}
    if placement.jobs == 1:
        return subprocess.Popen(command, env=environment, stdout=2)  # noqa: S603 - our own; stdout is for the table
    log_file = task.folder / LOG
    with disk_errors(log_file, 0):
        log = log_file.open("ab")
    with log:
        return subprocess.Popen(command, env=environment, stdout=log, stderr=log)  # noqa: S603 - our own


def _require_result(child: _Child, placement: Placement, wanted: Callable[[], bool]) -> None:
    """A run that diverged is a result, and so is one that someone stopped; any other failure is not."""
    code = child.process.returncode
    judged = code == _UNPROVEN and (child.task.folder / PROOF).is_file()  # its errors count all the same
    if code in (0, DIVERGED_CODE) or judged or wanted():
        return
    log = child.task.folder / LOG
    reason = f"its process ended with {code}" if code > 0 else f"its process was killed by signal {-code}"
    said = f": {_last_line(log)}" if placement.jobs > 1 else ""
    saved = any((child.task.folder / CHECKPOINTS).glob("*"))
    fix = "the same command goes on from what was saved" if saved else "mend that, and give the same command again"
    raise TrainingFailed(child.task.label, f"{reason}{said}", fix, code if code > 0 else 128 - code)


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.is_file() else []
    return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")


@contextmanager
def _ending(children: list[_Child]) -> Iterator[None]:
    """Whatever happens, no process stays behind: each finishes its step, saves and ends."""
    try:
        yield
    finally:
        for child in children:
            child.process.send_signal(signal.SIGTERM)
        for child in children:
            child.process.wait()
