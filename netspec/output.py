"""The output folder of a build: files are written whole or not at all, and foreign files are never replaced."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from netspec_runtime.errors import DataError

MANIFEST = "manifest.json"
_HASHED = 1 << 24  # bytes; of larger files only the size is remembered


@dataclass
class OutputFolder:
    """A folder and the files that a build puts there. Raises DataError where it cannot write or must not replace."""

    path: Path
    force: bool = False
    known: dict[str, str] = field(default_factory=dict)
    written: dict[str, str] = field(default_factory=dict)

    def open(self) -> None:
        """Make the folder and read what an earlier build left."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DataError(
                str(self.path), f"cannot make the folder: {error.strerror}", "choose another with --out"
            ) from None
        manifest = self.path / MANIFEST
        if manifest.is_file():
            self.known = _files(manifest)

    def reserve(self, *names: str) -> None:
        """Check, before any work, that files of these names may be written."""
        for name in names:
            path = self.path / name
            if self.force or not path.exists():
                continue
            if name not in self.known:
                raise DataError(str(path), "it exists and netspec did not write it", "move it away, or add --force")
            if self.known[name] != _mark(path):
                raise DataError(
                    str(path), "it was changed since netspec wrote it", "keep your copy elsewhere, or add --force"
                )

    def write(self, name: str, text: str) -> Path:
        """A text file, atomically."""
        path = self.path / name
        temporary = path.with_name(f".{name}.{os.getpid()}.tmp")
        try:
            with temporary.open("w", encoding="utf-8", newline="\n") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except OSError as error:
            raise DataError(
                str(path), f"cannot write: {error.strerror}", "free some space, or choose another --out"
            ) from None
        finally:
            temporary.unlink(missing_ok=True)
        return self.add(name)

    def add(self, name: str) -> Path:
        """Count a file that was written otherwise as this build's."""
        path = self.path / name
        self.written[name] = _mark(path)
        return path

    def close(self, spec: str) -> None:
        """Leave the list of what was written."""
        files = dict(sorted((self.known | self.written).items()))
        present = {name: mark for name, mark in files.items() if (self.path / name).is_file()}
        self.write(MANIFEST, json.dumps({"spec": spec, "files": present}, indent=2) + "\n")


def _files(manifest: Path) -> dict[str, str]:
    """The marks by name; nothing where the manifest is not one of ours."""
    try:
        files = json.loads(manifest.read_text(encoding="utf-8"))["files"]
        return {str(name): str(mark) for name, mark in files.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _mark(path: Path) -> str:
    """sha256 of a small file, the size of a large one."""
    size = path.stat().st_size
    return f"{size} bytes" if size > _HASHED else hashlib.sha256(path.read_bytes()).hexdigest()
