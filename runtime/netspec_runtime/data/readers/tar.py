"""Where the members of a tar lie in its file, so that nothing has to be unpacked. Compressed tars are refused."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from netspec_runtime.errors import DataError


@dataclass(frozen=True, slots=True)
class Member:
    """A file in a tar: ``length`` bytes from ``offset`` of the outermost file."""

    name: str
    offset: int
    length: int


def members(path: Path, inside: Member | None = None) -> Iterator[Member]:
    """The files of a tar, or of a tar ``inside`` it, in the order of the archive. Raises DataError."""
    where = f"{path}: {inside.name}" if inside else str(path)
    try:
        with path.open("rb") as file:
            file.seek(inside.offset if inside else 0)
            end = inside.offset + inside.length if inside else None
            with tarfile.open(fileobj=file, mode="r:") as archive:
                for member in archive:
                    if end is not None and member.offset_data + member.size > end:
                        break
                    if member.isreg() and not member.issparse():
                        yield Member(member.name.removeprefix("./"), member.offset_data, member.size)
    except tarfile.TarError as error:
        raise DataError(where, f"no whole tar ({error})", "unpack it if it is compressed, or fetch it again") from error
    except OSError as error:
        raise DataError(where, error.strerror or "cannot be read", "check the path") from error


def content(path: Path, member: Member) -> bytes:
    """The bytes of a member. Raises DataError."""
    try:
        with path.open("rb") as file:
            file.seek(member.offset)
            return file.read(member.length)
    except OSError as error:
        raise DataError(str(path), error.strerror or "cannot be read", "check the path") from error
