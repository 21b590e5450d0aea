"""Probabilities of all pictures of a split, kept in a file and averaged over nets. It runs no net and counts no errors.

The paper's 5 and 7 CNNs are such averages (section 6.1).
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from netspec_runtime.errors import DataError
from netspec_runtime.training.score import Scores, score
from netspec_runtime.training.tensor_file import read_sealed, write_safetensors

_KEY: Final = "netspec.predictions"  # of the file's metadata
_FORMAT: Final = 1


@dataclass(frozen=True)
class Source:
    """A net that had a say: its file as typed and the sha256 of that, its views of a picture, its part of the sum."""

    name: str
    sha256: str
    views: int
    weight: float


@dataclass(frozen=True, eq=False)
class Question:
    """What a net is asked: what each picture is of a split of the data with this digest, in one of ``outputs`` classes.

    ``labels`` int64 [N] are the answers. Without names, ``classes`` is empty. ``size``: height and width of the
    pictures as they are prepared, None where that was not kept.
    """

    data: str
    split: str
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    outputs: int
    size: tuple[int, int] | None = None


@dataclass(frozen=True)
class Predictions:
    """``probabilities`` float32 [N, classes] and ``labels`` int64 [N] of a split of the data with this digest.

    The weights of ``sources`` add up to 1. Without names, ``classes`` is empty.
    """

    probabilities: NDArray[np.float32]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    data: str
    split: str
    sources: tuple[Source, ...]

    @property
    def question(self) -> Question:
        return Question(self.data, self.split, self.labels, self.classes, self.probabilities.shape[1])

    @property
    def scores(self) -> Scores:
        """Raises DataError where no picture has a label."""
        return score(self.probabilities, self.labels)


def average(parts: Sequence[Predictions], weights: Sequence[float] | None = None) -> Predictions:
    """The weighted mean of probabilities; ``weights`` count relative to their sum, and are equal if not given.

    Raises DataError for answers to different pictures or about different classes, and for weights that are none.
    """
    numbers = shares(len(parts), weights)
    require_same([(", ".join(source.name for source in part.sources), part.question) for part in parts])
    first = parts[0]
    total = np.zeros(first.probabilities.shape, np.float64)
    for part, number in zip(parts, numbers, strict=True):
        total += number * part.probabilities
    sources = (
        Source(s.name, s.sha256, s.views, s.weight * number)
        for part, number in zip(parts, numbers, strict=True)
        for s in part.sources
    )
    return Predictions(total.astype(np.float32), first.labels, first.classes, first.data, first.split, tuple(sources))


def require_same(asked: Sequence[tuple[str, Question]]) -> None:
    """Raise DataError, with its name, for a net that is asked something else than the first, if there is one."""
    first = asked[0][1]
    for name, other in asked[1:]:
        if (first.data, first.split) != (other.data, other.split) or not np.array_equal(first.labels, other.labels):
            raise _different(name, first, other)
        if (first.classes, first.outputs) != (other.classes, other.outputs):
            raise DataError(name, "it tells other classes apart than the first", "average nets with the same classes")


def _different(name: str, first: Question, other: Question) -> DataError:
    same = np.array_equal(first.labels, other.labels) and first.classes == other.classes
    if first.data == other.data or first.split != other.split or not same:
        what = "another split" if first.data == other.data else "other data"
        reason = f"it answers for {what} than the first"
        return DataError(name, reason, "average answers for the same pictures")
    sizes = [f"{size[0]} x {size[1]}" for size in (other.size, first.size) if size is not None]
    said = f" ({sizes[0]}, the first's {sizes[1]})" if len(set(sizes)) > 1 else ", or are others"
    reason = f"its pictures are prepared differently from the first's{said}"
    return DataError(name, reason, "average nets whose specs say the same size, `resize` and colours, on the same data")


def shares(count: int, weights: Sequence[float] | None) -> list[float]:
    """Fractions of so many nets that add up to 1. Raises DataError for weights that are none."""
    if weights is None:
        return [1 / count] * count
    if len(weights) != count:
        raise DataError("weights", f"{len(weights)} for {count} models", "give one for each model, in their order")
    total = sum(weights)
    if not all(weight >= 0 for weight in weights) or not 0 < total < math.inf:
        raise DataError("weights", "they are no share of a whole", "give numbers from 0 on, such as .3,.7")
    return [weight / total for weight in weights]


def write_predictions(path: Path, predictions: Predictions) -> None:
    """Write a safetensors file, atomically. Raises DataError where the disk refuses, or for a file of another kind."""
    require_free(path)
    note = {
        "format": _FORMAT,
        "data": predictions.data,
        "split": predictions.split,
        "classes": predictions.classes,
        "sources": [asdict(source) for source in predictions.sources],
    }
    tensors = {"probabilities": torch.tensor(predictions.probabilities), "labels": torch.tensor(predictions.labels)}
    write_safetensors(path, tensors, {_KEY: json.dumps(note)}, sealed=True)


def require_free(path: Path) -> None:
    """Raise DataError for a path at which predictions cannot be written, as far as can be told beforehand."""
    if path.exists() and not holds_predictions(path):
        raise DataError(str(path), "it exists and holds no predictions", "choose another file")
    if not path.parent.is_dir():
        raise DataError(str(path), "there is no such folder", "make it, or choose another")


def holds_predictions(path: Path) -> bool:
    """Whether this is a file of `write_predictions`, by its head."""
    try:
        with safe_open(path, framework="pt") as file:
            return _KEY in (file.metadata() or {})
    except (OSError, SafetensorError):
        return False


def read_predictions(path: Path) -> Predictions:
    """What `write_predictions` wrote. Raises DataError for a file that is missing, damaged or of another kind."""
    tensors, metadata = read_sealed(path)
    if _KEY not in metadata:
        raise DataError(str(path), "it holds no predictions", "write them with `netspec eval --predictions`")
    note: dict[str, Any] = json.loads(metadata[_KEY])
    if note["format"] != _FORMAT:
        reason = f"it has format {note['format']}, this netspec reads {_FORMAT}"
        raise DataError(str(path), reason, "write it again with `netspec eval --predictions`")
    return Predictions(
        tensors["probabilities"].numpy(),
        tensors["labels"].numpy(),
        tuple(note["classes"]),
        note["data"],
        note["split"],
        tuple(Source(**source) for source in note["sources"]),
    )
