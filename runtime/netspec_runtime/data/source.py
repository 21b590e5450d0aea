"""What a reader finds: pictures by split, in order, with labels, and files that are none. It writes nothing."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from netspec_runtime.card import Channels
from netspec_runtime.data.manifest import TEST, TRAIN
from netspec_runtime.data.prepared import UNLABELLED
from netspec_runtime.errors import DataError
from netspec_runtime.images import decode_picture

LABEL_KEYS: Final = ("label", "cls", "class", "class_id", "class_name", "target")  # in the wild; the likeliest first


@dataclass(frozen=True, slots=True)
class Item:
    """One picture file, or ``length`` bytes from ``offset`` of a file (a tar holds its members as they are)."""

    name: str
    label: int
    file: str
    offset: int = 0
    length: int | None = None


@dataclass(frozen=True, slots=True)
class Bad:
    """A file that is not in the data, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class FileState:
    """What changes when someone changes a file: its size in bytes, and the time of the last change in ns."""

    name: str
    size: int
    changed: int


class Pictures(Protocol):
    """The pictures of one split, in order."""

    def __len__(self) -> int: ...

    @property
    def labels(self) -> NDArray[np.int64]:
        """[N]: places in the classes, or UNLABELLED."""
        ...

    def name(self, index: int) -> str:
        """What the picture is called in messages, and what a hold-out draws lots by."""
        ...

    def picture(self, index: int, channels: Channels) -> Image.Image:
        """In mode L for grey, else RGB. Raises DataError, and OSError if the file cannot be read."""
        ...

    def take(self, indices: Sequence[int]) -> Pictures:
        """Some of them, in the order of ``indices``."""
        ...


@dataclass(frozen=True)
class EncodedPictures:
    """Pictures in files or in parts of files."""

    items: tuple[Item, ...]

    def __len__(self) -> int:
        return len(self.items)

    @cached_property
    def labels(self) -> NDArray[np.int64]:
        return np.array([item.label for item in self.items], np.int64)

    def name(self, index: int) -> str:
        return self.items[index].name

    def picture(self, index: int, channels: Channels) -> Image.Image:
        item = self.items[index]
        with Path(item.file).open("rb") as file:
            if item.length is None:
                return decode_picture(item.name, file, channels)
            file.seek(item.offset)
            return decode_picture(item.name, io.BytesIO(file.read(item.length)), channels)

    def take(self, indices: Sequence[int]) -> EncodedPictures:
        return EncodedPictures(tuple(self.items[index] for index in indices))


@dataclass(frozen=True)
class RawPictures:
    """Pictures in memory: uint8 [N, H, W, C] with C 1 (grey) or 3 (R, G, B). ``places`` are their numbers in a file."""

    stem: str
    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    places: NDArray[np.int64] = field(default_factory=lambda: np.arange(0))

    def __len__(self) -> int:
        return len(self.images)

    def name(self, index: int) -> str:
        return f"{self.stem}/{self.places[index] if len(self.places) else index}"

    def picture(self, index: int, channels: Channels) -> Image.Image:
        pixels = self.images[index]
        picture = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
        return picture.convert("L" if channels is Channels.GREY else "RGB")

    def take(self, indices: Sequence[int]) -> RawPictures:
        chosen = np.array(indices, np.int64)
        places = self.places[chosen] if len(self.places) else chosen
        return RawPictures(self.stem, self.images[chosen], self.labels[chosen], places)


