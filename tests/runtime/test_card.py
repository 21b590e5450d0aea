"""What a model says about itself: read strictly, so that a picture is never prepared wrongly in silence."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netspec_runtime.card import PREPROCESSING_KEY, CardError, Channels, Preprocessing, read_card
from tests.runtime.models import LABELS, SmallNet, described


def test_whole_card() -> None:
    card = read_card(SmallNet().metadata)
    assert card.preprocessing == Preprocessing(
        resize=20,
        crop=(16, 16),
        channels=Channels.RGB,
        mean=(120.0, 110.0, 100.0),
        std=(50.0, 60.0, 70.0),
        views=10,
    )
    assert card.labels == LABELS
    assert (card.version, card.licence, card.label(1)) == ("0.1.0", "MIT", "junco")


def test_without_labels_classes_have_numbers() -> None:
    assert read_card(described({}, labels=None)).label(412) == "class 412"


def test_stretched_and_grey() -> None:
    recipe = read_card(described({"resize": None, "channels": "grey", "mean": [33], "std": [1]})).preprocessing
    assert (recipe.resize, recipe.channels.planes, recipe.mean) == (None, 1, (33.0,))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"resize": 15}, "resized to 15 is too small for a crop of 16"),
        ({"resize": "256"}, "resize is no number of pixels"),
        ({"resize": True}, "resize is no number of pixels"),
        ({"resize": 10**30}, "resize is no number of pixels"),
        ({"crop": [16]}, "crop is no pair"),
        ({"crop": [0, 16]}, "crop is no number of pixels"),
        ({"crop": 16}, "crop is no pair"),
        ({"channels": "rbg"}, "channels is none of"),
        ({"channels": ["rgb"]}, "channels is none of"),
        ({"mean": [1, 2]}, "mean is no list of 3 numbers"),
        ({"mean": [1, 2, "3"]}, "mean has something that is no finite number"),
        ({"mean": [1, 2, float("nan")]}, "mean has something that is no finite number"),
        ({"mean": [1, 2, float("inf")]}, "mean has something that is no finite number"),
        ({"std": [1, 1, 0]}, "std is not above 0"),
        ({"interpolation": "bicubic"}, "interpolation is not bilinear"),
        ({"views": 5}, "views is neither"),
        ({"views": [1]}, "views is neither"),
        ({"gamma": 2.2}, "missing or unknown key: gamma"),
    ],
)
def test_a_wrong_value_is_named(changes: dict[str, object], reason: str) -> None:
    with pytest.raises(CardError, match=reason):
        read_card(described(changes))


@pytest.mark.parametrize(
    ("key", "text", "reason"),
    [
        (PREPROCESSING_KEY, "{", "is no JSON"),
        (PREPROCESSING_KEY, "[" * 100_000, "is no JSON"),
        (PREPROCESSING_KEY, "[]", "is no mapping"),
        (PREPROCESSING_KEY, "{}", "missing or unknown key: channels, crop"),
        ("netspec.labels", "{}", "no list of names"),
        ("netspec.labels", "[]", "no list of names"),
        ("netspec.labels", '["a", 1]', "no text"),
    ],
)
def test_a_wrong_document_is_named(key: str, text: str, reason: str) -> None:
    with pytest.raises(CardError, match=reason):
        read_card({**SmallNet().metadata, key: text})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(["resize", "crop", "channels", "mean", "std", "interpolation", "views"]), JSON))
def test_any_json_is_read_or_refused(changes: dict[str, object]) -> None:
    try:
        card = read_card(described(changes))
    except CardError:
        return
    assert len(card.preprocessing.mean) == card.preprocessing.channels.planes


@given(JSON)
def test_any_document_is_read_or_refused(value: object) -> None:
    with pytest.raises(CardError):
        read_card({PREPROCESSING_KEY: json.dumps(value)})
