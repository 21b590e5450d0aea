"""Disks that are full or read-only: exit code 4, one line, and the last checkpoint is there to go on from."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from netspec_runtime.training.checkpoint import Checkpoints
from tests.e2e.runs import OFTEN, Server, outcome, steps

PAGE = 4096
LINE = re.compile(r"^netspec: \S+: .*\b[\d,]+ (more bytes|bytes more)\b.*; free some space")


def mount(folder: Path, options: str) -> None:
    """A file system in memory. Skips where this user may mount none."""
    command = ("mount", "-t", "tmpfs", "-o", options, "none", str(folder))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"mounting a small file system needs root: {done.stderr.strip()}")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount(disk, "size=1m")
    yield disk
    subprocess.run(("umount", str(disk)), check=True)


def leave(disk: Path, pages: int) -> None:
    """Fill the disk up but for so many pages."""
    ballast = disk / "ballast"
    ballast.unlink(missing_ok=True)
    status = os.statvfs(disk)
    ballast.write_bytes(bytes(status.f_bavail * status.f_frsize - pages * PAGE))


def fill_again_and_again(server: Server, place: Path, disk: Path, rooms: range) -> list[str]:
    """Start or resume a run with more and more room, until it ends; the file that each could not write."""
    run, refused = disk / "run", list[str]()
    for room in rooms:
        leave(disk, room)
        before = steps(run)
        done = server.run(place, "train", "tiny.yaml", "--data", "data", "--out", run, "--resume", "auto", *OFTEN)
        if done.code == 0:
            return refused
        assert done.code == 4, done.err
        line = done.err.splitlines()[-1]
        assert LINE.match(line), line
        refused.append(line.split(":")[1].removeprefix(f" {run}/"))
        assert not list(run.rglob("*.tmp"))
        if before:
            assert max(steps(run)) >= max(before)
            found, damaged = Checkpoints(run / "checkpoints").latest()
            assert found is not None
            assert damaged == []
    raise AssertionError("it never had room")


@pytest.mark.slow
def test_a_full_disk_at_writes(server: Server, place: Path, unbroken: Path, small_disk: Path) -> None:
    refused = fill_again_and_again(server, place, small_disk, range(1, 100, 9))
    assert len(set(refused)) >= 3, refused
    assert any(name.startswith("checkpoints/") for name in refused)
    assert outcome(small_disk / "run") == outcome(unbroken)


@pytest.mark.soak
def test_a_full_disk_at_each_write(server: Server, place: Path, unbroken: Path, small_disk: Path) -> None:
    refused = fill_again_and_again(server, place, small_disk, range(100))
    assert len(set(refused)) >= 6, refused
    assert outcome(small_disk / "run") == outcome(unbroken)


@pytest.mark.soak
@pytest.mark.parametrize("room", range(1, 24))
def test_a_disk_that_fills_up_in_the_middle(
    server: Server, place: Path, unbroken: Path, small_disk: Path, room: int
) -> None:
    """Stopped after its first steps, then resumed with so much room, then with enough."""
    run = small_disk / "run"
    arguments = ("train", "tiny.yaml", "--data", "data", "--out", run, "--resume", "auto", *OFTEN)
    running = server.start(place, *arguments)
    running.until(lambda: max(steps(run), default=0) >= 12)
    running.kill()
    leave(small_disk, room)
    done = server.run(place, *arguments)
    assert done.code in (0, 4), done.err
    (small_disk / "ballast").unlink()
    assert server.run(place, *arguments).code == 0
    assert outcome(run) == outcome(unbroken)


@pytest.mark.slow
@pytest.mark.parametrize(
    "limit", [pytest.param(300, marks=pytest.mark.soak), 1_300, pytest.param(6_000, marks=pytest.mark.soak)]
)
def test_files_that_may_not_grow(server: Server, place: Path, tmp_path: Path, unbroken: Path, limit: int) -> None:
    """A quota: no file may have more bytes than this, from the middle of a run on."""
    run = tmp_path / "run"
    arguments = ("train", "tiny.yaml", "--data", "data", "--out", run, "--resume", "auto", *OFTEN)
    running = server.start(place, *arguments)
    running.until(lambda: max(steps(run), default=0) >= 6)
    running.kill()
    done = server.run(place, *arguments, limit=limit)
    assert done.code == 4, done.err
    assert "File too large" in done.err
    assert server.run(place, *arguments).code == 0
    assert outcome(run) == outcome(unbroken)


@pytest.mark.slow
def test_a_read_only_disk(server: Server, place: Path, small_disk: Path) -> None:
    first = server.start(place, "train", "tiny.yaml", "--data", "data", "--out", small_disk / "run", *OFTEN)
    first.until(lambda: max(steps(small_disk / "run"), default=0) >= 6)
    first.kill()
    subprocess.run(("mount", "-o", "remount,ro", str(small_disk)), check=True)
    common = ("train", "tiny.yaml", "--data", "data")
    for where in (("--out", "new"), ("--runs", "."), ("--runs", "deep/er"), ("--resume", "run")):
        done = server.run(place, *common, where[0], small_disk / where[1])
        assert done.code == 4, done.err
        assert "Read-only file system" in done.err
        assert done.err.count("\n") == 1
