"""A net ready to be evaluated, in torch or in onnxruntime, and whether prepared data suit it. It counts no errors."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from netspec_runtime.card import SPLIT_KEY, Channels, ModelCard, Preprocessing
from netspec_runtime.class_names import moved_class, other_names
from netspec_runtime.data.prepared import UNLABELLED, PreparedData, Split, Statistics
from netspec_runtime.device import Device
from netspec_runtime.errors import DataError, EnvironmentProblem
from netspec_runtime.model_file import ModelFile
from netspec_runtime.preprocess import ViewCount
from netspec_runtime.session import open_net
from netspec_runtime.split import open_split_net
from netspec_runtime.training.crops import require_fit, require_size
from netspec_runtime.training.evaluate import EvaluationSet, Forward, Seen, of_logits, of_session, predict
from netspec_runtime.training.memory import enough_memory
from netspec_runtime.training.net import LocalNet
from netspec_runtime.training.pixels import Pixels
from netspec_runtime.training.predictions import Predictions, Question, Source
from netspec_runtime.training.recipe import PictureRecipe

Backend = Literal["torch", "onnx"]
_CUTTERS: Final = 2  # threads that cut patches ahead


@dataclass(frozen=True)
class Candidate:
    """``name`` is what was typed, ``sha256`` that of the file with the weights, ``where`` the device that really runs.

    ``probabilities`` takes what pixels on ``device`` give.
    """

    name: str
    sha256: str
    card: ModelCard
    classes: int
    backend: Backend
    where: str
    device: torch.device
    probabilities: Forward


@dataclass(frozen=True)
class TorchNet:
    """The source of a generated module, its class, and weights by the merged net's names."""

    source: str
    name: str
    classes: int
    weights: Mapping[str, Tensor]
    sha256: str


def open_onnx(model: ModelFile, name: str, device: Device) -> Candidate:
    """A net in onnxruntime. Raises DataError, EnvironmentProblem."""
    net = open_split_net(model, device) if SPLIT_KEY in model.metadata else open_net(model, device, prepack=True)
    where, cpu = net.opened.provider, torch.device("cpu")
    return Candidate(name, file_sha256(model.path), model.card, net.classes, "onnx", where, cpu, of_session(net))


def open_torch(net: TorchNet, card: ModelCard, name: str, device: Device) -> Candidate:
    """A net in torch, in eval mode. Raises EnvironmentProblem."""
    place = _place(device)
    local = LocalNet(net.source, net.name, (place,))
    local.module.load_state_dict(local.distribute(net.weights), strict=False)  # a shared tensor has a second name
    local.module.eval()
    ready = not card.scores and not hasattr(local.module, "logits")  # it has several outputs, the first a softmax
    answers = local.logits if ready else of_logits(local.logits)
    return Candidate(name, net.sha256, card, net.classes, "torch", place, local.device, answers)


def examine(
    candidate: Candidate,
    data: PreparedData,
    split: str,
    views: ViewCount,
    batch: int,
    seen: Seen = lambda pictures: None,
) -> Predictions:
    """A net's probabilities for all pictures of a split.

    Raises DataError where the data do not suit it, EnvironmentProblem where memory is full.
    """
    question, _ = put(candidate, data, split)
    card = candidate.card.preprocessing
    pixels = card_pixels(card, data, candidate.device)
    pictures = EvaluationSet(data.splits[split], pixels, card.crop, views, batch, _CUTTERS)
    with enough_memory("give a smaller --batch"):
        answers = predict(candidate.probabilities, pictures, seen)
    source = Source(candidate.name, candidate.sha256, views, 1.0)
    return Predictions(answers, question.labels, question.classes, question.data, question.split, (source,))


