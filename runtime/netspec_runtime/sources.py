"""Which pictures the arguments of a command mean: files, folders, globs, standard input. It decodes nothing."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from netspec_runtime.errors import DataError

STDIN: Final = "-"
SPECIAL_FILE: Final = "a special file"  # neither a file nor a folder: a pipe, a socket, a device
SUFFIXES: Final = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".bmp", ".webp", ".tif", ".tiff", ".avif"}
    | {".pbm", ".pgm", ".ppm", ".pnm", ".jp2"}
)


def find_pictures(arguments: Iterable[str]) -> Iterator[str | DataError]:
    """The paths of all pictures that ``arguments`` mean, in order; a DataError stands where there is none.

    A file is taken whatever it is called. A folder gives the files in it, at any depth and sorted, whose suffix is one
    of SUFFIXES; hidden ones are passed over, and links to folders are not followed. What is no file is tried as a glob
    (``**`` goes into folders). Of what is found there, a special file is a DataError: a pipe that nobody fills never
    ends. ``-`` is one picture on standard input.
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


def is_hidden(name: str) -> bool:
    """Whether a file or a folder is passed over where a folder is searched: `.DS_Store`, or `._a.png` of macOS."""
    return name.startswith(".")


def _in_folder(folder: str) -> Iterator[str | DataError]:
    problems: list[OSError] = []
    found = False
    for parent, folders, files in os.walk(folder, onerror=problems.append):
        folders[:] = sorted(name for name in folders if not is_hidden(name))
        for name in sorted(files):
            if Path(name).suffix.lower() in SUFFIXES and not is_hidden(name):
                found = True
                yield _unless_special(str(Path(parent, name)))
    for problem in problems:
        yield DataError(str(problem.filename), problem.strerror or "cannot be read", "check its permissions")
    if not found and not problems:
        yield DataError(folder, "no pictures in this folder", "give a folder with .jpg, .png or other picture files")


def _matching(pattern: str) -> Iterator[str | DataError]:
    matches = glob.iglob(pattern, recursive=True)  # noqa: PTH207 - Path.glob takes no absolute pattern
    paths = sorted(path for path in matches if not Path(path).is_dir())
    if not paths:
        yield DataError(pattern, "no file matches", "check the pattern")
    yield from map(_unless_special, paths)


def _unless_special(path: str) -> str | DataError:
    if os.path.exists(path) and not os.path.isfile(path):  # noqa: PTH110, PTH113 - of a million paths
        return DataError(path, SPECIAL_FILE, "give it as an argument of its own if it is a pipe with a picture")
    return path
