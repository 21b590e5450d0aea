"""Nets whose file ends in SoftmaxWithLoss end in a softmax, as those whose file is for use. No numbers."""

from __future__ import annotations

import pytest

from netspec.importers.caffe.net import read_caffe
from netspec.importers.remark import Imported
from netspec.pipeline import compile_spec
from netspec.source import Source
from tests.importers.caffe.nets.text import conv, deploy_input, fc, layer, relu

INPUT = deploy_input(1, 3, 8, 8)
LABEL = layer("label", "DummyData", "", "label", "dummy_data_param { shape { dim: 1 } }")
LOSS = layer("cost", "SoftmaxWithLoss", "scores label", "cost")
ACCURACY = layer("accuracy", "Accuracy", "scores label", "accuracy", "include { phase: TEST }")
SCORES = fc("scores", "data", 5)


def read(text: str) -> Imported:
    net = read_caffe(Source("net.prototxt", text))
    compile_spec(net.spec)
    return net


def ends(net: Imported) -> dict[str, str]:
    return {name: layer.type for name, layer in net.spec.layers.items() if layer.type in ("softmax", "fc")}


def said(net: Imported) -> list[str]:
    return [remark.text for remark in net.remarks if remark.topic == "softmax"]


def test_a_net_that_ends_in_the_cost_ends_in_its_softmax() -> None:
    net = read(INPUT + LABEL + SCORES + ACCURACY + LOSS)
    assert ends(net) == {"scores": "fc", "prob": "softmax"}
    assert (net.spec.outputs, net.spec.classes) == ((), 5)
    assert said(net) == [
        "the softmax that is part of SoftmaxWithLoss is the layer `prob`: the net returns probabilities"
    ]


def test_a_cost_of_training_alone_says_where_the_net_ends() -> None:
    text = LOSS.replace('name: "cost"', 'name: "cost" include { phase: TRAIN }')
    assert ends(read(INPUT + LABEL + SCORES + ACCURACY + text)) == {"scores": "fc", "prob": "softmax"}


def test_a_cost_of_training_on_what_only_training_has() -> None:
    text = layer("cost", "SoftmaxWithLoss", "other label", "cost", "include { phase: TRAIN }")
    assert ends(read(INPUT + LABEL + SCORES + text)) == {"scores": "fc"}


def test_where_the_name_is_taken_it_has_that_of_the_cost() -> None:
    text = fc("prob", "data", 6) + relu("prob") + SCORES.replace('bottom: "data"', 'bottom: "prob"')
    assert ends(read(INPUT + LABEL + text + LOSS)) == {"prob": "fc", "scores": "fc", "cost": "softmax"}


@pytest.mark.parametrize("rule", ["", "include { phase: TEST }"])
def test_a_softmax_of_the_file_is_the_end(rule: str) -> None:
    net = read(INPUT + LABEL + fc("other", "data", 2) + SCORES + LOSS + layer("p", "Softmax", "scores", "p", rule))
    assert ends(net) == {"other": "fc", "scores": "fc", "p": "softmax"}
    assert net.spec.outputs == ("p", "other")
    assert said(net) == []


def test_a_softmax_at_each_pixel_is_left_out_with_a_remark() -> None:
    net = read(INPUT + LABEL + conv("scores", "data", 5, 3) + LOSS)
    assert list(net.spec.layers) == ["scores"]
    assert said(net) == [
        "the net returns what SoftmaxWithLoss reads: its softmax at each pixel of 5x6x6 maps is left out"
    ]


def test_maps_of_one_pixel_have_a_softmax() -> None:
    net = read(INPUT + LABEL + conv("scores", "data", 5, 8) + LOSS)
    assert list(net.spec.layers) == ["scores", "prob"]
    assert net.spec.classes == 5


def test_a_cost_that_reads_nothing() -> None:
    assert ends(read(INPUT + SCORES + layer("cost", "SoftmaxWithLoss", "", "cost"))) == {"scores": "fc"}


@pytest.mark.parametrize(
    ("weight", "left"),
    [
        ("", {"age": "fc", "scores": "fc", "prob": "softmax", "first": "softmax"}),
        ("0.3", {"scores": "fc", "prob": "softmax"}),
    ],
)
def test_costs_of_the_same_weight_are_ends_all_of_them(weight: str, left: dict[str, str]) -> None:
    first = layer("first", "SoftmaxWithLoss", "age label", "first", f"loss_weight: {weight}" if weight else "")
    net = read(INPUT + LABEL + fc("age", "data", 3) + SCORES + first + LOSS)
    assert ends(net) == left
    assert net.spec.outputs == (("prob", "first") if len(left) > 2 else ())
    assert net.spec.classes == (5 if weight else None)
    (dropped,) = [remark.text for remark in net.remarks if remark.layer == "first" and remark.kind == "dropped"]
    assert ("`age`" in dropped) == (weight == "0.3")
