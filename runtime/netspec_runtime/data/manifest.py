"""What `prepared.json` says: sizes, classes, counts, the sha256 of each file, statistics. It opens no arrays."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, TypeVar

from netspec_runtime.data.prepared import MANIFEST
from netspec_runtime.errors import DataError

VERSION: Final = 1
TRAIN: Final = "train"
TEST: Final = "test"
SPLITS: Final = (TRAIN, TEST)
MEAN_IMAGE: Final = "mean-image.npy"
QUARANTINE: Final = "quarantine.txt"
UNLABELLED_NAMES: Final = "unlabelled.txt"  # only where some pictures have labels and others have none
JOURNAL: Final = "preparing.json"  # only in a folder that is not finished
PREPARE_ANEW: Final = "prepare the data again, into a new folder"
_T = TypeVar("_T")


def images_file(split: str) -> str:
    """uint8 [N, H, W, C]."""
    return f"{split}-images.npy"


def labels_file(split: str) -> str:
    """int64 [N]."""
    return f"{split}-labels.npy"


@dataclass(frozen=True)
class FileMark:
    """A file's length in bytes and its sha256 in hex."""

    bytes: int
    sha256: str


@dataclass(frozen=True)
class ColorFigures:
    """Statistics that fit into JSON: `prepared.Statistics` without the mean image. ``of`` is the split they are of."""

    of: str
    mean_color: tuple[float, ...]
    eigenvalues: tuple[float, ...]
    eigenvectors: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Contents:
    """All that the data are: two folders of equal contents hold the same bytes."""

    size: tuple[int, int]
    channels: int
    classes: tuple[str, ...]
    counts: Mapping[str, int]
    statistics: ColorFigures
    files: Mapping[str, FileMark]

    @property
    def digest(self) -> str:
        """The sha256 of the contents as canonical JSON."""
        text = json.dumps({"version": VERSION, **asdict(self)}, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Origin:
    """Where the data came from. ``plan`` is the sha256 of the sources' listing and the options; "" for drawn data.

    ``held_out_of``: if the sources had no test split, what they were, and the fraction that was set aside (`Source`).
    """

    kind: str
    sources: tuple[str, ...] = ()
    plan: str = ""
    quarantined: int = 0
    notes: tuple[str, ...] = ()
    held_out_of: str = ""


@dataclass(frozen=True)
class Manifest:
    """The whole file."""

    contents: Contents
    origin: Origin

    def text(self) -> str:
        return json.dumps({"version": VERSION, **asdict(self)}, indent=1) + "\n"


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a prepared folder. Raises DataError."""
    path = folder / MANIFEST
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        reason = f"no prepared data: there is no {MANIFEST}" if folder.is_dir() else "no such folder"
        raise DataError(str(folder), reason, "make it with `netspec prepare SRC -o DIR`") from None
    except OSError as error:
        raise DataError(str(path), error.strerror or "cannot be read", "check the path") from error
    except (ValueError, RecursionError) as error:
        raise DataError(str(path), "it is damaged: no JSON", PREPARE_ANEW) from error
    if isinstance(document, dict) and document.get("version") not in (VERSION, None):
        found = json.dumps(document["version"])[:20]
        raise DataError(str(path), f"format {found}, and this netspec reads {VERSION}", PREPARE_ANEW)
    try:
        return Manifest(_contents(document["contents"]), _origin(document["origin"]))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(str(path), f"it is damaged: {error!r}", PREPARE_ANEW) from error


def _contents(value: Mapping[str, object]) -> Contents:
    height, width = _all(int, value["size"])
    files = {name: _mark(dict(_items(mark))) for name, mark in _items(value["files"])}
    counts = {_split(name): _one(int, count) for name, count in _items(value["counts"])}
    if files.keys() != {QUARANTINE, MEAN_IMAGE, *map(images_file, counts), *map(labels_file, counts)}:
        raise ValueError("files that do not belong to the splits")
    return Contents(
        size=(height, width),
        channels=_one(int, value["channels"]),
        classes=_all(str, value["classes"]),
        counts=counts,
        statistics=_figures(dict(_items(value["statistics"]))),
        files=files,
    )


def _origin(value: Mapping[str, object]) -> Origin:
    return Origin(
        kind=_one(str, value["kind"]),
        sources=_all(str, value["sources"]),
        plan=_one(str, value["plan"]),
        quarantined=_one(int, value["quarantined"]),
        notes=_all(str, value["notes"]),
        held_out_of=_one(str, value.get("held_out_of", "")),
    )


def _figures(value: Mapping[str, object]) -> ColorFigures:
    rows = _all(list, value["eigenvectors"])
    return ColorFigures(
        of=_split(_one(str, value["of"])),
        mean_color=_all(float, value["mean_color"]),
        eigenvalues=_all(float, value["eigenvalues"]),
        eigenvectors=tuple(_all(float, row) for row in rows),
    )


def _mark(value: Mapping[str, object]) -> FileMark:
    return FileMark(_one(int, value["bytes"]), _one(str, value["sha256"]))


def _split(name: str) -> str:
    if name not in SPLITS:
        raise ValueError(f"split {name!r}")
    return name


def _one(kind: type[_T], value: object) -> _T:
    if not isinstance(value, kind) or isinstance(value, bool):
        raise TypeError(f"{kind.__name__} expected")
    return value


def _all(kind: type[_T], value: object) -> tuple[_T, ...]:
    return tuple(_one(kind, one) for one in _one(list, value))


def _items(value: object) -> list[tuple[str, object]]:
    return [(_one(str, name), one) for name, one in _one(dict, value).items()]
