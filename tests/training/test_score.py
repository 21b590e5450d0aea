"""Scores against a plain count with sorted lists, one picture after the other."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from netspec_runtime.errors import DataError
from netspec_runtime.training.score import (
    Confusion,
    Scores,
    confusion_matrix,
    most_confused,
    places,
    score,
    score_classes,
    tally,
)

Array = NDArray[np.float32]
Labels = NDArray[np.int64]


def drawn(count: int, classes: int, seed: int = 0) -> tuple[Array, Labels]:
    """Probabilities with many ties, and labels of which some are missing."""
    random = np.random.default_rng(seed)
    coarse = random.integers(1, 6, (count, classes)).astype(np.float32)
    return coarse / coarse.sum(axis=1, keepdims=True), random.integers(-1, classes, count)


def ranking(row: Array) -> list[int]:
    """The classes, the most probable first, as a person would sort them."""
    return sorted(range(len(row)), key=lambda c: (-float(row[c]), c))


@pytest.mark.parametrize("classes", [1, 2, 4, 5, 6, 30])
def test_errors_and_loss_as_counted_by_hand(classes: int) -> None:
    probabilities, labels = drawn(200, classes, classes)
    known = [(row, int(label)) for row, label in zip(probabilities, labels, strict=True) if label >= 0]
    top1 = sum(label != ranking(row)[0] for row, label in known)
    top5 = sum(label not in ranking(row)[:5] for row, label in known)
    loss = -sum(math.log(float(row[label])) for row, label in known)
    found = score(probabilities, labels)
    assert found.count == len(known)
    assert (found.top1_error, found.top5_error) == (top1 / len(known), top5 / len(known))
    assert found.loss == pytest.approx(loss / len(known), rel=1e-6)


@given(arrays(np.float32, (5, 7), elements=st.sampled_from([0.0, 0.25, 0.5, -1.0])))
def test_a_place_is_that_of_a_stable_sort(scores: Array) -> None:
    for label in range(7):
        found = places(torch.tensor(scores), torch.full((5,), label))
        assert found.tolist() == [ranking(row).index(label) for row in scores]


def test_answers_that_are_no_numbers_are_errors() -> None:
    probabilities = np.full((2, 6), np.nan, np.float32)
    probabilities[1] = 1 / 6
    found = score(probabilities, np.zeros(2, np.int64))
    assert (found.top1_error, found.top5_error) == (0.5, 0.5)
    assert math.isnan(found.loss)


def test_no_number_of_an_unlabelled_picture_matters() -> None:
    probabilities = np.array([[np.nan, np.nan], [0.25, 0.75]], np.float32)
    found = score(probabilities, np.array([-1, 1]))
    assert (found.count, found.top1_error, found.top5_error) == (1, 0, 0)
    assert found.loss == pytest.approx(-math.log(0.75))


def test_a_probability_of_zero_costs_a_finite_loss() -> None:
    assert score(np.array([[1, 0]], np.float32), np.array([1])).loss == pytest.approx(87.3, abs=0.1)


def test_sums_of_parts_are_those_of_the_whole() -> None:
    probabilities, labels = drawn(50, 8)
    parts = [tally(torch.tensor(probabilities[i::3]), torch.tensor(labels[i::3])) for i in range(3)]
    whole = score(probabilities, labels)
    found = Scores.of_sums(sum(parts, torch.zeros(4)).tolist())
    assert (found.count, found.top1_error, found.top5_error) == (whole.count, whole.top1_error, whole.top5_error)
    assert found.loss == pytest.approx(whole.loss, rel=1e-12)


def test_no_labels_are_no_error_of_zero() -> None:
    with pytest.raises(DataError, match="no picture has one"):
        score(np.ones((3, 2), np.float32), np.full(3, -1))


def test_confusions_as_counted_by_hand() -> None:
    probabilities, labels = drawn(300, 6, 3)
    matrix = confusion_matrix(probabilities, labels)
    counted = np.zeros((6, 6), np.int64)
    for row, label in zip(probabilities, labels, strict=True):
        if label >= 0:
            counted[label, ranking(row)[0]] += 1
    assert np.array_equal(matrix, counted)


def test_the_most_confused_pairs_come_in_order() -> None:
    matrix = np.array([[90, 2, 5], [5, 80, 0], [1, 5, 70]])
    pairs = [Confusion(0, 2, 5), Confusion(1, 0, 5), Confusion(2, 1, 5), Confusion(0, 1, 2), Confusion(2, 0, 1)]
    assert most_confused(matrix, 10) == tuple(pairs)
    assert most_confused(matrix, 2) == tuple(pairs[:2])
    assert most_confused(matrix, 0) == ()
    assert matrix[0, 0] == 90


def test_classes_that_have_pictures_have_a_row_each() -> None:
    probabilities, labels = drawn(300, 7, 5)
    labels[labels == 2] = -1
    rows = {row.index: row for row in score_classes(probabilities, labels)}
    assert sorted(rows) == [0, 1, 3, 4, 5, 6]
    for index, row in rows.items():
        own = score(probabilities[labels == index], labels[labels == index])
        assert (row.count, row.top1_error, row.top5_error) == (own.count, own.top1_error, own.top5_error)
        first = [ranking(p)[0] for p, label in zip(probabilities, labels, strict=True) if label >= 0]
        assert row.predicted == first.count(index)