@dataclass(frozen=True)
class Source:
    """All that a reader found. ``kind`` is in words; ``unsplit``: it does not say what is for training, what for test.

    ``files`` are all that was looked at: if none changed, the source is the same. ``held_out_of`` is the likeness of
    the source without a test split that `hold_out` took, and the fraction: `1a2b... 0.1`; "" where it had one.
    """

    kind: str
    paths: tuple[str, ...]
    classes: tuple[str, ...]
    splits: dict[str, Pictures]
    files: tuple[FileState, ...]
    bad: tuple[Bad, ...] = ()
    notes: tuple[str, ...] = ()
    unsplit: bool = False
    held_out_of: str = ""

    def __len__(self) -> int:
        return sum(map(len, self.splits.values()))

    def unlabelled(self, split: str) -> list[str]:
        """The names of the pictures of a split that have no label."""
        pictures = self.splits.get(split)
        if pictures is None:
            return []
        return [pictures.name(int(place)) for place in np.flatnonzero(pictures.labels == UNLABELLED)]

    def digest(self) -> str:
        """sha256 of everything listed, so without reading a picture."""
        digest = hashlib.sha256()
        for line in (self.kind, *self.classes, *self.splits, *map(str, self.files), *map(str, self.bad)):
            digest.update(f"{line}\n".encode(errors="surrogateescape"))
        for pictures in self.splits.values():
            digest.update(pictures.labels.tobytes())
            digest.update("\n".join(map(pictures.name, range(len(pictures)))).encode(errors="surrogateescape"))
        return digest.hexdigest()

    @cached_property
    def likeness(self) -> str:
        """sha256 of all names and sizes: the same for a copy, wherever it lies and whenever it was made."""
        lines = (f"{file.size} {file.name}\n" for file in self.files)
        return hashlib.sha256("".join(lines).encode(errors="surrogateescape")).hexdigest()


def hold_out(source: Source, fraction: float) -> Source:
    """Move about this fraction of the training pictures to a test split, each by a hash of its name alone.

    Of two fractions the smaller moves a part of what the larger does.
    """
    if TEST in source.splits:
        return source
    source = replace(source, held_out_of=f"{source.likeness} {fraction!r}")
    if not fraction:
        return source
    train = source.splits[TRAIN]
    moved = [_lot(train.name(index)) < fraction for index in range(len(train))]
    parts = {TRAIN: [i for i, out in enumerate(moved) if not out], TEST: [i for i, out in enumerate(moved) if out]}
    splits = {name: train.take(chosen) for name, chosen in parts.items() if chosen}
    return replace(source, splits=splits)


def fraction_of(source: Source, held_out_of: str) -> float | None:
    """How much of a source was set aside, by what is kept of another; None where that was none like it."""
    likeness, _, fraction = held_out_of.partition(" ")
    try:
        found = float(fraction)
    except ValueError:
        return None
    return found if 0 <= found < 1 and likeness == source.likeness else None


def _lot(name: str) -> float:
    """From 0 to 1, the same for the same name everywhere."""
    head = hashlib.sha256(name.encode(errors="surrogateescape")).digest()[:8]
    return int.from_bytes(head, "big") / 2**64


def all_as(source: Source, split: str) -> Source:
    """A source that names no splits, as this split."""
    if not source.unsplit or split in source.splits:
        return source
    return replace(source, splits=dict.fromkeys([split], next(iter(source.splits.values()))))


def file_state(path: Path, name: str) -> FileState:
    """Raises DataError."""
    try:
        status = path.stat()
    except OSError as error:
        raise DataError(str(path), error.strerror or "cannot be read", "check the path") from error
    except ValueError as error:
        raise DataError(str(path), "a NUL character in the name", "check the path") from error
    return FileState(name, status.st_size, status.st_mtime_ns)


def class_names(labels: Iterable[str]) -> tuple[str, ...]:
    """The classes in order: 0 to the largest where all labels are whole numbers, else the different names, sorted."""
    found = set(labels)
    if found and all(label.isascii() and label.isdigit() and len(label) <= 6 for label in found):
        return tuple(str(number) for number in range(max(map(int, found)) + 1))
    return tuple(sorted(found))


def class_index(label: str, classes: dict[str, int]) -> int:
    """The place of a label as it was read; ``07`` is 7 where classes are numbers."""
    return classes[label] if label in classes else classes[str(int(label))]
