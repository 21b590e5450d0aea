"""Checkpoints of a run: tensors and a sealed JSON note, two kept. It trains nothing and knows no devices."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from netspec_runtime.errors import DataError
from netspec_runtime.files import remove_stale, write_file
from netspec_runtime.training.tensor_file import read_sealed, write_safetensors

KEPT: Final = 2
BEST: Final = "best.safetensors"
WEIGHTS: Final = "weights."  # before the names of tensors in a checkpoint's file
MOMENTUM: Final = "momentum."

_FORMAT: Final = 1
_SEAL: Final = ',\n "sha256": "'


@dataclass(frozen=True)
class Checkpoint:
    """All that a run needs to go on after ``step`` steps as if it had never stopped.

    Tensors are those of the merged net, by its names, on the CPU. ``state`` is what JSON can hold: the run's identity,
    its position (sums of the epoch, plateaus, best error), the rates of the momentum, what is watched for.
    """

    step: int
    weights: Mapping[str, Tensor]
    momentum: Mapping[str, Tensor]
    state: Mapping[str, Any]


@dataclass
class Checkpoints:
    """The folder of a run's checkpoints. One process at a time may write into it (`RunFolder.locked`).

    A checkpoint is `step-N.safetensors` and `step-N.json`; it exists from the moment when its note does. Raises
    DataError where the disk refuses; then the checkpoints that were there are as they were. Reading changes nothing.
    """

    folder: Path
    _damaged: set[Path] = field(default_factory=set)

    def claim(self) -> None:
        """Make the folder, and tidy up after a process that was killed: only for whoever may write into it."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            remove_stale(self.folder)
        except OSError as error:
            raise DataError(str(self.folder), f"cannot use the folder: {error.strerror}", "choose another") from None

    def save(self, checkpoint: Checkpoint) -> Path:
        """Write one and remove all but the newest two; returns its note's path."""
        tensors = {WEIGHTS + name: tensor for name, tensor in checkpoint.weights.items()}
        tensors |= {MOMENTUM + name: tensor for name, tensor in checkpoint.momentum.items()}
        note = self._note(checkpoint.step)
        try:
            write_file(note, [seal(self._write_tensors(checkpoint, tensors))])
            self._damaged.discard(note)
        finally:
            self._remove_old()
        return note

    def latest(self) -> tuple[Checkpoint | None, list[str]]:
        """The newest one that is whole, or None before the first, and a sentence for each damaged one passed over.

        Raises DataError where there are some and none is whole.
        """
        damaged: list[str] = []
        for note in _notes(self.folder):
            try:
                return _read(note), damaged
            except _DamagedError as error:
                self._damaged.add(note)
                damaged.append(f"{note}: {error}, so the one before it is used")
        if damaged:
            raise _none_whole(self.folder, len(damaged))
        return None, damaged

    def at(self, step: int) -> Checkpoint:
        """That of a step, which another process found whole. Raises DataError where this one does not."""
        note = self._note(step)
        try:
            return _read(note)
        except _DamagedError as error:
            reason = f"{error} in this process, and the first process has it"
            raise DataError(str(note), reason, "give all processes the same folder of runs") from None

    def _write_tensors(self, checkpoint: Checkpoint, tensors: Mapping[str, Tensor]) -> dict[str, Any]:
        """Write the tensors; returns the note about them."""
        path = self._free_name(f"step-{checkpoint.step:08d}")
        digest = write_safetensors(path, tensors, {"format": "pt", "step": str(checkpoint.step)})
        return {
            "format": _FORMAT,
            "step": checkpoint.step,
            "tensors": {"file": path.name, "bytes": path.stat().st_size, "sha256": digest},
            "state": dict(checkpoint.state),
        }

    def _note(self, step: int) -> Path:
        return self.folder / f"step-{step:08d}.json"

    def _free_name(self, stem: str) -> Path:
        """A step may be saved again, with its test errors: what its note speaks of stays until the note is replaced."""
        path, number = self.folder / f"{stem}.safetensors", 2
        while path.exists():
            path, number = self.folder / f"{stem}.{number}.safetensors", number + 1
        return path

    def _remove_old(self) -> None:
        """Failing to remove is no reason to stop: the next save tries again."""
        kept: set[Path] = set()
        for note in _notes(self.folder):
            if len(kept) < 2 * KEPT and note not in self._damaged:
                with contextlib.suppress(_DamagedError):
                    kept |= {note, self.folder / str(unseal(note.read_bytes())["tensors"]["file"])}
        for path in self.folder.glob("step-*"):
            if path not in kept:
                with contextlib.suppress(OSError):
                    path.unlink()


