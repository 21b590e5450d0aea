"""The output folder of a build: files are written whole or not at all, and foreign files are never replaced."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from netspec_runtime.errors import DataError

MANIFEST = "manifest.json"
_HASHED = 1 << 24  # bytes; of larger files the size and the time of the last change are remembered


@dataclass
class OutputFolder:
    """A folder and the files that a build puts there. Raises DataError where it cannot write or must not replace.

    ``spec`` is the hash of what is built, ``inputs`` are files that the build reads: not even ``force`` replaces one.
    A link in place of a file is a foreign file, and forced replacing leaves alone what it leads to.
    """

    path: Path
    spec: str
    force: bool = False
    inputs: tuple[Path, ...] = ()
    known: dict[str, list[str]] = field(default_factory=dict)

    def open(self) -> None:
        """Make the folder and read what an earlier build left."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _refusal(
                self.path, f"cannot make the folder: {error.strerror}", "choose another with --out"
            ) from None
        manifest = self.path / MANIFEST
        known = _files(manifest)
        if known is None and os.path.lexists(manifest) and not self.force:
            raise _foreign(manifest)
        self.known = {name: marks for name, marks in (known or {}).items() if (self.path / name).is_file()}

    def reserve(self, *names: str) -> None:
        """Check, before any work, that files of these names may be written."""
        for name in names:
            path = self.path / name
            if path.is_dir() and not path.is_symlink():
                raise _refusal(path, "there is a folder of this name", "move it away, or choose another with --out")
            if path.exists() and any(path.samefile(i) for i in self.inputs if i.exists()):
                raise _refusal(path, "this build reads that file", "choose another folder with --out")
            if self.force or not os.path.lexists(path):
                continue
            if name not in self.known or path.is_symlink():
                raise _foreign(path)
            if _mark(path) not in self.known[name]:
                fix = "keep your copy elsewhere, or add --force"
                raise _refusal(path, "it was changed since netspec wrote it", fix)

    def discard(self, *names: str) -> None:
        """Remove what an earlier build wrote and this one may not: it would speak of another model."""
        for name in names:
            if self.known.pop(name, None):
                (self.path / name).unlink(missing_ok=True)

    def write(self, name: str, text: str) -> Path:
        """A text file, atomically."""
        return self._write(self.path / name, text, self.install)

    def install(self, temporary: Path, path: Path) -> None:
        """Put a finished file in its place.

        The manifest knows it before it is there, and the one before it still: wherever a build is stopped, the next
        one takes neither for foreign.
        """
        before = [_mark(path)] if path.is_file() else []
        self.known[path.name] = [*before, _mark(temporary)]
        document = {"spec": self.spec, "files": dict(sorted(self.known.items()))}
        self._write(self.path / MANIFEST, json.dumps(document, indent=2) + "\n", Path.replace)
        temporary.replace(path)

    def _write(self, path: Path, text: str, install: Callable[[Path, Path], object]) -> Path:
        temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        try:
            temporary.unlink(missing_ok=True)  # of a killed build, or a link out of the folder
            with temporary.open("x", encoding="utf-8", newline="\n") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            install(temporary, path)
        except OSError as error:
            fix = "free some space, or choose another folder with --out"
            raise _refusal(path, f"cannot write: {error.strerror}", fix) from None
        finally:
            with contextlib.suppress(OSError):  # on a read-only disk there is none
                temporary.unlink(missing_ok=True)
        return path


def _refusal(path: Path, reason: str, fix: str) -> DataError:
    return DataError(str(path), reason, fix)


def _foreign(path: Path) -> DataError:
    return _refusal(path, "it exists and netspec did not write it", "move it away, or add --force")


def _files(manifest: Path) -> dict[str, list[str]] | None:
    """The marks by name; None where there is no manifest, or it is not one of ours."""
    try:
        document = json.loads(manifest.read_text(encoding="utf-8"))
        files = dict(document["files"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    ours = document.keys() == {"spec", "files"} and all(isinstance(marks, list) for marks in files.values())
    return files if ours else None


def _mark(path: Path) -> str:
    """What tells whether a file is still the one that was written: sha256 of a small one, size and time of a large."""
    status = path.stat()
    if status.st_size > _HASHED:
        return f"{status.st_size} bytes at {status.st_mtime_ns}"
    return hashlib.sha256(path.read_bytes()).hexdigest()
