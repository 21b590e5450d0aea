"""What probabilities are worth against labels: loss, top-1 and top-5 error, confusions. It runs no net."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from netspec_runtime.data.prepared import UNLABELLED
from netspec_runtime.errors import DataError

TOP: Final = 5
_LEAST: Final = torch.finfo(torch.float32).tiny  # a probability of 0 costs 87.3, not infinity


@dataclass(frozen=True)
class Scores:
    """Of ``count`` labelled pictures: the mean of -log p(label), and errors as fractions (paper 2).

    A picture without a finite probability for its label is an error and makes the loss NaN. ``top5_error`` of a net
    with fewer than five classes is 0.
    """

    count: int
    loss: float
    top1_error: float
    top5_error: float

    @classmethod
    def of_sums(cls, sums: Sequence[float]) -> Scores:
        """From the four numbers of `tally`, added up. Raises DataError where no picture had a label."""
        count, loss, top1, top5 = sums
        if not count:
            raise DataError("labels", "no picture has one, so there is no error to count", "take a labelled split")
        return cls(int(count), loss / count, top1 / count, top5 / count)


@dataclass(frozen=True)
class Confusion:
    """How often pictures of class ``true`` are taken for ``predicted``."""

    true: int
    predicted: int
    count: int


@dataclass(frozen=True)
class ClassScores:
    """One class: its pictures, the errors of those as fractions, and how often any picture was taken for it."""

    index: int
    count: int
    top1_error: float
    top5_error: float
    predicted: int


def places(scores: Tensor, labels: Tensor) -> Tensor:
    """[N]: the place of each label among scores [N, classes], 0 is first. Of equal scores the lower class leads.

    It is that of a stable sort, as in `infer`. A score that is no number puts its label behind all classes.
    """
    own = scores.gather(1, labels[:, None])
    classes = torch.arange(scores.shape[1], device=scores.device)
    before = (scores > own) | ((scores == own) & (classes < labels[:, None]))
    return before.sum(dim=1).where(own[:, 0].isfinite(), scores.shape[1])


def tally(scores: Tensor, labels: Tensor, loss: Tensor | None = None) -> Tensor:
    """float64 [4], to be added up: labelled pictures, their loss, misses of the first, of the first five.

    Without the sum of the ``loss`` the scores are probabilities, and it is that of -log p(label).
    """
    known = labels != UNLABELLED
    wanted = labels.clamp_min(0)
    place = places(scores, wanted)
    if loss is None:
        own = scores.gather(1, wanted[:, None])[:, 0].double()
        loss = torch.where(known, -own.clamp_min(_LEAST).log(), 0.0).sum()
    misses = (known & (place >= min(k, scores.shape[1])) for k in (1, TOP))
    return torch.stack([known.sum().double(), loss.double(), *(miss.sum().double() for miss in misses)])


def score(probabilities: NDArray[np.float32], labels: NDArray[np.int64]) -> Scores:
    """The scores of probabilities [N, classes]. Raises DataError where no picture has a label."""
    return Scores.of_sums(tally(torch.tensor(probabilities), torch.tensor(labels)).tolist())


def confusion_matrix(probabilities: NDArray[np.float32], labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """[classes, classes]: how many labelled pictures of each class (row) were taken for each class (column)."""
    known = labels != UNLABELLED
    classes = probabilities.shape[1]
    first = probabilities[known].argmax(axis=1)  # of equal ones the lower class
    counts = np.bincount(labels[known] * classes + first, minlength=classes * classes)
    return counts.astype(np.int64).reshape(classes, classes)


def most_confused(matrix: NDArray[np.int64], count: int) -> tuple[Confusion, ...]:
    """At most ``count`` pairs of different classes, the most frequent first; equal ones in the order of classes."""
    wrong = matrix.copy()
    np.fill_diagonal(wrong, 0)
    flat = wrong.reshape(-1)
    best = np.argsort(-flat, kind="stable")[:count]
    found = ((*divmod(int(i), len(matrix)), int(flat[i])) for i in best)
    return tuple(Confusion(*pair) for pair in found if pair[2])


def score_classes(probabilities: NDArray[np.float32], labels: NDArray[np.int64]) -> tuple[ClassScores, ...]:
    """Each class that has labelled pictures, in order."""
    known = labels != UNLABELLED
    place = places(torch.tensor(probabilities[known]), torch.tensor(labels[known])).numpy()
    predicted = np.bincount(probabilities[known].argmax(axis=1), minlength=probabilities.shape[1])
    rows = []
    for index in np.unique(labels[known]):
        own = place[labels[known] == index]
        top1, top5 = (float((own >= min(k, probabilities.shape[1])).mean()) for k in (1, TOP))
        rows.append(ClassScores(int(index), len(own), top1, top5, int(predicted[index])))
    return tuple(rows)
