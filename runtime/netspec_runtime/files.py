"""Files that are there whole or not at all, whatever stops the write, and locks. It knows no formats."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from netspec_runtime.errors import DataError

Part = bytes | memoryview

_STALE: Final = re.compile(r"\.(.+)\.\d+\.tmp")
_CHUNK: Final = 1 << 24  # bytes handed to the system at once
_FULL: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_NO_FOLDER_SYNC: Final = {errno.EINVAL, errno.ENOTSUP}  # some network file systems
_NO_LOCKS: Final = {errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EBADF}  # EBADF: NFS, of what is open to be read


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
        raise refusal(path, error, size - written) from None
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


def remove_stale(folder: Path, of: Collection[str] | None = None) -> None:
    """Remove the temporary files that a killed process left, all or those ``of`` files with these names.

    Nobody else may be writing into the folder.
    """
    for file in folder.iterdir():
        match = _STALE.fullmatch(file.name)
        if match and (of is None or match[1] in of):
            file.unlink(missing_ok=True)


@contextmanager
def disk_errors(path: Path, missing: int) -> Iterator[None]:
    """An OSError while writing becomes a DataError; where the disk is full it says that ``missing`` bytes lack."""
    try:
        yield
    except OSError as error:
        raise refusal(path, error, missing) from error


def refusal(path: Path, error: OSError, missing: int) -> DataError:
    """The error for a file that cannot be written; ``missing``: bytes that had no room, if the disk is full."""
    if error.errno in _FULL:
        return full_disk(path, missing, error.errno or errno.ENOSPC)
    return DataError(str(path), f"cannot write: {error.strerror}", "check that the disk and the folder can be written")


def full_disk(path: Path, missing: int, number: int = errno.ENOSPC) -> DataError:
    """The error for a disk that has no room for ``missing`` bytes; ``number`` is what the system called it."""
    reason = f"{os.strerror(number)}: {max(missing, 1):,} more bytes are needed"
    return DataError(str(path), reason, "free some space and try again, or choose another folder")


def lock(descriptor: int, *, wait: bool) -> bool:
    """Hold an open file or folder against other processes until it is closed; False while another one holds it.

    With ``wait`` it comes back when nobody does. Where the system has no locks, nobody is held off. Raises OSError.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
    return True


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
