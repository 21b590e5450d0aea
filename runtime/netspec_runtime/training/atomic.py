"""Files that are there whole or not at all, whatever stops the write. It knows no formats."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from netspec_runtime.errors import DataError

Part = bytes | memoryview

_STALE = re.compile(r"\..+\.\d+\.tmp")
_CHUNK = 1 << 24  # bytes handed to the system at once
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_NO_FOLDER_SYNC = {errno.EINVAL, errno.ENOTSUP}  # some network file systems


def write_file(path: Path, parts: Sequence[Part]) -> str:
    """Put these bytes, one after the other, into a file; returns their sha256.

    They go to a temporary file beside it, which is synced, renamed, and its folder synced. Whatever fails, the file
    that was there before stays as it was, the temporary one is gone, and DataError says how many bytes had no room.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    size, written = sum(len(part) for part in parts), 0

    def count(bytes_: int) -> None:
        nonlocal written
        written += bytes_

    try:
        digest = _write_synced(temporary, parts, count)
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise _refusal(path, error, size - written) from None
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
    return digest


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NO_FOLDER_SYNC:
            raise
    finally:
        os.close(descriptor)


def remove_stale(folder: Path) -> None:
    """Remove the temporary files that a killed process left. Nobody else may be writing into the folder."""
    for file in folder.iterdir():
        if _STALE.fullmatch(file.name):
            file.unlink(missing_ok=True)


def _write_synced(path: Path, parts: Sequence[Part], count: Callable[[int], None]) -> str:
    digest = hashlib.sha256()
    path.unlink(missing_ok=True)  # of a killed process with this number, or a link out of the folder
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        for part in parts:
            digest.update(part)
            rest = memoryview(part)
            while rest:
                done = os.write(descriptor, rest[:_CHUNK])  # a disk that fills up takes less than it is given
                count(done)
                rest = rest[done:]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return digest.hexdigest()


def _refusal(path: Path, error: OSError, missing: int) -> DataError:
    reason = f"cannot write: {error.strerror}"
    if error.errno not in _FULL:
        return DataError(str(path), reason, "check that the disk and the folder can be written")
    more = f"{max(missing, 1):,} bytes more than there is room for"
    return DataError(str(path), f"{reason}, it needs {more}", "free some space, or choose another folder")
