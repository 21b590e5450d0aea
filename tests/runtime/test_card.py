"""What a model says about itself: read strictly, so that a picture is never prepared wrongly in silence."""

from __future__ import annotations

import base64
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netspec_runtime.card import (
    MAX_MEAN_IMAGE,
    MEAN_IMAGE_KEY,
    PREPROCESSING_KEY,
    CardError,
    Channels,
    MeanImage,
    Preprocessing,
    read_card,
)
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


def test_a_mean_image_is_read_as_written() -> None:
    image = np.random.default_rng(0).uniform(0, 255, (3, 16, 16)).astype(np.float32)
    read = read_card(described({}) | {MEAN_IMAGE_KEY: MeanImage.of(image).text()}).preprocessing.mean_image
    assert read is not None
    assert read.array.dtype == np.float32
    assert np.array_equal(read.array, image)


def test_a_mean_image_is_little_endian_floats_in_base64() -> None:
    image = np.arange(768, dtype=np.float32).reshape(3, 16, 16)
    document = json.loads(MeanImage.of(image).text())
    assert document["shape"] == [3, 16, 16]
    assert np.array_equal(np.frombuffer(base64.b64decode(document["float32"]), "<f4"), np.arange(768))


def test_the_mean_is_a_colour_or_names_the_image() -> None:
    """In the first files with an image the colour stood as `mean`; they are read as ever."""
    image = np.arange(768, dtype=np.float32).reshape(3, 16, 16)
    held = {MEAN_IMAGE_KEY: MeanImage.of(image).text()}
    named = described({"mean": MEAN_IMAGE_KEY, "mean_color": [1, 2, 3]})
    assert read_card(named | held) == read_card(described({"mean": [1, 2, 3]}) | held)
    assert read_card(named | held).preprocessing.mean == (1.0, 2.0, 3.0)
    for changes, reason in (
        ({"mean": MEAN_IMAGE_KEY}, "missing or unknown key: mean_color"),
        ({"mean": "netspec.mean", "mean_color": [1, 2, 3]}, "missing or unknown key: mean_color"),
        ({"mean": "netspec.mean"}, "mean is no list of 3 numbers"),
        ({"mean": MEAN_IMAGE_KEY, "mean_color": [1, 2]}, "mean_color is no list of 3 numbers"),
    ):
        with pytest.raises(CardError, match=reason):
            read_card(described(changes) | held)
    with pytest.raises(CardError, match=r"mean is netspec\.mean_image, which is missing"):
        read_card(named)


def in_base64(values: object) -> str:
    return base64.b64encode(np.asarray(values, "<f4").tobytes()).decode()


ZEROS = in_base64(np.zeros(768))


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ([], "is no mapping of shape and float32"),
        ({"shape": [3, 16, 16]}, "is no mapping of shape and float32"),
        ({"shape": [3, 16, 16], "float32": ZEROS, "more": 1}, "is no mapping of shape and float32"),
        ({"shape": [3, 16, 17], "float32": ZEROS}, "has not the shape of the input"),
        ({"shape": [3.0, 16, 16], "float32": ZEROS}, "has not the shape of the input"),
        ({"shape": 768, "float32": ZEROS}, "has not the shape of the input"),
        ({"shape": [3, 16, 16], "float32": 5}, "no text of 3,072 bytes"),
        ({"shape": [3, 16, 16], "float32": ZEROS[:-4]}, "no text of 3,072 bytes"),
        ({"shape": [3, 16, 16], "float32": ZEROS + "AAAA"}, "no text of 3,072 bytes"),
        ({"shape": [3, 16, 16], "float32": "!" * len(ZEROS)}, "is no base64"),
        ({"shape": [3, 16, 16], "float32": "é" * len(ZEROS)}, "is no base64"),
        ({"shape": [3, 16, 16], "float32": ZEROS[:-1] + "="}, "has 3,071 bytes, not 3,072"),
        ({"shape": [3, 16, 16], "float32": in_base64([float("nan"), *[0] * 767])}, "no finite number"),
        ({"shape": [3, 16, 16], "float32": in_base64([*[0] * 767, float("inf")])}, "no finite number"),
    ],
)
def test_a_wrong_mean_image_is_refused(document: object, reason: str) -> None:
    with pytest.raises(CardError, match=reason):
        read_card(described({}) | {MEAN_IMAGE_KEY: json.dumps(document)})


def test_a_huge_mean_image_is_neither_written_nor_read() -> None:
    side = 1700
    huge = described({"crop": [side, side], "resize": side})
    document = json.dumps({"shape": [3, side, side], "float32": ""})
    assert 3 * 4 * side * side > MAX_MEAN_IMAGE
    with pytest.raises(CardError, match="more than 33,554,432 bytes"):
        read_card(huge | {MEAN_IMAGE_KEY: document})
    with pytest.raises(CardError, match="more than 33,554,432 bytes"):
        MeanImage.of(np.zeros((3, side, side), np.float32))


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


@given(JSON, JSON)
def test_no_json_is_a_mean_image(shape: object, text: object) -> None:
    for value in (shape, {"shape": shape, "float32": text}, {"shape": [3, 16, 16], "float32": text}):
        with pytest.raises(CardError):
            read_card(described({}) | {MEAN_IMAGE_KEY: json.dumps(value)})


@given(JSON)
def test_any_document_is_read_or_refused(value: object) -> None:
    with pytest.raises(CardError):
        read_card({PREPROCESSING_KEY: json.dumps(value)})
