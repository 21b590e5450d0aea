"""One file from the network, whole and verified: it goes on where it broke off. It knows no data sets."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Final
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from netspec_runtime.errors import DataError, EnvironmentProblem
from netspec_runtime.files import disk_errors

_PLAIN: Final = re.compile(r"[!-~]+")  # all that an address may be written in
_CHUNK: Final = 1 << 16
_TRIES: Final = 20  # each of which must bring something
_AGAIN: Final = "run the same command again: it goes on where it stopped"

Progress = Callable[[str, int, int | None], None]  # a file's name, bytes that are here, of how many if the server says


@dataclass(frozen=True)
class Published:
    """A file as its authors published it: its name and md5 in hex; more than ``most`` bytes are never fetched."""

    name: str
    md5: str
    most: int


def fetch(file: Published, url: str, folder: Path, progress: Progress, timeout: float = 30.0) -> Path:
    """The file in ``folder``, fetched from ``url`` unless it is there. ``timeout``: seconds without a byte.

    Raises DataError where the server has no such file or another one, or the disk fails, and EnvironmentProblem
    where the network does; then what came stays in `<name>.part`.
    """
    path, part = folder / file.name, folder / f"{file.name}.part"
    if path.exists():
        _require(path, file, f"move it away, and {file.name} is fetched anew")
        return path
    if not _is_address(url):
        fix = "give the folder's address in ASCII without spaces, such as https://host/folder"
        raise DataError(url, "no http or https address", fix)
    with disk_errors(part, 0):
        folder.mkdir(parents=True, exist_ok=True)
        part.touch()
    _fill(part, file, url, progress, timeout)
    try:
        _require(part, file, "run the command again; if it says so again, the file there is another one")
    except DataError:
        part.unlink()
        raise
    with disk_errors(path, 0):
        part.replace(path)
    return path


def _is_address(url: str) -> bool:
    """Whether this can be asked for: urllib itself raises ValueError, of several kinds, for what cannot."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").encode("idna")  # what a socket does with it: no empty part, none above 63 letters
        port = parts.port != 0
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(host) and port and _PLAIN.fullmatch(url) is not None


def _require(path: Path, file: Published, fix: str) -> None:
    """Raise DataError where the bytes are not those that were published."""
    with disk_errors(path, 0), path.open("rb") as opened:
        found = hashlib.file_digest(opened, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    if found != file.md5:
        raise DataError(str(path), f"not the file that was published: its md5 is {found}, not {file.md5}", fix)


def _fill(part: Path, file: Published, url: str, progress: Progress, timeout: float) -> None:
    """Bring the rest of the file, in as many connections as it takes while each brings something."""
    for _ in range(_TRIES):
        before = part.stat().st_size
        try:
            if _receive(part, file, url, progress, timeout):
                return
            reason = f"the connection ended after {part.stat().st_size:,} bytes"
        except (URLError, OSError, HTTPException, ValueError) as error:  # the last for a redirection to no address
            reason = f"cannot be fetched: {_plain(error)}"
        if part.stat().st_size <= before:
            raise EnvironmentProblem(url, reason, f"check the network, then {_AGAIN}")
    raise EnvironmentProblem(url, "the connection keeps breaking", _AGAIN)


def _plain(error: Exception) -> str:
    """What went wrong, without the wrappings of urllib."""
    inner = error.reason if isinstance(error, URLError) else error
    return str(getattr(inner, "strerror", None) or inner) or type(inner).__name__


def _receive(part: Path, file: Published, url: str, progress: Progress, timeout: float) -> bool:
    """Append what one connection brings; whether it is all that the server has. Raises URLError, OSError."""
    have = part.stat().st_size
    headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={have}-"} if have else {})}
    try:
        with urlopen(Request(url, headers=headers), timeout=timeout) as answer:  # noqa: S310 - the scheme was checked
            return _append(part, file, answer, progress)
    except HTTPError as error:
        with error:
            if error.code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                return True  # nothing is left to bring; the md5 says whether what is here is right
            if error.code >= HTTPStatus.INTERNAL_SERVER_ERROR:
                raise
            reason = f"the server answers {error.code} {error.reason}"
        raise DataError(url, reason, "give another server with --mirror") from None


def _append(part: Path, file: Published, answer: HTTPResponse, progress: Progress) -> bool:
    """Write the body behind what is there, or anew if the server sends the whole file; whether it is all of it."""
    have = part.stat().st_size if answer.status == HTTPStatus.PARTIAL_CONTENT else 0
    length = answer.headers.get("Content-Length", "")
    total = have + int(length) if length.isdecimal() else None
    if max(have, total or 0) > file.most:
        raise DataError(answer.url, f"more than {file.most:,} bytes: not {file.name}", "give another server")
    with disk_errors(part, 0):
        writer = part.open("r+b", buffering=0)  # a buffer would be written once more at the end, and fail there
    with writer:
        writer.truncate(have)
        writer.seek(have)
        while chunk := answer.read(_CHUNK):
            have += len(chunk)
            with disk_errors(part, (total or have) - have + len(chunk)):
                while chunk:
                    chunk = chunk[writer.write(chunk) :]
            if have > file.most:
                raise DataError(answer.url, f"more than {file.most:,} bytes: not {file.name}", "give another server")
            progress(file.name, have, total)
    return total is None or have >= total
