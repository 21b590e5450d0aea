"""WebDataset tars: a sample is the members whose names are equal up to the first dot: a picture, and `cls` or `json`.

Nothing is unpacked, and no picture is opened. A shard whose name says val or test belongs to the test split. Where any
sample has a `cls`, the labels are those, and a `json` says none: it may call something else a label.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from netspec_runtime.data.manifest import TEST, TRAIN
from netspec_runtime.data.prepared import UNLABELLED
from netspec_runtime.data.readers.splits import TEST_NAMES, split_of, why_left
from netspec_runtime.data.readers.tar import Member, content, members
from netspec_runtime.data.source import (
    LABEL_KEYS,
    Bad,
    EncodedPictures,
    Item,
    Source,
    class_index,
    class_names,
    file_state,
)
from netspec_runtime.errors import DataError
from netspec_runtime.sources import SUFFIXES, is_hidden

_WORD: Final = re.compile(r"[a-z]+")
_MOST: Final = 1 << 20  # bytes of a label


@dataclass(frozen=True, slots=True)
class _Sample:
    name: str
    shard: Path
    picture: Member
    labels: dict[str, Member]  # cls, json or both


def is_webdataset(paths: Sequence[Path]) -> bool:
    """Whether these are tars, or one folder whose files are tars alone."""
    return bool(paths) and bool(_shards(paths))


def read_webdataset(paths: Sequence[Path]) -> Source:
    """The samples in the order of the shards' names and of the archives. Raises DataError."""
    shards = _shards(paths)
    bad: list[Bad] = []
    samples = [sample for shard in shards for sample in _samples(shard, bad)]
    if not samples:
        raise DataError(str(paths[0]), "no sample with a picture in these tars", "give WebDataset tars: jpg and cls")
    words = {shard: _split_word(shard) for shard in shards}
    parts = split_of({word for word in words.values() if word})
    extension = "cls" if any("cls" in sample.labels for sample in samples) else "json"
    labels = list(_readable(samples, extension, bad))
    if not labels:
        raise DataError(str(paths[0]), f"no {extension} in these tars can be read", "write a label as text into each")
    labelled = any(label is not None for _, label in labels)
    classes = class_names(label for _, label in labels if label is not None)
    numbers = {name: number for number, name in enumerate(classes)}
    splits: dict[str, list[Item]] = {}
    for sample, label in labels:
        split = parts.get(words[sample.shard], "") if words[sample.shard] else TRAIN
        if not split:
            continue
        if labelled and label is None:
            bad.append(Bad(sample.name, f"no {extension} says its label"))
            continue
        number = UNLABELLED if label is None else class_index(label, numbers)
        place = sample.picture
        item = Item(sample.name, number, str(sample.shard), place.offset, place.length)
        splits.setdefault(split, []).append(item)
    left = sorted({word for word in words.values() if word and word not in parts})
    return Source(
        kind="WebDataset tars",
        paths=tuple(map(str, paths)),
        classes=classes,
        splits={split: EncodedPictures(tuple(splits[split])) for split in (TRAIN, TEST) if split in splits},
        files=tuple(file_state(shard, shard.name) for shard in shards),
        bad=tuple(bad),
        notes=tuple(f"the shards called {word} are left out: {why_left(word, parts)}" for word in left),
        unsplit=not any(words.values()),
    )


def _shards(paths: Sequence[Path]) -> list[Path]:
    """Empty where anything else is given."""
    if len(paths) == 1 and paths[0].is_dir():
        inside = sorted(
            paths[0].iterdir(), key=lambda path: path.name
        )  # a path compares ten times slower than its name
        files = [path for path in inside if not is_hidden(path.name)]
        files = [path for path in files if path.suffix not in (".json", ".txt", ".md")]
    else:
        files = list(paths)
    return files if all(path.suffix == ".tar" and path.is_file() for path in files) else []


def _split_word(shard: Path) -> str:
    """The word of its name that tells the split, or ""."""
    words = _WORD.findall(shard.stem.lower())
    return next((word for word in words if word in TEST_NAMES or split_of({word})), "")


def _samples(shard: Path, bad: list[Bad]) -> Iterator[_Sample]:
    """Members of a sample follow each other, as the format demands."""
    key = ""
    group: dict[str, Member] = {}
    for member in members(shard):
        folder, _, last = member.name.rpartition("/")
        stem, _, extension = last.partition(".")
        if f"{folder}/{stem}" != key:
            yield from _sample(shard, key, group, bad)
            key, group = f"{folder}/{stem}", {}
        group[extension.lower()] = member
    yield from _sample(shard, key, group, bad)


def _sample(shard: Path, key: str, group: dict[str, Member], bad: list[Bad]) -> Iterator[_Sample]:
    if not group:
        return
    name = f"{shard.name}/{key.lstrip('/')}"
    extension = next((one for one in group if f".{one.rpartition('.')[2]}" in SUFFIXES), None)
    if extension is None:
        bad.append(Bad(name, "a sample without a picture"))
        return
    labels = {one: member for one, member in group.items() if one in ("cls", "json")}
    yield _Sample(f"{name}.{extension}", shard, group[extension], labels)


def _readable(samples: list[_Sample], extension: str, bad: list[Bad]) -> Iterator[tuple[_Sample, str | None]]:
    """The samples whose labels can be read, with them: None where there is none. The others go to ``bad``."""
    for sample in samples:
        try:
            yield sample, _label(sample, extension)
        except (ValueError, RecursionError):  # a json of lists in lists in lists
            bad.append(Bad(sample.name, "its label cannot be read"))


def _label(sample: _Sample, extension: str) -> str | None:
    """As text. Raises ValueError."""
    member = sample.labels.get(extension)
    if member is None:
        return None
    if member.length > _MOST:
        raise ValueError
    text = content(sample.shard, member).decode().strip()
    if extension == "cls":
        return text or None
    value = json.loads(text)
    found = next((value[key] for key in LABEL_KEYS if key in value), None) if isinstance(value, dict) else None
    return str(found) if isinstance(found, str | int) and not isinstance(found, bool) else None