def write_best(folder: Path, weights: Mapping[str, Tensor], note: Mapping[str, Any]) -> Path:
    """Replace the weights of the least test error so far; ``note`` says of what step, epoch and error they are."""
    path = folder / BEST
    write_safetensors(path, weights, {"format": "pt", "netspec": json.dumps(dict(note))}, sealed=True)
    return path


def read_best(folder: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The weights and their note. Raises DataError where they are missing or damaged."""
    tensors, metadata = read_sealed(folder / BEST)
    return tensors, json.loads(metadata["netspec"])


def latest_state(folder: Path) -> Mapping[str, Any] | None:
    """The state in a folder's newest checkpoint whose note is whole, None before the first. It reads no tensors."""
    for note in _notes(folder):
        with contextlib.suppress(OSError, _DamagedError):
            state: Mapping[str, Any] = unseal(note.read_bytes())["state"]
            return state
    return None


def latest_tensors(folder: Path) -> Path | None:
    """The file of the newest checkpoint that is whole, None before the first.

    Its names begin with `weights.` and `momentum.`. Raises DataError where there are some and none is whole.
    """
    notes = _notes(folder)
    for note in notes:
        with contextlib.suppress(_DamagedError):
            return _whole(note)[1]
    if notes:
        raise _none_whole(folder, len(notes))
    return None


def seal(document: Mapping[str, Any]) -> bytes:
    """A JSON object with the sha256 of everything before it as its last entry. Numbers come back bit for bit."""
    body = json.dumps(document, indent=1, allow_nan=False).removesuffix("\n}")
    return (body + _closing(body.encode())).encode()


def unseal(data: bytes) -> dict[str, Any]:
    """What was sealed. Raises for any other bytes."""
    body, mark, _ = data.rpartition(_SEAL.encode())
    if not mark or data != body + _closing(body).encode():
        raise _DamagedError("its note was changed or cut off")
    document: dict[str, Any] = json.loads(body + b"}")
    return document


class _DamagedError(Exception):
    """A checkpoint is not what was written."""


def _closing(body: bytes) -> str:
    return f'{_SEAL}{hashlib.sha256(body).hexdigest()}"\n}}\n'


def _notes(folder: Path) -> list[Path]:
    """Those of a folder's checkpoints, whole or not, the newest first."""
    return sorted(folder.glob("step-*.json"), key=lambda path: (len(path.name), path.name), reverse=True)


def _none_whole(folder: Path, count: int) -> DataError:
    reason = f"none of its {count} checkpoints is whole"
    return DataError(str(folder), reason, "restore one from a copy, or start a new run")


def _whole(note: Path) -> tuple[dict[str, Any], Path]:
    """What a note says, and the file of tensors that it speaks of, whose bytes are as written."""
    try:
        document = unseal(note.read_bytes())
        path = note.parent / document["tensors"]["file"]
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != document["tensors"]["sha256"]:
                raise _DamagedError("its tensors were changed or cut off")
    except OSError as error:
        raise _DamagedError(f"cannot be read ({error})") from None
    return document, path


def _read(note: Path) -> Checkpoint:
    document, path = _whole(note)
    try:
        tensors = load_file(path)
    except (OSError, SafetensorError) as error:
        raise _DamagedError(f"cannot be read ({error})") from None
    if document["format"] != _FORMAT:
        reason = f"it has format {document['format']}, this netspec reads {_FORMAT}"
        raise DataError(str(note), reason, "resume with the netspec that wrote it")
    return Checkpoint(document["step"], _of(tensors, WEIGHTS), _of(tensors, MOMENTUM), document["state"])


def _of(tensors: Mapping[str, Tensor], kind: str) -> dict[str, Tensor]:
    return {name.removeprefix(kind): tensor for name, tensor in tensors.items() if name.startswith(kind)}
