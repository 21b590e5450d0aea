"""Scalars are YAML 1.2's: what is a number, a boolean, nothing or a text, and how misfits are described."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netspec.syntax.scalars import MAX_DIGITS, as_bool, as_float, as_int, describe, is_null, shorten


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *[("0", 0), ("7", 7), ("-3", -3), ("+5", 5), ("007", 7), ("0x10", 16), ("0xFf", 255), ("0o17", 15)],
        *[("3.0", None), ("1e3", None), ("1_000", None), ("0b11", None), ("-0x10", None), ("0o8", None), ("", None)],
        *[("1:30", None), ("٣", None), (" 1", None), ("1" * MAX_DIGITS, int("1" * MAX_DIGITS)), ("1" * 5000, None)],
    ],
)
def test_whole_numbers(text: str, value: int | None) -> None:
    assert as_int(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *[("1e-4", 1e-4), (".5", 0.5), ("5.", 5.0), ("-1.5E+3", -1500.0), ("+.25", 0.25), ("3", 3.0), ("1e3", 1000.0)],
        *[("1e999", None), (".inf", None), ("-.inf", None), (".nan", None), ("nan", None), ("inf", None)],
        *[("1_0.5", None), ("0x10", None), ("1e", None), (".", None), ("1.2.3", None), ("", None)],
    ],
)
def test_numbers(text: str, value: float | None) -> None:
    assert as_float(text) == value


@pytest.mark.parametrize("text", ["yes", "no", "on", "off", "y", "n", "Yes", "NO", "tRue", "1", "0", ""])
def test_only_true_and_false_are_booleans(text: str) -> None:
    assert as_bool(text) is None


@pytest.mark.parametrize("text", ["true", "True", "TRUE", "false", "False", "FALSE"])
def test_booleans(text: str) -> None:
    assert as_bool(text) is text.lower().startswith("t")


@pytest.mark.parametrize(
    ("text", "nothing"), [("", True), ("~", True), ("null", True), ("NULL", True), ("nil", False), ("None", False)]
)
def test_nothing(text: str, nothing: bool) -> None:
    assert is_null(text) is nothing


@given(st.integers(-(10**30), 10**30))
def test_a_printed_whole_number_is_read(value: int) -> None:
    assert as_int(str(value)) == value


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_printed_float_is_read_exactly(value: float) -> None:
    read = as_float(repr(value))
    assert read is not None
    assert math.copysign(1, read) == math.copysign(1, value)
    assert read == value


@given(st.text())
def test_any_text_is_described_briefly(text: str) -> None:
    assert 0 < len(describe(text, plain=True)) < 120
    assert len(shorten(text)) <= 40


@pytest.mark.parametrize(
    ("text", "plain", "words"),
    [
        ("3", True, "the number `3`"),
        ("3", False, 'the text "3"'),
        ("", True, "nothing"),
        ("true", True, "the boolean `true`"),
        ("no", True, "the text `no`"),
        (".inf", True, "`.inf`, which is no finite number"),
        ("1e999", True, "`1e999`, a number too large to be meant"),
    ],
)
def test_descriptions(text: str, plain: bool, words: str) -> None:
    assert describe(text, plain) == words
