"""Did-you-mean: slips, other frameworks' words, letters that look alike; and no suggestion where none is likely."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netspec.diagnostics.foreign import FOREIGN
from netspec.diagnostics.suggest import did_you_mean, nearest, slips, suggestion
from netspec.ir.neuron import KINDS
from netspec.layers import LAYER_TYPES
from netspec.layers.windowed import ConvInput
from netspec.spec.model import DataSpec, Header, InputSpec, RateSpec, TrainSpec
from netspec.syntax.decode import keys_of

KEYS = ("filters", "size", "stride", "pad", "groups", "neuron", "inputs", "init_w", "init_b")


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        *[("filtres", "filters"), ("Filters", "filters"), ("sise", "size"), ("strid", "stride"), ("padd", "pad")],
        *[("group", "groups"), ("kernel_size", "size"), ("activation", "neuron"), ("initW", "init_w"), ("рad", "pad")],  # noqa: RUF001
        *[("xyz", ""), ("", ""), ("a", ""), ("q" * 1000, "")],
    ],
)
def test_what_was_probably_meant(word: str, meant: str) -> None:
    assert suggestion(word, KEYS) == meant


@pytest.mark.parametrize(
    ("a", "b", "count"), [("abc", "abc", 0), ("abc", "abd", 1), ("abc", "acb", 1), ("abc", "abcd", 1), ("abc", "bc", 1)]
)
def test_slips(a: str, b: str, count: int) -> None:
    assert slips(a, b, 3) == count


@given(st.text("abc", max_size=6), st.text("abc", max_size=6))
def test_slips_are_symmetric_and_bounded(a: str, b: str) -> None:
    far = max(len(a), len(b))
    assert slips(a, b, far) == slips(b, a, far)
    assert abs(len(a) - len(b)) <= slips(a, b, far) <= far


@given(st.text("abcxyz_019", min_size=3, max_size=10), st.data())
def test_one_slip_is_found_among_few_and_among_many(word: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(word) - 1))
    slipped = word[:at] + "q" + word[at + 1 :]
    assert nearest(slipped, [word, "somethingelse"]) == word
    assert nearest(slipped, [word, *(f"somethingelse{n}" for n in range(500))]) == word


def test_a_short_list_is_shown_where_nothing_is_near() -> None:
    assert did_you_mean("xyz", ["max", "avg"]) == "expected one of `max`, `avg`"
    assert did_you_mean("xyz", ["max", "avg"], "its keys are") == "its keys are `max`, `avg`"
    assert did_you_mean("xyz", [str(n) for n in range(100, 200)]) == ""
    assert did_you_mean("xyz", []) == ""


def test_a_letter_of_another_script_is_named() -> None:
    help = did_you_mean("сonv1", ["conv1"])  # noqa: RUF001 - Cyrillic on purpose
    assert help == "it holds U+0441 (CYRILLIC SMALL LETTER ES), which is not ASCII; did you mean `conv1`?"


def test_another_framework_s_word_is_said_to_be_one() -> None:
    assert did_you_mean("padding", KEYS) == "what others call `padding` is `pad` here"


def test_every_foreign_word_leads_to_a_word_of_the_language() -> None:
    classes = (Header, InputSpec, DataSpec, TrainSpec, RateSpec, ConvInput, *LAYER_TYPES.values())
    words = (
        {name for cls in classes for name in keys_of(cls)} | set(LAYER_TYPES) | set(KINDS) | {"avg", "grey", "color"}
    )
    assert {ours for all_ours in FOREIGN.values() for ours in all_ours} <= words


def test_no_foreign_word_hides_one_of_ours() -> None:
    for word, all_ours in FOREIGN.items():
        assert word == word.lower()
        assert word not in all_ours
