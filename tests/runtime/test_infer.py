"""The loop: answers equal plain onnxruntime on the same views, whatever the batch, with errors in their places."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import onnxruntime  # type: ignore[import-untyped]
import pytest
from numpy.typing import NDArray
from PIL import Image

from netspec_runtime.card import Channels
from netspec_runtime.device import Device
from netspec_runtime.errors import DataError
from netspec_runtime.images import read_picture
from netspec_runtime.infer import Answer, Options, Prediction, classify
from netspec_runtime.model_file import read_model
from netspec_runtime.preprocess import ViewCount, make_views
from netspec_runtime.session import Net, open_net
from netspec_runtime.sources import find_pictures
from tests.runtime.bombs import png
from tests.runtime.models import LABELS, SmallNet, described


@pytest.fixture
def net(model_path: Path) -> Net:
    return open_net(read_model(str(model_path)), Device.CPU, prepack=True)


def pictures(folder: Path, count: int) -> list[str]:
    random = np.random.default_rng(3)
    paths = [folder / f"{number}.png" for number in range(count)]
    for path in paths:
        height, width = random.integers(10, 60, 2)
        Image.fromarray(random.integers(0, 256, (height, width, 3), np.uint8)).save(path)
    return [str(path) for path in paths]


def slow_answer(model_path: Path, net: Net, path: str, views: ViewCount) -> NDArray[np.float32]:
    """One picture at a time through the plain file, the views' probabilities averaged."""
    session = onnxruntime.InferenceSession(str(model_path), providers=["CPUExecutionProvider"])
    batch = make_views(read_picture(path, Channels.RGB), net.card.preprocessing, views)
    rows = [session.run(None, {"data": batch[i : i + 1]})[0][0] for i in range(views)]
    average: NDArray[np.float32] = np.mean(rows, axis=0)
    return average


def answered(net: Net, paths: Iterable[str | DataError], options: Options) -> list[Answer]:
    return [outcome for outcome in classify(net, paths, options) if isinstance(outcome, Answer)]


@pytest.mark.parametrize("views", [1, 10])
@pytest.mark.parametrize("batch", [1, 4, 32])
def test_answers_are_those_of_the_slow_way(
    views: ViewCount, batch: int, net: Net, model_path: Path, tmp_path: Path
) -> None:
    paths = pictures(tmp_path, 7)
    answers = answered(net, paths, Options(views, top_k=5, batch=batch))
    assert [answer.path for answer in answers] == paths
    for answer in answers:
        wanted = slow_answer(model_path, net, answer.path, views)
        found = {prediction.index: prediction.probability for prediction in answer.predictions}
        np.testing.assert_allclose([found[i] for i in range(5)], wanted, atol=1e-6)
        assert [p.index for p in answer.predictions] == list(np.argsort(-wanted, kind="stable"))


def test_probabilities_are_averaged_not_logits(net: Net, tmp_path: Path) -> None:
    (answer,) = answered(net, pictures(tmp_path, 1), Options(views=10))
    assert sum(prediction.probability for prediction in answer.predictions) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(("top_k", "expected"), [(1, 1), (3, 3), (1000, 5)])
def test_top_k(top_k: int, expected: int, net: Net, tmp_path: Path) -> None:
    (answer,) = answered(net, pictures(tmp_path, 1), Options(top_k=top_k))
    chances = [prediction.probability for prediction in answer.predictions]
    assert len(chances) == expected
    assert chances == sorted(chances, reverse=True)
    assert isinstance(answer.predictions[0], Prediction)
    assert answer.predictions[0].label == LABELS[answer.predictions[0].index]


def test_without_labels(tmp_path: Path) -> None:
    path = SmallNet(metadata=described({}, labels=None)).write(tmp_path / "a.onnx")
    net = open_net(read_model(str(path)), Device.CPU, prepack=True)
    (answer,) = answered(net, pictures(tmp_path, 1), Options(top_k=1))
    assert answer.predictions[0].label == f"class {answer.predictions[0].index}"


def bad_files(folder: Path) -> dict[str, str]:
    """The four of the issue, and what is said about each."""
    (folder / "text.jpg").write_text("no picture")
    photo = folder / "cut.jpg"
    Image.fromarray(np.random.default_rng(1).integers(0, 256, (99, 99, 3), np.uint8)).save(photo)
    photo.write_bytes(photo.read_bytes()[:2000])
    (folder / "bomb.png").write_bytes(png(20_000, 20_000, bytes(1 << 20)))
    Image.new("1", (1, 200_000)).save(folder / "thread.png")
    return {
        "text.jpg": "no picture in any format that is read here",
        "cut.jpg": "truncated",
        "bomb.png": "too large",
        "missing.jpg": "No such file or directory",
        "thread.png": "too long and thin",
    }


@pytest.mark.parametrize("batch", [1, 3, 32])
def test_bad_files_stand_where_they_were_and_the_others_are_answered(batch: int, net: Net, tmp_path: Path) -> None:
    reasons = bad_files(tmp_path)
    good = pictures(tmp_path, len(reasons))
    bad = [str(tmp_path / name) for name in reasons]
    mixed = list(itertools.chain.from_iterable(zip(good, bad, strict=True)))
    outcomes = list(classify(net, mixed, Options(batch=batch)))
    assert [outcome.path for outcome in outcomes if isinstance(outcome, Answer)] == good
    errors = [outcome for outcome in outcomes if isinstance(outcome, DataError)]
    assert [error.where for error in errors] == bad
    assert [isinstance(outcome, DataError) for outcome in outcomes] == [False, True] * len(bad)
    for error, reason in zip(errors, reasons.values(), strict=True):
        assert reason in error.reason
        assert str(error).isprintable()


def test_the_loop_is_lazy(net: Net, tmp_path: Path) -> None:
    paths = iter(pictures(tmp_path, 9))
    next(iter(classify(net, paths, Options(batch=2))))
    assert len(list(paths)) == 7


def test_prepacking_is_for_many_pictures() -> None:
    assert not Options(views=10).worth_prepacking(100)
    assert Options(views=10).worth_prepacking(1000)
    assert not Options().worth_prepacking(1000)


@pytest.mark.parametrize("views", [1, 10])
def test_a_hundred_real_photos(views: ViewCount, net: Net, photos: Path) -> None:
    paths = list(find_pictures([str(photos)]))
    answers = answered(net, paths, Options(views))
    assert [answer.path for answer in answers] == paths
    assert len(answers) == 100
    one_by_one = answered(net, paths[::25], Options(views, batch=1))
    for alone, among in zip(one_by_one, answers[::25], strict=True):
        assert [p.index for p in alone.predictions] == [p.index for p in among.predictions]
