"""Files are there whole or not at all: at every fault, on full disks, after kills; locks. It knows no formats."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from netspec_runtime.errors import DataError
from netspec_runtime.files import lock, remove_stale, sync_folder, write_file
from tests.training.faults import failing, refusal

PAGE = 4096


def test_what_is_written_is_there_with_its_digest(tmp_path: Path) -> None:
    path = tmp_path / "file"
    digest = write_file(path, [b"one", memoryview(b"two"), b""])
    assert path.read_bytes() == b"onetwo"
    assert digest == hashlib.sha256(b"onetwo").hexdigest()
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EDQUOT])
def test_every_fault_leaves_the_old_file_or_the_new_one(tmp_path: Path, number: int) -> None:
    path, failed = tmp_path / "file", []
    for at in range(20):
        path.write_bytes(b"old")
        with failing(at, number) as fault:
            error = refusal(partial(write_file, path, [b"new", b"er"]))
        if error is None:
            break
        assert error.exit_code == 4
        assert os.strerror(number) in str(error)
        assert ("more bytes are needed" in str(error)) == (number != errno.EIO)
        failed.append(fault.failed)
        renamed = failed.count("replace") and fault.failed != "replace"
        assert path.read_bytes() == (b"newer" if renamed else b"old")
        assert [p.name for p in tmp_path.iterdir()] == ["file"]
    assert failed == ["open", "write", "write", "fsync", "replace", "open", "fsync"]


def test_a_full_disk_says_how_many_bytes_are_missing(small_disk: Path) -> None:
    (small_disk / "old").write_bytes(b"old")
    status = os.statvfs(small_disk)
    free = status.f_bavail * status.f_frsize
    with pytest.raises(DataError, match=f"device: {5 * PAGE:,} more bytes are needed"):
        write_file(small_disk / "old", [b"x" * (free + 5 * PAGE)])
    assert [p.name for p in small_disk.iterdir()] == ["old"]
    assert (small_disk / "old").read_bytes() == b"old"
    write_file(small_disk / "old", [b"x" * free])  # what was begun takes no room


def test_a_limit_on_the_size_of_files_is_a_full_disk_too(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"old")
    script = (
        "import resource, sys, pathlib\n"
        "from netspec_runtime.files import write_file\n"
        "sys.dont_write_bytecode = True\n"  # Python would leave .pyc files cut off at the limit
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "write_file(pathlib.Path(sys.argv[1]), [bytes(700), bytes(700)])\n"
    )
    command = (sys.executable, "-c", script, str(tmp_path / "file"))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "400 more bytes are needed" in done.stderr
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("file", b"old")]


def test_a_missing_folder_is_no_bug(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot write: No such file or directory"):
        write_file(tmp_path / "none" / "file", [b""])


def test_stale_files_go_and_no_others(tmp_path: Path) -> None:
    for name in (".a.json.123.tmp", "a.json", ".hidden", "a.tmp", ".lock"):
        (tmp_path / name).touch()
    remove_stale(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == [".hidden", ".lock", "a.json", "a.tmp"]


def test_stale_files_of_others_stay_where_names_are_given(tmp_path: Path) -> None:
    for name in (".a.json.123.tmp", ".thesis.123.tmp"):
        (tmp_path / name).touch()
    remove_stale(tmp_path, {"a.json", "b.json"})
    assert [p.name for p in tmp_path.iterdir()] == [".thesis.123.tmp"]


def test_a_link_in_place_of_the_temporary_file_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"other")
    (tmp_path / f".file.{os.getpid()}.tmp").symlink_to(tmp_path / "other")
    write_file(tmp_path / "file", [b"new"])
    assert (tmp_path / "other").read_bytes() == b"other"
    assert (tmp_path / "file").read_bytes() == b"new"


def fails(number: int) -> Callable[..., None]:
    def call(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    return call


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP])
def test_a_folder_that_cannot_be_synced_is_no_error(
    tmp_path: Path, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", fails(number))
    sync_folder(tmp_path)
    monkeypatch.setattr(os, "fsync", fails(errno.EIO))
    with pytest.raises(OSError, match="Input/output"):
        sync_folder(tmp_path)


def test_one_holds_a_lock(tmp_path: Path) -> None:
    first, second = os.open(tmp_path, os.O_RDONLY), os.open(tmp_path, os.O_RDONLY)
    assert lock(first, wait=False)
    assert not lock(second, wait=False)
    os.close(first)
    assert lock(second, wait=True)
    os.close(second)


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOTSUP, errno.EBADF])
def test_where_there_are_no_locks_nobody_is_held_off(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fcntl, "flock", fails(number))
    assert lock(0, wait=False)
    monkeypatch.setattr(fcntl, "flock", fails(errno.EIO))
    with pytest.raises(OSError, match="Input/output"):
        lock(0, wait=False)
