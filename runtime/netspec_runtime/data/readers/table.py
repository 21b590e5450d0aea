"""A .csv file with a line for each picture: path, label, and if wanted the split. It opens no picture.

Paths are relative to the folder of the file. A header that names path and label says in which columns they stand, and
others are ignored. A first line that says `path` or the like is a header too, and so is one with the name of no picture
and of no file: there the columns are path, label, split.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import Final, NamedTuple, TypeAlias

from netspec_runtime.data.manifest import TRAIN
from netspec_runtime.data.prepared import UNLABELLED
from netspec_runtime.data.readers.splits import split_of, why_left
from netspec_runtime.data.source import (
    LABEL_KEYS,
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

_PATH_KEYS: Final = ("path", "paths", "image_path", "file", "filename", "file_name", "image", "name")
_SEPARATORS: Final = {";": "semicolons", "\t": "tabs", "|": "bars"}


class _Columns(NamedTuple):
    """Where what stands in a line of ``width`` cells. ``split`` None: nowhere; ``ignored`` are other columns' names."""

    path: int = 0
    label: int = 1
    split: int | None = 2
    width: int = 3
    ignored: tuple[str, ...] = ()

    @property
    def form(self) -> str:
        """What to write."""
        if self == _Columns():
            return "write path,label or path,label,split, or more below a header that names path and label"
        return f'write {self.width} as in the header, and what has a comma in "..."'


_Line: TypeAlias = tuple[int, list[str]]  # its number in the file, and its cells


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
    lines = list(_lines(path))
    header = lines.pop(0)[1] if lines and _is_header(path, lines[0][1]) else []
    columns = _columns(header, lines)
    rows = [_row(path, number, cells, columns) for number, cells in lines]
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
        fix = "write paths relative to the .csv file's folder, each before its label or below a header that says path"
        raise DataError(str(path), reason, fix)
    return Source(
        kind="table",
        paths=(str(path),),
        classes=classes,
        splits={split: EncodedPictures(tuple(items)) for split, items in splits.items()},
        files=(file_state(path, path.name), *states),
        bad=tuple(bad),
        notes=(
            *(f"the column {name} is ignored" for name in columns.ignored),
            *(f"the lines of split {name} are left out: {why_left(name, parts)}" for name in left),
        ),
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


def _named(header: list[str]) -> tuple[int | None, int | None]:
    """Where a header names path and label, if it does."""
    names = [cell.lower() for cell in header]
    path, label = (next((names.index(key) for key in keys if key in names), None) for keys in (_PATH_KEYS, LABEL_KEYS))
    return path, label


def _columns(header: list[str], lines: list[_Line]) -> _Columns:
    """By the names of the header, or by their places where it does not name path and label."""
    path, label = _named(header)
    if path is None or label is None:
        return _Columns()
    split = next((place for place, name in enumerate(header) if name.lower() == "split"), None)
    if (path, label, len(header)) == (0, 1, 3) and split_of({cells[2] for _, cells in lines if len(cells) > 2}):
        split = 2  # whatever it is called
    ignored = tuple(name for place, name in enumerate(header) if name and place not in (path, label, split))
    return _Columns(path, label, split, len(header), ignored)


def _row(path: Path, number: int, cells: list[str], columns: _Columns) -> _Row:
    if len(cells) <= max(columns.path, columns.label) or any(cells[columns.width :]) or not cells[columns.path]:
        raise _odd_line(path, number, cells, columns)
    split = cells[columns.split] if columns.split is not None and columns.split < len(cells) else ""
    return _Row(number, cells[columns.path], cells[columns.label], split)


def _odd_line(path: Path, number: int, cells: list[str], columns: _Columns) -> DataError:
    other = next((name for mark, name in _SEPARATORS.items() if len(cells) == 1 and mark in cells[0]), None)
    if other is not None:
        return DataError(str(path), f"line {number} has {other} and no comma", "separate path and label by commas")
    count = f"{len(cells)} column{'s' * (len(cells) != 1)}"
    reason = "no path" if len(cells) > columns.path and not cells[columns.path] else count
    return DataError(str(path), f"line {number} has {reason}", columns.form)


def _is_header(path: Path, cells: list[str]) -> bool:
    """Of the first line: whether it names columns. Without the mark of a picture's name it may, if it is no file's."""
    if cells[0].lower() in _PATH_KEYS or None not in _named(cells):
        return True
    named = len(cells) in (2, 3) and PurePath(cells[0]).suffix.lower() not in SUFFIXES
    return named and "\0" not in cells[0] and not os.path.lexists(path.parent / cells[0])


def _lines(path: Path) -> Iterator[_Line]:
    """The numbers and the cells of lines that are not empty. Raises DataError."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = csv.reader(file)
            for row in lines:
                cells = [cell.strip() for cell in row]
                if any(cells):
                    yield lines.line_num, cells
    except OSError as error:
        raise DataError(str(path), error.strerror or "cannot be read", "check the path") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(str(path), f"no .csv in UTF-8 ({error})", "save it as UTF-8 text") from error
