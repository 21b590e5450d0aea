"""Predictions in files, and averages of them against the mean written plainly."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from netspec_runtime.errors import DataError
from netspec_runtime.training.predictions import (
    Predictions,
    Source,
    average,
    holds_predictions,
    read_predictions,
    write_predictions,
)
from netspec_runtime.training.score import score


def drawn(seed: int, name: str = "a.onnx") -> Predictions:
    random = np.random.default_rng(seed)
    probabilities = random.dirichlet(np.ones(4), 30).astype(np.float32)
    labels = np.random.default_rng(0).integers(-1, 4, 30)
    return Predictions(probabilities, labels, ("a", "b", "c", "d"), "d1", "test", (Source(name, "00", 10, 1.0),))


def same(one: Predictions, other: Predictions) -> bool:
    return all_of(one) == all_of(other)


def all_of(p: Predictions) -> tuple[object, ...]:
    arrays = (p.probabilities.dtype, p.probabilities.tobytes(), p.labels.dtype, p.labels.tobytes())
    return (*arrays, p.probabilities.shape, p.classes, p.data, p.split, p.sources)


def test_they_come_back_from_a_file_bit_for_bit(tmp_path: Path) -> None:
    path, predictions = tmp_path / "p.safetensors", drawn(1, "ünï.onnx")
    write_predictions(path, predictions)
    assert holds_predictions(path)
    assert same(read_predictions(path), predictions)
    write_predictions(path, drawn(2))
    assert same(read_predictions(path), drawn(2))


def test_equal_averages_are_means() -> None:
    parts = [drawn(seed) for seed in range(5)]
    found = average(parts)
    np.testing.assert_allclose(found.probabilities, np.mean([p.probabilities for p in parts], axis=0), atol=1e-7)
    assert found.scores == score(found.probabilities, parts[0].labels)


def test_weights_count_relative_to_their_sum() -> None:
    one, other = drawn(1, "one"), drawn(2, "other")
    found = average([one, other], [3, 1])
    np.testing.assert_allclose(found.probabilities, 0.75 * one.probabilities + 0.25 * other.probabilities, atol=1e-7)
    assert [(source.name, source.weight) for source in found.sources] == [("one", 0.75), ("other", 0.25)]
    assert same(average([one, other], [0.75, 0.25]), found)


def test_an_average_of_averages_is_that_of_all(tmp_path: Path) -> None:
    """The paper's 7 CNNs: an average of 5 and one of 2, kept in files."""
    parts = [drawn(seed, f"net{seed}") for seed in range(7)]
    for name, some in (("five", parts[:5]), ("two", parts[5:])):
        write_predictions(tmp_path / name, average(some))
    found = average([read_predictions(tmp_path / "five"), read_predictions(tmp_path / "two")], [5, 2])
    np.testing.assert_allclose(found.probabilities, average(parts).probabilities, atol=1e-7)
    assert [source.name for source in found.sources] == [f"net{seed}" for seed in range(7)]
    assert [source.weight for source in found.sources] == pytest.approx([1 / 7] * 7)


def test_one_is_its_own_average() -> None:
    assert same(average([drawn(1)]), drawn(1))
    assert same(average([drawn(1)], [17.0]), drawn(1))


def test_different_pictures_or_classes_are_not_averaged() -> None:
    one = drawn(1)
    other_labels = replace(one, labels=one.labels[::-1].copy())
    fewer = replace(one, probabilities=one.probabilities[:9], labels=one.labels[:9])
    for other, what in (
        (replace(one, data="d2"), "pictures are prepared differently from the first's, or are others"),
        (replace(one, data="d2", labels=one.labels[::-1].copy()), "it answers for other data than the first"),
        (replace(one, split="train"), "for another split than the first"),
        (other_labels, "for another split than the first"),
        (fewer, "for another split than the first"),
        (replace(one, classes=("a", "b", "d", "c")), "other classes"),
        (replace(one, probabilities=one.probabilities[:, :3]), "other classes"),
    ):
        with pytest.raises(DataError, match=what):
            average([one, other])


@pytest.mark.parametrize(
    "weights", [[1.0], [1.0, 2.0, 3.0], [0, 0], [-1, 2], [float("nan"), 1], [float("inf"), 1], [1e308, 1e308]]
)
def test_weights_that_are_none(weights: list[float]) -> None:
    with pytest.raises(DataError):
        average([drawn(1), drawn(2)], weights)


def test_a_file_of_another_kind_is_neither_read_nor_replaced(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    save_file({"conv1.weight": torch.ones(3)}, path)
    kept = path.read_bytes()
    with pytest.raises(DataError):
        read_predictions(path)
    with pytest.raises(DataError, match="holds no predictions"):
        write_predictions(path, drawn(1))
    assert path.read_bytes() == kept


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "p.safetensors"
    write_predictions(path, drawn(1))
    data = bytearray(path.read_bytes())
    data[-100] ^= 1
    path.write_bytes(data)
    with pytest.raises(DataError, match="damaged"):
        read_predictions(path)
    with pytest.raises(DataError, match="No such file"):
        read_predictions(tmp_path / "none")
