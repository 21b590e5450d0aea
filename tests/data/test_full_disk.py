"""Disks that are full, before the start and in the middle: one line that says what lacks, and nothing lost."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import shutil
import stat
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest

from netspec_runtime.data.check import check_prepared
from netspec_runtime.data.splitfile import SplitFile
from netspec_runtime.errors import DataError
from tests.data.raw import write_folder
from tests.data.test_prepare import contents, run

_Usage = namedtuple("_Usage", "total used free")  # noqa: PYI024 - as shutil has it
COMMAND = "from netspec.cli import main; main()"
LIMITED = (
    """
import resource, sys
sys.dont_write_bytecode = True  # Python would leave .pyc files cut off at the limit
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv.pop(1)),) * 2)
"""
    + COMMAND
)


def test_too_little_room_is_said_before_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write_folder(tmp_path / "raw", {"a": 10})
    monkeypatch.setattr(shutil, "disk_usage", lambda path: _Usage(10_000, 9_000, 1_000))
    needed = 10 * 16 * 16 * 3 + 10 * 8 + 2 * 128
    with pytest.raises(DataError, match=f"No space left on device: {needed - 1000:,} more bytes are needed"):
        run(root, tmp_path / "out")
    monkeypatch.undo()
    run(root, tmp_path / "out")


@pytest.mark.slow
@pytest.mark.parametrize("limit", [100, 5_000, 20_000, 40_000, 61_000])
def test_full_in_the_middle(tmp_path: Path, limit: int) -> None:
    """The largest file has 128 + 80 * 768 = 61,568 bytes."""
    root = write_folder(tmp_path / "raw", {"a": 80})
    arguments = ["prepare", str(root), "-o", str(tmp_path / "out"), "--size", "16"]
    command = [sys.executable, "-c", LIMITED, str(limit), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 4, done.stderr
    (line,) = done.stderr.splitlines()
    found = re.search(
        r": File too large: ([\d,]+) more bytes are needed; free some space and try again, or choose another folder$",
        line,
    )
    assert found, line
    assert 0 < int(found.group(1).replace(",", "")) <= 61_568
    assert subprocess.run([sys.executable, "-c", COMMAND, *arguments], capture_output=True, check=False).returncode == 0
    run(root, tmp_path / "unbroken")
    assert contents(tmp_path / "out") == contents(tmp_path / "unbroken")


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP])
def test_file_systems_without_locks_and_syncs_of_folders(
    tmp_path: Path, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As some that are mounted over a network."""
    sync = os.fsync

    def sync_files(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(number, os.strerror(number))
        sync(descriptor)

    def no_lock(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    root = write_folder(tmp_path / "raw", {"a": 10})
    monkeypatch.setattr(os, "fsync", sync_files)
    monkeypatch.setattr(fcntl, "flock", no_lock)
    assert len(check_prepared(run(root, tmp_path / "out").path).splits["train"]) == 10


def test_a_disk_that_cannot_be_written_is_no_bug(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not full: broken."""

    def broken(self: SplitFile, content: memoryview) -> None:
        os.dup2(os.open(os.devnull, os.O_RDONLY), self._file.fileno())
        wrote(self, content)

    wrote = SplitFile._write
    monkeypatch.setattr(SplitFile, "_write", broken)
    root = write_folder(tmp_path / "raw", {"a": 10})
    with pytest.raises(DataError, match=r"train-images\.npy: cannot write: Bad file descriptor"):
        run(root, tmp_path / "out")
