"""Which reader reads what the user gave. It reads nothing itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from netspec_runtime.class_names import classes_called
from netspec_runtime.data.manifest import JOURNAL
from netspec_runtime.data.open import is_prepared
from netspec_runtime.data.prepared import UNLABELLED
from netspec_runtime.data.readers.cifar import is_cifar, read_cifar
from netspec_runtime.data.readers.folder import read_folder
from netspec_runtime.data.readers.idx import is_idx, read_idx
from netspec_runtime.data.readers.imagenet import is_imagenet, read_imagenet
from netspec_runtime.data.readers.table import is_table, read_table
from netspec_runtime.data.readers.unread import why_unread
from netspec_runtime.data.readers.webdataset import is_webdataset, read_webdataset
from netspec_runtime.data.source import EncodedPictures, Source
from netspec_runtime.errors import DataError

_FORMS = "a folder of pictures, ImageNet's tars, CIFAR binaries, idx files, WebDataset tars, or a .csv of path,label"


def find_source(paths: Sequence[Path]) -> Source:
    """Everything in ``paths``, which together are one data set in one of the forms. Raises DataError."""
    for path in paths:
        if not path.exists():
            raise DataError(str(path), "no such file or folder", f"give {_FORMS}")
        if path.is_dir() and is_prepared(path):
            raise DataError(str(path), "this is prepared data already", "use it as it is")
        if (path / JOURNAL).is_file():
            raise DataError(str(path), "its preparation is unfinished", f"go on with `netspec prepare ... -o {path}`")
    try:
        return _noting_classes(_in_utf8(_read(paths)))
    except OSError as error:
        where = str(error.filename or paths[0])
        raise DataError(where, error.strerror or "cannot be read", "check its permissions") from error


def _in_utf8(source: Source) -> Source:
    """With names of classes that every file can hold: a folder's name may be bytes in any encoding."""
    return replace(source, classes=tuple(name.encode(errors="backslashreplace").decode() for name in source.classes))


def _noting_classes(source: Source) -> Source:
    """With a note for classes that pictures in files have in one split alone, or in none. Arrays are as they are."""
    if not all(isinstance(pictures, EncodedPictures) for pictures in source.splits.values()):
        return source
    found = {split: set(pictures.labels.tolist()) for split, pictures in source.splits.items()}
    notes = []
    for split, labels in found.items():
        others = set().union(*(other for name, other in found.items() if name != split))
        if len(found) > 1 and others - {UNLABELLED} and labels - {UNLABELLED}:
            alone = [source.classes[label] for label in sorted(labels - others - {UNLABELLED})]
            notes += [f"{classes_called(alone)} with {split} pictures only"] if alone else []
    every = set().union(*found.values())
    none = [name for label, name in enumerate(source.classes) if label not in every]
    notes += [f"{classes_called(none)} without pictures"] if none else []
    return replace(source, notes=(*source.notes, *notes))


def _read(paths: Sequence[Path]) -> Source:
    if is_imagenet(paths):
        return read_imagenet(paths)
    if is_webdataset(paths):
        return read_webdataset(paths)
    if len(paths) != 1:
        raise DataError(str(paths[-1]), "several sources that are not the tars of one data set", f"give {_FORMS}")
    return _single(paths[0])


def _single(path: Path) -> Source:
    if is_table(path):
        return read_table(path)
    if not path.is_dir():
        reason, fix = why_unread(path) or ("a file in no form that is read here", f"give {_FORMS}")
        raise DataError(str(path), reason, fix)
    if is_cifar(path):
        return read_cifar(path)
    return read_idx(path) if is_idx(path) else read_folder(path)
