"""Comparing and showing values: what is equal, what rounds as printed, and what is neither."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netspec.ledger.value import (
    Agreement,
    Item,
    Missing,
    Plain,
    Precision,
    Relation,
    Style,
    agree,
    agree_all,
    show,
    show_all,
)

EXACT, ROUNDED, NONE = Agreement.EXACT, Agreement.ROUNDED, Agreement.NONE


@pytest.mark.parametrize(
    ("found", "claimed", "precision", "expected"),
    [
        (1, 1, Precision(), EXACT),
        (1, 1.0, Precision(), EXACT),
        (0.1 + 0.2, 0.3, Precision(), EXACT),
        (1, 2, Precision(), NONE),
        (60_965_224, 60_000_000, Precision(digits=1), ROUNDED),
        (60_965_224, 61_000_000, Precision(digits=2), ROUNDED),
        (60_965_224, 60_000_000, Precision(digits=2), NONE),
        (659_272, 650_000, Precision(unit=50_000), ROUNDED),
        (659_272, 650_000, Precision(unit=10_000), NONE),
        (1.45, 1.4, Precision(unit=0.1), ROUNDED),
        (1.46, 1.4, Precision(unit=0.1), NONE),
        (0, 0, Precision(digits=2), EXACT),
        (1, 0, Precision(digits=2), NONE),
        (91, 90, Precision(tolerance=1), EXACT),
        (92, 90, Precision(tolerance=1), NONE),
        (1, True, Precision(), NONE),
        (True, True, Precision(), EXACT),
        (False, 0, Precision(), NONE),
        ("4096", 4096, Precision(), EXACT),
        ("4096", 4097, Precision(), NONE),
        ("relu", "relu", Precision(), EXACT),
        ("relu", "tanh", Precision(), NONE),
        (1, "1", Precision(), NONE),
        (Missing("gone"), 1, Precision(), NONE),
    ],
)
def test_agreement(found: Plain | Missing, claimed: Plain, precision: Precision, expected: int) -> None:
    assert agree(found, claimed, precision) == expected


@pytest.mark.parametrize(
    ("relation", "found", "expected"),
    [("at_most", 5, EXACT), ("at_most", 6, NONE), ("at_least", 5, EXACT), ("at_least", 4, NONE), ("equals", 4, NONE)],
)
def test_relations(relation: Relation, found: int, expected: int) -> None:
    assert agree(found, 5, Precision(relation=relation)) == expected


def test_the_worst_of_several_counts() -> None:
    items = [Item("a", 1), Item("b", 2.04)]
    assert agree_all(items, (1, 2), Precision(unit=0.1)) == ROUNDED
    assert agree_all(items, (1, 3), Precision(unit=0.1)) == NONE
    assert agree_all(items, (1,), Precision()) == NONE


@given(st.integers(1, 10**12), st.integers(1, 9))
def test_a_number_rounded_to_digits_always_agrees(number: int, digits: int) -> None:
    printed = float(f"{number:.{digits - 1}e}")
    assert agree(number, printed, Precision(digits=digits)) != NONE


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (60965224, "60,965,224"),
        (2.0, "2"),
        (5e-4, "0.0005"),
        (True, "true"),
        ("5x5", "5x5"),
        (Missing("no such layer"), "nothing"),
        (float("inf"), "inf"),
    ],
)
def test_showing(value: Plain | Missing, text: str) -> None:
    assert show(value) == text


def test_showing_several() -> None:
    assert show_all([0.5, 0.5]) == "0.5 each"
    assert show_all([1, 2]) == "1 / 2"
    assert show_all([1.23456, 1], Style("%", 3), "at_most") == "at most 1.23 % / 1 %"
    assert show_all(["conv", "relu"], Style(between=", ")) == "conv, relu"
    assert show_all([]) == "none"
