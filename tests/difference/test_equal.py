"""Nets that are one net in another spelling: no difference is found, and torch finds none either."""

from __future__ import annotations

import pytest

from netspec.difference import Scope
from tests.difference.nets import cases, compute_alike, difference, spec, told

CONV = "c: {type: conv, inputs: data, filters: 4, size: 3"
SPELLINGS = {case.name: case for case in cases("spellings.txt")}


@pytest.mark.parametrize("name", SPELLINGS)
def test_another_spelling_is_no_difference(name: str) -> None:
    case = SPELLINGS[name]
    a, b = spec(case.a), spec(case.b)
    assert told(difference(a, b)) == []
    assert difference(a, b).equal
    assert difference(b, a).equal
    assert compute_alike(a, b)


def test_the_owner_of_shared_weights_does_not_matter() -> None:
    first = f"{CONV}}}\nd: {{type: conv, inputs: data, filters: 4, size: 3, neuron: relu, share_weights: c}}"
    second = f"{CONV}, share_weights: d}}\nd: {{type: conv, inputs: data, filters: 4, size: 3, neuron: relu}}"
    ending = "\ne: {type: eltsum, inputs: [c, d]}"
    assert difference(spec(first + ending), spec(second + ending)).equal


HEAD = "input: {size: 8}\n"
ALIKE = {
    "about, labels, licence and seed": (
        HEAD + "about: one net\nlabels: [x, y, z, w]\nlicence: MIT\nseed: 1",
        HEAD + "seed: 2",
    ),
    "the crop, which is the input's size": (HEAD + "data: {resize: 8, crop: 8}", HEAD + "data: {resize: 8}"),
    "a mean of zeros": (HEAD + "data: {mean: [0, 0, 0]}", HEAD),
    "ones to divide by": (HEAD + "data: {std: [1, 1, 1]}", HEAD),
    "what colour noise multiplies, without any": (HEAD + "data: {color_pca_of: std}", HEAD),
    "a mean colour that stands in for none": (HEAD + "data: {mean_color: [1, 2, 3]}", HEAD),
    "the same colours in float32": (HEAD + "data: {mean: [0.1, 1, 2]}", HEAD + "data: {mean: [0.10000000149, 1, 2]}"),
    "the recipe, unless asked": (HEAD + "train: {batch: 3, lr: 7, momentum: 0.1}", HEAD),
}


@pytest.mark.parametrize("name", ALIKE)
def test_what_changes_no_picture_is_no_difference(name: str) -> None:
    a, b = (spec(f"{CONV}}}", head) for head in ALIKE[name])
    assert told(difference(a, b)) == []


def test_devices_count_only_when_asked() -> None:
    a, b = spec(f"{CONV}}}"), spec(f"{CONV}, gpu: [0, 1]}}")
    assert difference(a, b).equal
    assert told(difference(a, b, Scope(placement=True))) == [("c", "gpu", "0", "0, 1")]


RATES = {
    "a rate, or a mapping with it": ("train: {lr: 0.01}", "train: {lr: {start: 0.01, divide: 3}}"),
    "a multiple of the layers, or of all": ("train: {lr: 0.01, lr_b: 0.02}", "train: {lr: 0.01, lr_b: 0.02}"),
}


@pytest.mark.parametrize("name", RATES)
def test_another_spelling_of_rates_is_no_difference(name: str) -> None:
    a, b = (spec(f"{CONV}}}", f"{HEAD}{train}") for train in RATES[name])
    assert told(difference(a, b, Scope(train=True))) == []


def test_a_layers_multiple_and_the_rate_of_all_are_one() -> None:
    a = spec(f"{CONV}, lr_w: 2, lr_b: 4, decay: 0.1}}", HEAD + "train: {lr: 0.01, decay: 0.1}")
    b = spec(f"{CONV}}}", HEAD + "train: {lr: 0.02, lr_b: 0.04, decay: 0.1}")
    assert told(difference(a, b, Scope(train=True))) == []


def test_a_layers_multiple_of_a_schedule() -> None:
    a = spec(f"{CONV}, lr_w: 2, lr_b: 2}}", HEAD + "train: {lr: {start: 0.01, when: plateau}}")
    b = spec(f"{CONV}}}", HEAD + "train: {lr: {start: 0.02, when: plateau}}")
    assert told(difference(a, b, Scope(train=True))) == []
