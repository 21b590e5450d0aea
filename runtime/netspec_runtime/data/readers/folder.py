"""Folders of picture files: a folder for each class, perhaps below `train` and `val` or `test`; or one flat folder.

It opens no file: what is wrong with a picture is found when it is decoded.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Final

from netspec_runtime.data.manifest import SPLITS, TRAIN
from netspec_runtime.data.prepared import UNLABELLED
from netspec_runtime.data.readers.splits import split_of, why_left
from netspec_runtime.data.readers.unread import why_unread
from netspec_runtime.data.source import Bad, EncodedPictures, FileState, Item, Source
from netspec_runtime.errors import DataError
from netspec_runtime.sources import SPECIAL_FILE, SUFFIXES, is_hidden

_WORDNET: Final = re.compile(r"n\d{8}(?=[_.\-])")
_FIX: Final = "give a folder with a folder of pictures for each class"


@dataclass
class _Found:
    """What a walk gathers; ``items`` have the name of their class where others have its number."""

    items: list[tuple[str, str | None, str]] = field(default_factory=list)  # name, class, file
    files: list[FileState] = field(default_factory=list)
    bad: list[Bad] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)  # folders that would be classes


def read_folder(root: Path) -> Source:
    """The pictures of a folder, sorted by name. Raises DataError.

    Hidden files and folders are passed over. Any other file whose name does not end like a picture's is listed as bad.
    """
    parts, notes = _parts(root)
    found = {split: _walk(root, folder) for split, folder in parts.items()}
    names = sorted({label for one in found.values() for _, label, _ in one.items if label is not None})
    numbers = {name: number for number, name in enumerate(names)}
    splits = {
        split: EncodedPictures(
            tuple(Item(n, UNLABELLED if c is None else numbers[c], file) for n, c, file in one.items)
        )
        for split, one in sorted(found.items(), key=lambda pair: SPLITS.index(pair[0]))
        if one.items
    }
    if not splits:
        reason, fix = why_unread(root) or ("no pictures in this folder", _FIX)
        raise DataError(str(root), reason, fix)
    return Source(
        kind="image folder",
        paths=(str(root),),
        classes=tuple(names),
        splits=dict(splits),
        files=tuple(state for one in found.values() for state in one.files),
        bad=tuple(bad for one in found.values() for bad in one.bad),
        notes=(*notes, *(f"{name}/ has no picture" for one in found.values() for name in one.empty)),
        unsplit=parts == {TRAIN: root},
    )


def _parts(root: Path) -> tuple[dict[str, Path], tuple[str, ...]]:
    """The folder of each split, and what is worth saying about it."""
    names = {entry.name for entry in _entries(root) if entry.is_dir()}
    chosen = split_of(names)
    if not chosen:
        return {TRAIN: root}, ()
    taken = {split: name for name, split in sorted(chosen.items(), reverse=True)}  # `train`, if there is `training` too
    left = sorted(names.difference(taken.values()))
    parts: dict[str, Path] = {split: root / taken[split] for split in SPLITS if split in taken}
    places = {f"{name}/": split for split, name in taken.items()}
    return parts, tuple(f"{name}/ is left out: {why_left(name, places)}" for name in left)


def _walk(root: Path, folder: Path) -> _Found:
    """A class is a folder just below ``folder``; without any, it is the WordNet id that a file's name begins with."""
    found = _Found()
    classes = sorted(entry.name for entry in _entries(folder) if entry.is_dir())
    for name in classes:
        count = len(found.items)
        for entry in _files_below(folder / name):
            _add(found, root, entry, name)
        if len(found.items) == count:
            found.empty.append((folder / name).relative_to(root).as_posix())
    for entry in _entries(folder):
        if entry.is_dir():
            continue
        if classes:
            found.bad.append(Bad(_name(root, entry), "it lies in no class's folder"))
        else:
            match = _WORDNET.match(entry.name)
            _add(found, root, entry, match.group() if match else None)
    return found


def _add(found: _Found, root: Path, entry: os.DirEntry[str], label: str | None) -> None:
    name = _name(root, entry)
    try:
        status = entry.stat()
    except OSError as error:  # a link to nowhere
        found.bad.append(Bad(name, error.strerror or "cannot be read"))
        return
    if not entry.is_file():
        found.bad.append(Bad(name, SPECIAL_FILE))
    elif os.path.splitext(entry.name)[1].lower() not in SUFFIXES:  # noqa: PTH122 - of a million names
        found.bad.append(Bad(name, "its name does not end like a picture's (.jpg, .png, ...)"))
    else:
        found.items.append((name, label, entry.path))
        found.files.append(FileState(name, status.st_size, status.st_mtime_ns))


def _name(root: Path, entry: os.DirEntry[str]) -> str:
    return os.path.join(_below(root, os.path.dirname(entry.path)), entry.name)  # noqa: PTH118, PTH120 - of a million


@lru_cache(16)
def _below(root: Path, folder: str) -> str:
    """The way from the root to the folder, "" for the root itself."""
    way = os.path.relpath(folder, root)
    return "" if way == os.curdir else way


def _files_below(folder: Path) -> Iterator[os.DirEntry[str]]:
    for entry in _entries(folder):
        if entry.is_dir(follow_symlinks=False):
            yield from _files_below(Path(entry.path))
        else:
            yield entry


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    """Sorted, without hidden ones."""
    try:
        with os.scandir(folder) as entries:
            return sorted((e for e in entries if not is_hidden(e.name)), key=lambda entry: entry.name)
    except OSError as error:
        raise DataError(str(folder), error.strerror or "cannot be read", "check the path") from error
