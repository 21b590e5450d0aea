"""Pictures in, ranked labels out: the loop of `netspec infer`. It opens no model and prints nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

import numpy as np
from numpy.typing import NDArray

from netspec_runtime.card import ModelCard
from netspec_runtime.errors import DataError
from netspec_runtime.images import read_picture
from netspec_runtime.preprocess import ProportionsError, ViewCount, make_views
from netspec_runtime.session import Net

DEFAULT_BATCH: Final = 32  # views a pass; AlexNet takes 15 MB of activations a view
# onnxruntime's prepacking takes .15 s for AlexNet and saves .004 s a pass, whatever the batch.
PASSES_WORTH_PREPACKING: Final = 40


@dataclass(frozen=True)
class Prediction:
    """One class and its probability, from 0 to 1, averaged over the views."""

    label: str
    index: int
    probability: float


@dataclass(frozen=True)
class Answer:
    """The best classes for one picture, the most probable first."""

    path: str
    predictions: tuple[Prediction, ...]


@dataclass(frozen=True)
class Options:
    """How to classify. ``batch`` is how many views the net gets at once; those of one picture stay together."""

    views: ViewCount = 1
    top_k: int = 5
    batch: int = DEFAULT_BATCH

    @property
    def pictures_a_pass(self) -> int:
        return max(1, self.batch // self.views)

    def worth_prepacking(self, pictures: int) -> bool:
        """Whether so many pictures pay back the time that onnxruntime takes to rearrange the weights."""
        return pictures / self.pictures_a_pass > PASSES_WORTH_PREPACKING


def classify(net: Net, pictures: Iterable[str | DataError], options: Options) -> Iterator[Answer | DataError]:
    """An answer for each path (``-``: standard input), in order; a DataError stands where there is none.

    DataErrors among the ``pictures`` come out where they stood. Raises DataError if the model itself fails.
    """
    waiting = iter(pictures)
    while group := tuple(islice(waiting, options.pictures_a_pass)):
        prepared = [_prepared(net.card, picture, options.views) for picture in group]
        arrays = [array for array in prepared if not isinstance(array, DataError)]
        rows = iter(_averaged(net, arrays, options.views))
        for picture, array in zip(group, prepared, strict=True):
            if isinstance(array, DataError):
                yield array
            else:
                yield _answer(net.card, str(picture), next(rows), options.top_k)


def _prepared(card: ModelCard, picture: str | DataError, views: ViewCount) -> NDArray[np.float32] | DataError:
    """The views of one picture, or what is wrong with it."""
    if isinstance(picture, DataError):
        return picture
    try:
        return make_views(read_picture(picture, card.preprocessing.channels), card.preprocessing, views)
    except DataError as error:
        return error
    except ProportionsError as error:
        return DataError(picture, str(error), "crop it first")


def _averaged(net: Net, arrays: list[NDArray[np.float32]], views: ViewCount) -> NDArray[np.float32]:
    """[pictures, classes]: the probabilities of each picture, averaged over its views (section 4.1 of the paper)."""
    if not arrays:
        return np.empty((0, net.classes), np.float32)
    probabilities = net.probabilities(np.concatenate(arrays))
    averages: NDArray[np.float32] = probabilities.reshape(-1, views, net.classes).mean(axis=1)
    return averages


def _answer(card: ModelCard, path: str, probabilities: NDArray[np.float32], top_k: int) -> Answer:
    best = np.argsort(-probabilities, kind="stable")[:top_k]
    return Answer(path, tuple(Prediction(card.label(int(i)), int(i), float(probabilities[i])) for i in best))
