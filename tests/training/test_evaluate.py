"""Evaluation against a slow, obvious reference: one picture after the other, each view cut by hand, plain means."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from netspec_runtime.card import Channels
from netspec_runtime.data.prepared import Split, Statistics
from netspec_runtime.device import Device
from netspec_runtime.errors import DataError
from netspec_runtime.model_file import read_model
from netspec_runtime.preprocess import ViewCount
from netspec_runtime.session import open_net
from netspec_runtime.training.evaluate import EvaluationSet, evaluate, of_logits, of_session, predict
from netspec_runtime.training.pixels import Pixels
from netspec_runtime.training.recipe import PictureRecipe
from netspec_runtime.training.score import score
from netspec_runtime.training.world import Alone
from tests.runtime.models import CLASSES, SIDE, SmallNet

RECIPE = PictureRecipe(
    prepared=(20, 23),
    crop=(SIDE, SIDE),
    channels=Channels.RGB,
    mirror=True,
    mean="image",
    std=(50.0, 60.0, 70.0),
    noise=0.1,
    noise_of="eigenvalue",
    test_views=10,
)
COUNT = 37
Array = NDArray[np.float32]


class Torch(nn.Module):
    """The net of SmallNet, without its softmax."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 5, 2, 1)
        self.fc = nn.Linear(8 * 49, CLASSES)
        self.load_state_dict({name: torch.tensor(array) for name, array in SmallNet().weights().items()})

    def forward(self, images: Tensor) -> Tensor:
        found: Tensor = self.fc(self.conv1(images).relu().flatten(1))
        return found


def drawn(count: int = COUNT, seed: int = 0) -> Split:
    random = np.random.default_rng(seed)
    images = random.integers(0, 256, (count, *RECIPE.prepared, 3), np.uint8)
    return Split(images, random.integers(0, CLASSES, count))


def statistics(split: Split) -> Statistics:
    mean = split.images.mean(axis=0).astype(np.float32)
    return Statistics(mean, mean.mean((0, 1)).astype(np.float64), np.ones(3), np.eye(3))


def examined(split: Split, views: ViewCount = 1, batch: int = 8, workers: int = 0) -> EvaluationSet:
    pixels = Pixels(RECIPE, statistics(drawn()), torch.device("cpu"))
    return EvaluationSet(split, pixels, RECIPE.crop, views, batch, workers)


def slow_views(picture: NDArray[np.uint8], views: ViewCount) -> list[Array]:
    """Each view as the net gets it, in float64."""
    mean = statistics(drawn()).mean_image.astype(np.float64)[2:18, 3:19]
    corners = {"top left": (0, 0), "top right": (0, 7), "bottom left": (4, 0), "bottom right": (4, 7), "centre": (2, 3)}
    wanted = corners if views == 10 else {"centre": corners["centre"]}
    made = []
    for reflected in [False, True] if views == 10 else [False]:
        for top, left in wanted.values():
            patch = picture[top : top + SIDE, left : left + SIDE].astype(np.float64)
            patch = patch[:, ::-1] if reflected else patch
            made.append(((patch - mean) / np.array(RECIPE.std)).transpose(2, 0, 1).astype(np.float32))
    return made


def slow_probabilities(split: Split, views: ViewCount) -> Array:
    net = Torch()
    rows = []
    for picture in split.images:
        total = np.zeros(CLASSES)
        for view in slow_views(picture, views):
            total += net(torch.tensor(view)[None])[0].double().softmax(0).detach().numpy()
        rows.append(total / views)
    return np.array(rows, np.float32)


@pytest.mark.parametrize("views", [1, 10])
def test_probabilities_are_those_of_the_slow_reference(views: ViewCount) -> None:
    split = drawn()
    found = predict(of_logits(Torch()), examined(split, views))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, slow_probabilities(split, views), atol=2e-6)


@pytest.mark.parametrize("views", [1, 10])
def test_torch_and_onnxruntime_agree(views: ViewCount, tmp_path: Path) -> None:
    net = open_net(read_model(str(SmallNet().write(tmp_path / "small.onnx"))), Device.CPU, prepack=False)
    data = examined(drawn(), views)
    ours, theirs = predict(of_logits(Torch()), data), predict(of_session(net), data)
    np.testing.assert_allclose(ours, theirs, atol=2e-6)
    assert np.array_equal(ours.argmax(1), theirs.argmax(1))


