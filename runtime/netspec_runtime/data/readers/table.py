"""A .csv file with a line for each picture: path, label, and if wanted the split. It opens no picture.

Paths are relative to the folder of the file. A first line that says `path` or the like is a header, and so is one
with the name of no picture and of no file.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import Final, NamedTuple

from netspec_runtime.data.manifest import TRAIN
from netspec_runtime.data.prepared import UNLABELLED
from netspec_runtime.data.readers.splits import split_of
from netspec_runtime.data.source import (
    Bad,
    EncodedPictures,
    FileState,
    Item,
    Source,
    class_index,
    class_names,
    file_state,
)
from netspec_runtime.errors import DataError
from netspec_runtime.sources import SUFFIXES

_HEADERS: Final = frozenset({"path", "paths", "file", "filename", "file_name", "image", "image_path", "name"})
_SEPARATORS: Final = {";": "semicolons", "\t": "tabs", "|": "bars"}


class _Row(NamedTuple):
    line: int
    path: str
    label: str
    split: str


def is_table(path: Path) -> bool:
    """By its name."""
    return path.is_file() and path.suffix.lower() == ".csv"


def read_table(path: Path) -> Source:
    """The pictures in the order of the lines. Raises DataError."""
    rows = list(_rows(path))
    if not rows:
        raise DataError(str(path), "it has no line with a picture", "write path,label lines")
    names = {row.split for row in rows}
    parts = {"": TRAIN} if names == {""} else split_of(names)
    unknown = sorted(names - parts.keys())
    left = [name for name in unknown if split_of({name})]
    if len(left) < len(unknown):
        odd = next(row for row in rows if row.split not in {*parts, *left})
        reason = f"line {odd.line} has a split called {odd.split!r}" if odd.split else f"line {odd.line} has no split"
        raise DataError(str(path), reason, "call the splits train and test, or train and val")
    classes = class_names(row.label for row in rows if row.label and row.split in parts)
    splits, states, bad = _items(path, [row for row in rows if row.split in parts], classes, parts)
    if not splits:
        reason = f"none of its files is there, from the first on: {rows[0].path}"
        raise DataError(str(path), reason, "write paths relative to the .csv file's folder, each before its label")
    return Source(
        kind="table",
        paths=(str(path),),
        classes=classes,
        splits={split: EncodedPictures(tuple(items)) for split, items in splits.items()},
        files=(file_state(path, path.name), *states),
        bad=tuple(bad),
        notes=tuple(f"the lines of split {name} are left out" for name in left),
        unsplit=names == {""},
    )


def _items(
    path: Path, rows: list[_Row], classes: tuple[str, ...], parts: dict[str, str]
) -> tuple[dict[str, list[Item]], list[FileState], list[Bad]]:
    numbers = {name: number for number, name in enumerate(classes)}
    splits: dict[str, list[Item]] = {}
    states: list[FileState] = []
    bad: list[Bad] = []
    for _, name, label, split in rows:
        file = path.parent / name
        try:
            states.append(file_state(file, name))
        except DataError as error:
            bad.append(Bad(name, error.reason))
            continue
        number = class_index(label, numbers) if label else UNLABELLED
        splits.setdefault(parts[split], []).append(Item(name, number, str(file)))
    return splits, states, bad


def _odd_line(path: Path, number: int, cells: list[str]) -> DataError:
    other = next((name for mark, name in _SEPARATORS.items() if len(cells) == 1 and mark in cells[0]), None)
    if other is not None:
        return DataError(str(path), f"line {number} has {other} and no comma", "separate path and label by commas")
    count = f"{len(cells)} column{'s' * (len(cells) != 1)}"
    reason = f"line {number} has no path" if not cells[0] else f"line {number} has {count}"
    return DataError(str(path), reason, "write path,label or path,label,split")


def _is_header(path: Path, cells: list[str]) -> bool:
    """Of the first line: whether it names columns. Without the mark of a picture's name it may, if it is no file's."""
    if cells[0].lower() in _HEADERS:
        return True
    named = len(cells) in (2, 3) and PurePath(cells[0]).suffix.lower() not in SUFFIXES
    return named and "\0" not in cells[0] and not os.path.lexists(path.parent / cells[0])


def _rows(path: Path) -> Iterator[_Row]:
    """Without the header and empty lines."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            first, lines = True, csv.reader(file)
            for row in lines:
                cells = [cell.strip() for cell in row]
                if not any(cells):
                    continue
                header, first = first and _is_header(path, cells), False
                if header:
                    continue
                if not cells[0] or not 2 <= len(cells) <= 3:
                    raise _odd_line(path, lines.line_num, cells)
                yield _Row(lines.line_num, cells[0], cells[1], cells[2] if len(cells) == 3 else "")
    except OSError as error:
        raise DataError(str(path), error.strerror or "cannot be read", "check the path") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(str(path), f"no .csv in UTF-8 ({error})", "save it as UTF-8 text") from error