def put(candidate: Candidate, data: PreparedData, split: str) -> tuple[Question, str]:
    """What a split asks of a net, before it runs, and a remark where class names differ, or "".

    Names may differ, as `goldfish` and `n01443537` do; but what both know must stand in the same place. Data of some of
    its classes alone are known by their names. Raises DataError where the data do not suit the net, or nothing has a
    label.
    """
    places = _places_of_some(candidate.card.labels, data.classes)
    remark = _check_classes(candidate, data) if places is None else _few_of(candidate, data)
    _check_size(candidate, data)
    found = _split(data, split)
    require_fit(found, candidate.card.preprocessing.crop, candidate.card.preprocessing.channels.planes)
    if (found.labels == UNLABELLED).all():
        raise DataError("labels", "no picture has one, so there is no error to count", "take a labelled split")
    labels, names = found.labels, data.classes
    if places is not None:
        labels, names = np.where(labels == UNLABELLED, UNLABELLED, places[labels]), candidate.card.labels
    return Question(data.digest, split, labels, names, candidate.classes, data.size), remark


def _places_of_some(ours: tuple[str, ...], theirs: tuple[str, ...]) -> NDArray[np.int64] | None:
    """Where each of the data's classes stands among the net's, if they are fewer and each has one place by its name."""
    counts = Counter(ours)
    if not theirs or len(theirs) >= len(ours) or any(counts[name] != 1 for name in theirs):
        return None
    return np.array([ours.index(name) for name in theirs], np.int64)


def _few_of(candidate: Candidate, data: PreparedData) -> str:
    return f"the data have {len(data.classes):,} of its {candidate.classes:,} classes; it may answer any of these"


def _check_classes(candidate: Candidate, data: PreparedData) -> str:
    ours, theirs = candidate.card.labels, data.classes
    if candidate.classes != len(theirs):
        reason = f"it tells {candidate.classes:,} classes apart, the data have {len(theirs):,}"
        raise DataError(candidate.name, reason, "evaluate it on data of its own classes, or of some by the same names")
    moved = moved_class(ours, theirs)
    if moved is not None:
        reason = f"its class {moved} is `{ours[moved]}`, in the data it is `{theirs[moved]}`"
        raise DataError(candidate.name, reason, "bring the labels of both into the same order")
    return other_names(ours, theirs)


def _check_size(candidate: Candidate, data: PreparedData) -> None:
    card = candidate.card.preprocessing
    wanted = card.crop if card.resize is None else (card.resize, card.resize)
    require_size(data, wanted, card.channels.planes, f"prepare them for {candidate.name}, from the source")


def _split(data: PreparedData, name: str) -> Split:
    if name not in data.splits:
        there = ", ".join(data.splits)
        raise DataError(str(data.path), f"it has no split `{name}`, only {there}", "choose another with --split")
    return data.splits[name]


def card_pixels(card: Preprocessing, data: PreparedData, device: torch.device) -> Pixels:
    """Prepared pictures to inputs as the card says, so as `infer` does, whatever the mean of these data is."""
    recipe = PictureRecipe(
        prepared=data.size,
        crop=card.crop,
        channels=card.channels,
        mirror=False,
        mean=card.mean if card.mean_image is None else "image",
        std=card.std,
        noise=0,
        noise_of="eigenvalue",
        test_views=1,
    )
    return Pixels(recipe, _statistics(card, data), device)


def _statistics(card: Preprocessing, data: PreparedData) -> Statistics:
    """With the card's mean image, [H, W, C] of the input, colours in the order of the data."""
    if card.mean_image is None:
        return data.statistics
    image = card.mean_image.array.transpose(1, 2, 0)
    image = image[:, :, ::-1] if card.channels is Channels.BGR else image
    return replace(data.statistics, mean_image=np.ascontiguousarray(image))


def _place(device: Device) -> str:
    """The torch device."""
    here = device is not Device.CPU and torch.cuda.is_available()
    if device is Device.CUDA and not here:
        raise EnvironmentProblem(
            "--device cuda", "torch finds no CUDA device", "use --device auto, or `netspec doctor`"
        )
    return "cuda:0" if here else "cpu"


def file_sha256(path: Path) -> str:
    """In hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
