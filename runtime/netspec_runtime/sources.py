"""Which pictures the arguments of a command mean: files, folders, globs, standard input. It decodes nothing."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from netspec_runtime.errors import DataError

STDIN: Final = "-"
SUFFIXES: Final = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".bmp", ".webp", ".tif", ".tiff", ".avif"}
    | {".pbm", ".pgm", ".ppm", ".pnm", ".jp2"}
)


def find_pictures(arguments: Iterable[str]) -> Iterator[str | DataError]:
    """The paths of all pictures that ``arguments`` mean, in order; a DataError stands where there is none.

    A file is taken whatever it is called. A folder gives the files in it, at any depth and sorted, whose suffix is one
    of SUFFIXES; links to folders are not followed. What is no file is tried as a glob (``**`` goes into folders).
    ``-`` is one picture on standard input.
    """
    stdin_used = False
    for argument in arguments:
        if argument == STDIN and stdin_used:
            yield DataError(STDIN, "standard input has only one picture", "give - once")
        elif argument == STDIN:
            stdin_used = True
            yield STDIN
        elif Path(argument).is_dir():
            yield from _in_folder(argument)
        elif not os.path.lexists(argument) and glob.has_magic(argument):
            yield from _matching(argument)
        else:
            yield argument


def _in_folder(folder: str) -> Iterator[str | DataError]:
    problems: list[OSError] = []
    found = False
    for parent, folders, files in os.walk(folder, onerror=problems.append):
        folders.sort()
        for name in sorted(files):
            if Path(name).suffix.lower() in SUFFIXES:
                found = True
                yield str(Path(parent, name))
    for problem in problems:
        yield DataError(str(problem.filename), problem.strerror or "cannot be read", "check its permissions")
    if not found and not problems:
        yield DataError(folder, "no pictures in this folder", "give a folder with .jpg, .png or other picture files")


def _matching(pattern: str) -> Iterator[str | DataError]:
    matches = glob.iglob(pattern, recursive=True)  # noqa: PTH207 - Path.glob takes no absolute pattern
    paths = sorted(path for path in matches if not Path(path).is_dir())
    if not paths:
        yield DataError(pattern, "no file matches", "check the pattern")
    yield from paths