@pytest.mark.parametrize("views", [1, 10])
@pytest.mark.parametrize(("batch", "workers"), [(1, 0), (8, 3), (36, 1), (37, 0), (500, 2)])
def test_scores_are_those_of_the_probabilities(views: ViewCount, batch: int, workers: int) -> None:
    split = drawn()
    found = evaluate(Torch(), examined(split, views, batch, workers))
    wanted = score(slow_probabilities(split, views), split.labels)
    assert replace(found, loss=0) == replace(wanted, loss=0)
    assert found.loss == pytest.approx(wanted.loss, rel=1e-5)


def test_every_pass_has_the_same_number_of_pictures() -> None:
    sizes = []
    net = Torch()

    def logits(images: Tensor) -> Tensor:
        sizes.append(len(images))
        found: Tensor = net(images)
        return found

    evaluate(logits, examined(drawn(37), 1, 8))
    assert sizes == [8] * 5
    sizes.clear()
    evaluate(logits, examined(drawn(33), 1, 32))
    assert sizes == [17] * 2


class Thread(Alone):
    """One of several threads that evaluate together: a World whose totals are real sums over them."""

    def __init__(self, rank: int, size: int, barrier: threading.Barrier, sent: list[list[float]]) -> None:
        self.rank, self.size, self._barrier, self._sent = rank, size, barrier, sent

    def rows(self, batch: int) -> slice:
        return slice(batch * self.rank // self.size, batch * (self.rank + 1) // self.size)

    def total(self, numbers: Iterable[float]) -> list[float]:
        self._sent[self.rank] = list(numbers)
        self._barrier.wait()
        return [sum(column) for column in zip(*self._sent, strict=True)]


@pytest.mark.parametrize("silent", [False, True], ids=["data parallel", "with processes that have other parts"])
@pytest.mark.parametrize("count", [1, 16, 37])
def test_processes_share_the_pictures_and_have_the_same_scores(count: int, silent: bool) -> None:
    """A silent partner computes with the process before it, on the same pictures, and has no logits."""
    size, split = 4, drawn(count)
    barrier, sent, found, passes = threading.Barrier(size), [[0.0]] * size, {}, [0] * size

    def work(rank: int) -> None:
        net = Torch()

        def logits(images: Tensor) -> Tensor | None:
            passes[rank] += 1
            assert len(images) == (4 if silent else 2)
            return None if silent and rank % 2 else net(images)

        world = Thread(rank, size, barrier, sent)
        if silent:
            pair = Thread(rank // 2, size // 2, barrier, sent)
            world.rows = pair.rows  # type: ignore[method-assign]  # partners have the same pictures
        found[rank] = evaluate(logits, examined(split, 1, 8), world)

    threads = [threading.Thread(target=work, args=(rank,)) for rank in range(size)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    alone = evaluate(Torch(), examined(split))
    assert [replace(found[rank], loss=0) for rank in range(size)] == [replace(alone, loss=0)] * size
    assert [found[rank].loss for rank in range(size)] == [pytest.approx(alone.loss, rel=1e-6)] * size
    assert passes == [-(-count // 8)] * size


def test_pictures_without_a_label_are_predicted_and_not_counted() -> None:
    split = drawn()
    labels = split.labels.copy()
    labels[::3] = -1
    found = evaluate(Torch(), examined(Split(split.images, labels)))
    wanted = score(slow_probabilities(split, 1)[labels >= 0], labels[labels >= 0])
    assert (found.count, found.top1_error) == (wanted.count, wanted.top1_error)
    assert len(predict(of_logits(Torch()), examined(Split(split.images, labels)))) == COUNT


def test_progress_is_told_up_to_the_last_picture() -> None:
    seen: list[int] = []
    predict(of_logits(Torch()), examined(drawn(), batch=16), seen.append)
    assert seen == [13, 26, 37]


def test_a_mapped_file_is_read(tmp_path: Path) -> None:
    split = drawn()
    np.save(tmp_path / "test-images.npy", split.images)
    mapped = Split(np.load(tmp_path / "test-images.npy", mmap_mode="r"), split.labels)
    assert evaluate(Torch(), examined(mapped, 10)) == evaluate(Torch(), examined(split, 10))


def test_what_cannot_be_evaluated() -> None:
    split = drawn()
    with pytest.raises(DataError, match=r"one is 5, and the net has 5 classes"):
        evaluate(Torch(), examined(Split(split.images, split.labels + 1)))
    with pytest.raises(DataError, match="no picture has one"):
        evaluate(Torch(), examined(Split(split.images, np.full(COUNT, -1))))
    with pytest.raises(DataError, match="15 x 23 pixels for a net that takes 16 x 16"):
        evaluate(Torch(), examined(Split(split.images[:, :15], split.labels)))
    with pytest.raises(DataError, match="0 pictures"):
        evaluate(Torch(), examined(Split(split.images[:0], split.labels[:0])))
