"""ImageNet's tars as they are downloaded (2010 and 2012), and the devkit with validation labels. It unpacks nothing.

The classes are in the order of their WordNet ids, which is the order of `synset_words.txt` and of most published models
(and not that of the devkit's own numbers). They are called as in that file: `n01440764 tench, Tinca tinca`.
"""

from __future__ import annotations

import re
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from netspec_runtime.data.manifest import TEST, TRAIN
from netspec_runtime.data.readers.matfile import MatError, read_mat
from netspec_runtime.data.readers.tar import members
from netspec_runtime.data.source import Bad, EncodedPictures, Item, Source, file_state
from netspec_runtime.errors import DataError

_PICTURES: Final = re.compile(r"ILSVRC20\d\d_(?:img|images)_(train|val)\.tar")
_DEVKIT: Final = re.compile(r"ILSVRC20\d\d_devkit.*")
_WORDS: Final = re.compile(r".*synset_words\.txt")
_TRUTH: Final = re.compile(r".*validation_ground_truth\.txt")
_SYNSET: Final = re.compile(r"n\d{8}")


@dataclass(frozen=True)
class _Devkit:
    """``ids``: WordNet id by the devkit's number. ``words`` by WordNet id. ``truth``: a number for each picture."""

    ids: dict[int, str]
    words: dict[str, str]
    truth: tuple[int, ...]


def is_imagenet(paths: Sequence[Path]) -> bool:
    """Whether one of these files, or of the files in these folders, is a tar of pictures by its name."""
    return any(_PICTURES.fullmatch(path.name) for path in _files(paths))


def read_imagenet(paths: Sequence[Path]) -> Source:
    """Training and validation pictures, whichever are there; validation (`test`) needs the devkit. Raises DataError."""
    files = _files(paths)
    tars = {match.group(1): path for path in files if (match := _PICTURES.fullmatch(path.name))}
    devkit_path = next((path for path in files if _DEVKIT.fullmatch(path.name)), None)
    devkit = _read_devkit(devkit_path) if devkit_path else None
    words_path = next((path for path in files if _WORDS.fullmatch(path.name)), None)
    words = _read_words(words_path) if words_path else devkit.words if devkit else {}
    train, bad = _train(tars["train"]) if "train" in tars else ([], [])
    val = _val(tars["val"], devkit) if "val" in tars else []
    ids = sorted({wnid for _, wnid in train} | {wnid for _, wnid in val} | set(devkit.ids.values() if devkit else ()))
    numbers = {wnid: number for number, wnid in enumerate(ids)}
    splits = {
        split: EncodedPictures(tuple(_item(place, numbers[wnid]) for place, wnid in found))
        for split, found in ((TRAIN, train), (TEST, val))
        if found
    }
    used = [path for path in (*tars.values(), devkit_path, words_path) if path is not None]
    return Source(
        kind="ImageNet tars",
        paths=tuple(map(str, paths)),
        classes=tuple(f"{wnid} {words[wnid]}" if wnid in words else wnid for wnid in ids),
        splits=dict(splits),
        files=tuple(file_state(path, path.name) for path in used),
        bad=tuple(bad),
        notes=() if "val" in tars else ("there is no validation tar, so no test split",),
    )


_Place = tuple[str, str, int, int]  # name, file, offset, length


def _item(place: _Place, label: int) -> Item:
    name, file, offset, length = place
    return Item(name, label, file, offset, length)


def _files(paths: Sequence[Path]) -> list[Path]:
    """The paths, with what is in a folder that is no devkit."""
    files: list[Path] = []
    for path in paths:
        inside = path.is_dir() and not _DEVKIT.fullmatch(path.name)
        files += sorted(path.iterdir(), key=lambda file: file.name) if inside else [path]
    return files


def _train(path: Path) -> tuple[list[tuple[_Place, str]], list[Bad]]:
    """The pictures of a tar of tars, one for each class, by class and name."""
    found: list[tuple[_Place, str]] = []
    bad: list[Bad] = []
    for inner in members(path):
        wnid = Path(inner.name).stem
        if not _SYNSET.fullmatch(wnid):
            bad.append(Bad(f"{path.name}/{inner.name}", "no tar of a WordNet id"))
            continue
        found += [((f"{wnid}/{m.name}", str(path), m.offset, m.length), wnid) for m in members(path, inner)]
    return sorted(found), bad


def _val(path: Path, devkit: _Devkit | None) -> list[tuple[_Place, str]]:
    """In the order of their names, which is that of the ground truth."""
    if devkit is None:
        reason = "its labels are in the devkit, which is missing"
        raise DataError(str(path), reason, "put ILSVRC2012_devkit_t12.tar.gz beside it")
    found = sorted((f"val/{m.name}", str(path), m.offset, m.length) for m in members(path))
    if len(found) != len(devkit.truth):
        reason = f"{len(found):,} pictures, and {len(devkit.truth):,} labels in the devkit"
        raise DataError(str(path), reason, "fetch the tar and the devkit of the same year")
    return [(place, devkit.ids[number]) for place, number in zip(found, devkit.truth, strict=True)]


def _read_words(path: Path) -> dict[str, str]:
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    pairs = (line.split(" ", 1) for line in lines)
    return {pair[0]: pair[1] for pair in pairs if len(pair) == 2 and _SYNSET.fullmatch(pair[0])}


def _read_devkit(path: Path) -> _Devkit:
    """From the unpacked folder or the tar, compressed or not. Raises DataError."""
    meta, truth = _devkit_files(path)
    try:
        synsets = read_mat(meta)["synsets"]
        ids, words = _synsets(synsets)
        numbers = tuple(map(int, truth.split()))
    except (MatError, KeyError, TypeError, ValueError, IndexError) as error:
        raise DataError(str(path), f"its meta.mat cannot be read ({error})", "fetch the devkit again") from error
    if any(number not in ids for number in numbers):
        raise DataError(str(path), "its ground truth has numbers of no class", "fetch the devkit again")
    return _Devkit(ids, words, numbers)


def _synsets(synsets: object) -> tuple[dict[int, str], dict[str, str]]:
    """Those without children, which are the classes."""
    ids: dict[int, str] = {}
    words: dict[str, str] = {}
    for synset in synsets if isinstance(synsets, list) else []:
        numbers = [value[0] for name, value in synset.items() if name.endswith("_ID")]
        if synset["num_children"][0] == 0:
            ids[int(numbers[0])] = str(synset["WNID"])
            words[str(synset["WNID"])] = str(synset["words"])
    return ids, words


def _devkit_files(path: Path) -> tuple[bytes, str]:
    """meta.mat and the ground truth."""
    found: dict[str, bytes] = {}
    try:
        if path.is_dir():
            found = {file.name: file.read_bytes() for file in path.rglob("*") if _wanted(file.name)}
        else:
            with tarfile.open(path) as archive:
                for member in archive:
                    file = archive.extractfile(member) if _wanted(Path(member.name).name) else None
                    if file is not None:
                        found[Path(member.name).name] = file.read()
    except (OSError, tarfile.TarError, EOFError) as error:
        raise DataError(str(path), f"cannot be read ({error})", "fetch the devkit again") from error
    truth = next((text for name, text in found.items() if _TRUTH.fullmatch(name)), None)
    if truth is None or "meta.mat" not in found:
        raise DataError(str(path), "no meta.mat and ground truth in it", "give the devkit of the classification task")
    return found["meta.mat"], truth.decode("ascii", errors="replace")


def _wanted(name: str) -> bool:
    return name == "meta.mat" or _TRUTH.fullmatch(name) is not None
