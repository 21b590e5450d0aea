"""A net over a split, torch or ONNX: probabilities averaged over views, and scores. It trains nothing."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice, product
from typing import TYPE_CHECKING, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from netspec_runtime.data.prepared import UNLABELLED, Split
from netspec_runtime.errors import DataError
from netspec_runtime.prefetch import in_order
from netspec_runtime.preprocess import ViewCount
from netspec_runtime.training.crops import require_fit
from netspec_runtime.training.pixels import Pixels
from netspec_runtime.training.score import Scores, tally
from netspec_runtime.training.views import View, cut_view, views_of
from netspec_runtime.training.world import Alone, World

if TYPE_CHECKING:
    from netspec_runtime.session import Net

Forward = Callable[[Tensor], Tensor | None]  # [n, C, h, w] to [n, classes]; None where another process has it
Seen = Callable[[int], object]
Places = NDArray[np.int64]
Passes = Generator[tuple[Places, Tensor | None], None, None]
_ALONE: Final = Alone()


@dataclass(frozen=True)
class EvaluationSet:
    """Pictures of a split on their way to a net whose input is ``crop``, height and width.

    At most ``batch`` pictures go through at once, a view at a time; ``workers`` threads cut them ahead.
    """

    split: Split
    pixels: Pixels
    crop: tuple[int, int]
    views: ViewCount = 1
    batch: int = 128
    workers: int = 0


def evaluate(logits: Forward, data: EvaluationSet, world: World = _ALONE, seen: Seen = lambda pictures: None) -> Scores:
    """The scores of a torch net over the whole split, in every process of the world.

    ``logits`` is what the softmax takes, of a module in eval mode. With several processes they have ``batch`` pictures
    between them in every pass. ``seen`` is told how many pictures are done. Raises DataError for pictures that do not
    fit, a label that the net has no class for, or a split without labels.
    """
    sums: Tensor | None = None
    with torch.inference_mode(), closing(_passes(of_logits(logits), data, world)) as passes:
        for places, probabilities in passes:
            if probabilities is not None:
                labels = _labels(data.split, places, probabilities.shape[1]).to(probabilities.device)
                part = tally(probabilities, labels)
                sums = part if sums is None else sums + part
            seen(min(int(places[-1]) + 1, len(data.split)))
    return Scores.of_sums(world.total([0.0] * 4 if sums is None else sums.tolist()))


def predict(probabilities: Forward, data: EvaluationSet, seen: Seen = lambda pictures: None) -> NDArray[np.float32]:
    """[N, classes]: the probabilities of all pictures, averaged over the views (paper 4.1), in one process.

    ``probabilities`` is `of_logits` or `of_session`. Raises DataError for pictures that do not fit, or a session that
    fails.
    """
    parts: list[Tensor] = []
    with torch.inference_mode(), closing(_passes(probabilities, data, _ALONE)) as passes:
        for places, averages in passes:
            if averages is None:
                raise TypeError("a net in one process has all answers")
            parts.append(averages[: len(data.split) - int(places[0])].cpu())
            seen(int(places[0]) + len(parts[-1]))
    answers: NDArray[np.float32] = torch.cat(parts).numpy()
    return answers


def of_logits(logits: Forward) -> Forward:
    """Probabilities, float32, of a net that gives what a softmax takes."""

    def probabilities(images: Tensor) -> Tensor | None:
        scores = logits(images)
        return None if scores is None else scores.float().softmax(dim=1)

    return probabilities


def of_session(net: Net) -> Forward:
    """Probabilities of a net in onnxruntime. They raise DataError if it fails."""
    return lambda images: torch.from_numpy(net.probabilities(images.cpu().numpy()))


def _passes(probabilities: Forward, data: EvaluationSet, world: World) -> Passes:
    """Places in the split, and the probabilities of those pictures of this process, averaged over views.

    Every pass has the same number of pictures: a compiled net is compiled once, and processes that exchange parts of a
    batch agree on its size. Places from the split's end on stand for its last picture.
    """
    count = len(data.split)
    require_fit(data.split, data.crop, data.split.images.shape[3])
    size = data.batch if world.size > 1 else math.ceil(count / math.ceil(count / data.batch))
    starts, rows = range(0, count, size), world.rows(size)

    views = views_of(data.split.images.shape[1:3], data.crop, data.views)

    def load(job: tuple[int, View]) -> Tensor:
        places = np.arange(job[0], job[0] + size)[rows]
        return data.pixels.pinned(cut_view(data.split, np.minimum(places, count - 1), job[1], data.crop))

    with closing(in_order(load, product(starts, views), data.workers)) as loaded:
        for first in starts:
            answers = [probabilities(data.pixels(view)) for view in islice(loaded, data.views)]
            parts = [answer for answer in answers if answer is not None]
            yield np.arange(first, first + size)[rows], torch.stack(parts).mean(dim=0) if parts else None


def _labels(split: Split, places: Places, classes: int) -> Tensor:
    """The labels; those of pictures that only fill up are UNLABELLED."""
    found = split.labels[np.minimum(places, len(split) - 1)]
    if found.max() >= classes:
        reason = f"one is {found.max()}, and the net has {classes} classes, numbered from 0"
        raise DataError("labels", reason, "give the net's classifier as many outputs as the data has classes")
    return torch.from_numpy(np.where(places < len(split), found, UNLABELLED))
