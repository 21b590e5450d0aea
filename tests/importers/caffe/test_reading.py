"""How Caffe nets are read: phases, blobs in place, sharing, ends, options. Numbers are compared elsewhere."""

from __future__ import annotations

from math import log

import pytest

from netspec.importers.caffe.net import CaffeOptions, read_caffe
from netspec.importers.remark import Imported
from netspec.ir.layer import Layer
from netspec.pipeline import compile_spec
from netspec.source import Source
from netspec.spec.dump import dump
from netspec.spec.load import load_text
from tests.importers.caffe.nets.text import conv, deploy_input, fc, layer, pool, relu

INPUT = 'name: "small"\n' + deploy_input(1, 3, 8, 8)


def read(text: str, **options: bool) -> Imported:
    return read_caffe(Source("small.prototxt", text), CaffeOptions(**options))  # type: ignore[arg-type] # flags


def written(net: Imported) -> dict[str, str]:
    """The layers as the YAML file has them."""
    lines = dump(net.spec).partition("layers:\n")[2].splitlines()
    pairs = (line.split(":", 1) for line in lines)
    return {name.strip(): text.strip() for name, text in pairs}


def layers(net: Imported) -> dict[str, Layer]:
    compile_spec(net.spec)
    return net.spec.layers


def rule(kind: str, text: str) -> str:
    return layer("extra", "ReLU", "data", "data", f"{kind} {{ {text} }}")


@pytest.mark.parametrize(
    ("rules", "stays"),
    [
        (rule("include", "phase: TEST"), True),
        (rule("include", "phase: TRAIN"), False),
        (rule("include", "phase: TRAIN } include { phase: TEST"), True),
        (rule("exclude", "phase: TRAIN"), True),
        (rule("exclude", "phase: TEST"), False),
        (rule("include", 'stage: "deploy"'), False),
        (rule("include", 'not_stage: "deploy"'), True),
        (rule("include", "min_level: 1"), False),
        (rule("include", "max_level: 1"), True),
        ('state { level: 2 stage: "deploy" }' + rule("include", 'stage: "deploy" min_level: 2'), True),
        ('state { level: 2 stage: "deploy" }' + rule("include", 'stage: "deploy" stage: "other"'), False),
    ],
)
def test_rules_of_layers(rules: str, stays: bool) -> None:
    net = read(INPUT + rules + layer("out", "TanH", "data", "out"))
    assert ("extra" in layers(net)) == stays
    origins = {origin.name: origin.layer for origin in net.origins}
    assert origins == {"input": "data", "extra": "extra" if stays else "", "out": "out"}


def test_layers_of_other_phases_and_stages_are_named() -> None:
    text = INPUT + fc("out", "data", 4) + layer("aux", "InnerProduct", "out", "aux", "include { phase: TRAIN }")
    text += layer("cost", "EuclideanLoss", "aux aux", "cost", "include { phase: TRAIN }")
    text += layer("late", "TanH", "out", "out", 'include { stage: "late" }')
    net = read(text)
    assert [(one.kind, one.layer) for one in net.remarks if one.topic == "phases"] == [
        ("dropped", "aux"),
        ("meaning", "late"),
    ]
    assert list(layers(net)) == ["out"]


def test_a_dropout_of_training_alone_is_taken_where_it_changes_nothing_at_test() -> None:
    only = "include { phase: TRAIN } dropout_param { dropout_ratio: 0.7 }"
    text = INPUT + fc("a", "data", 4) + layer("drop", "Dropout", "a", "a", only) + fc("b", "a", 2)
    assert written(read(text))["drop"] == "{type: dropout, inputs: a, rate: 0.7, scale: train}"
    assert layers(read(text))["b"].inputs == ("drop",)
    for more in (
        layer("aux", "TanH", "a", "aux", "include { phase: TRAIN }") + layer("d", "Dropout", "aux", "aux", only),
        layer("d", "Dropout", "b", "c", only),
        layer("e", "Dropout", "b", "b") + layer("d", "Dropout", "b", "b", only),
    ):
        assert "d" not in layers(read(text + more))


def test_neurons_in_place_become_keys_and_others_layers() -> None:
    text = (
        INPUT
        + relu("data", "first")
        + conv("conv1", "data", 4, 3)
        + relu("conv1")
        + layer("tanh", "TanH", "conv1", "conv1")
        + pool("pool", "conv1", 2, 2)
        + layer("sum", "Eltwise", "pool conv2", "sum")
    ).replace('layer {\n  name: "sum"', conv("conv2", "conv1", 4, 4) + 'layer {\n  name: "sum"')
    assert {name: (one.type, str(one.neuron)) for name, one in layers(read(text)).items()} == {
        "first": ("neuron", "relu"),
        "conv1": ("conv", "relu"),
        "tanh": ("neuron", "tanh[1.0, 1.0]"),
        "pool": ("pool", "None"),
        "conv2": ("conv", "None"),
        "sum": ("eltsum", "None"),
    }


def test_what_two_layers_read_is_left_as_it_is() -> None:
    text = INPUT + conv("c", "data", 4, 3) + layer("r", "ReLU", "c", "r") + layer("s", "Eltwise", "c r", "s")
    assert layers(read(text))["r"].inputs == ("c",)
    split = (
        INPUT
        + conv("c", "data", 4, 3)
        + layer("sp", "Split", "c", "a b")
        + relu("a")
        + layer("s", "Eltwise", "a b", "s")
    )
    assert layers(read(split))["c"].neuron is None


def test_a_blob_that_is_written_again_is_another() -> None:
    """Readers above a layer in place read what was there before it."""
    text = (
        INPUT + layer("side", "TanH", "data", "side") + relu("data", "first") + layer("s", "Eltwise", "side data", "s")
    )
    found = layers(read(text))
    assert found["side"].inputs == ("data",)
    assert found["s"].inputs == ("side", "first")


def test_weights_shared_by_name() -> None:
    def twin(name: str, read: str) -> str:
        params = 'param { name: "w" lr_mult: 3 } param { name: "b" }'
        return layer(name, "Convolution", read, name, f"{params} convolution_param {{ num_output: 4 kernel_size: 3 }}")

    text = INPUT + layer("r", "ReLU", "data", "r") + twin("one", "data") + twin("two", "r")
    net = read(text + layer("s", "Eltwise", "one two", "s"))
    assert "share_weights: one" in written(net)["two"]
    assert "lr_w" not in written(net)["two"]
    assert [remark.layer for remark in net.remarks if remark.topic == "sharing"] == ["two"]
    assert compile_spec(net.spec).typed.parameter_count == 4 * 27 + 4 + 4


def test_two_ends_are_outputs_and_the_one_with_the_cost_is_first() -> None:
    text = INPUT + layer("label", "DummyData", "", "label", "dummy_data_param { shape { dim: 1 } }")
    text += fc("other", "data", 2) + fc("scores", "data", 5) + layer("loss", "SoftmaxWithLoss", "scores label", "loss")
    net = read(text)
    assert net.spec.outputs == ("prob", "other")
    assert net.spec.classes == 5


def test_what_costs_compare_with_is_no_output() -> None:
    text = INPUT + layer("flat", "Flatten", "data", "flat") + fc("code", "data", 192)
    text += layer("cross", "SigmoidCrossEntropyLoss", "code flat", "cross") + layer("out", "Sigmoid", "code", "out")
    text += layer("l2", "EuclideanLoss", "out flat", "l2", "loss_weight: 0")
    net = read(text)
    assert list(layers(net)) == ["code", "out"]
    assert net.spec.outputs == ()


def test_slices_that_no_layer_reads_are_outputs() -> None:
    text = INPUT + layer("cut", "Slice", "data", "a b c") + relu("b")
    net = read(text)
    assert net.spec.outputs == ("a", "c", "b")
    assert {origin.name: origin.layer for origin in net.origins}["cut"] == "a"
    assert str(layers(net)["b"].neuron) == "relu"


def test_a_sum_of_one_blob_twice() -> None:
    net = read(INPUT + layer("sum", "Eltwise", "data data", "sum", "eltwise_param { coeff: 1 coeff: 2 }"))
    assert written(net)["sum"] == "{type: eltsum, inputs: [data, data], coefficients: [1, 2]}"


def test_silenced_and_judged_blobs_are_no_outputs() -> None:
    text = INPUT + fc("a", "data", 2) + fc("b", "data", 3) + fc("c", "data", 4)
    text += layer("quiet", "Silence", "a", "") + layer("loss", "EuclideanLoss", "b c", "loss")
    assert list(layers(read(text))) == ["b"]


def test_names_become_legal_ones_with_a_remark() -> None:
    text = INPUT + conv("conv/1", "data", 4, 3) + conv("conv_1", "conv/1", 4, 3) + fc("class", "conv_1", 2)
    net = read(text)
    assert list(layers(net)) == ["conv_1", "conv_1_2", "class_layer"]
    assert [remark.layer for remark in net.remarks if remark.topic == "name"] == ["conv/1", "conv_1", "class"]
    assert {origin.name: origin.layer for origin in net.origins}["conv_1"] == "conv_1_2"


def test_rounding_down_where_the_file_says_so() -> None:
    net = read(INPUT.replace("input_dim: 8", "input_dim: 9") + layer(
        "pool", "Pooling", "data", "pool", "pooling_param { kernel_size: 2 stride: 2 round_mode: FLOOR }"
    ))  # fmt: skip
    assert "round: floor" in written(net)["pool"]
    assert compile_spec(net.spec).typed.shape("pool").dims == (3, 4, 4)


def test_log_and_clip() -> None:
    text = INPUT + layer("p", "Power", "data", "p", "power_param { power: 2 }")
    text += layer("log", "Log", "p", "log", "log_param { base: 10 scale: 3 shift: 1 }")
    text += layer("clip", "Clip", "log", "clip", "clip_param { min: -1 max: 2 }")
    found = [str(one.neuron) for one in layers(read(text)).values()]
    assert found == [
        "square",
        "linear[3.0, 0.0]",
        "log[1.0]",
        f"linear[{1 / log(10)!r}, 0.0]",
        "clip[-1.0, 2.0]",
    ]


def test_lrn_with_k() -> None:
    text = INPUT + layer("n", "LRN", "data", "n", "lrn_param { local_size: 3 alpha: 0.3 k: 2 }")
    net = read(text)
    assert written(net)["n"] == "{type: rnorm, inputs: data, size: 3, k: 2, alpha: 0.3}"
    within = read(text.replace("k: 2", "k: 2 norm_region: WITHIN_CHANNEL"))
    assert written(within)["n"] == "{type: rnorm, inputs: data, size: 3, alpha: 0.3, across: space}"
    assert [remark.kind for remark in within.remarks if remark.topic == "k"] == ["dropped"]


def test_a_dropout_of_nothing_is_one() -> None:
    text = INPUT + layer("drop", "Dropout", "data", "drop", "dropout_param { dropout_ratio: 0 }")
    assert written(read(text))["drop"] == "{type: dropout, inputs: data, rate: 0, scale: train}"


def test_what_is_about_computing_is_left_out_with_a_remark() -> None:
    options = "convolution_param { num_output: 4 kernel_size: 3 engine: CUDNN } propagate_down: false"
    net = read(INPUT + layer("conv", "Convolution", "data", "conv", options))
    said = [remark.text.split()[0] for remark in net.remarks if remark.topic == "option"]
    assert sorted(said) == ["`engine`", "`propagate_down`"]


def test_the_spec_reads_back() -> None:
    net = read(INPUT + conv("conv/1", "data", 4, 3) + relu("conv/1") + fc("fc", "conv/1", 3))
    assert load_text(dump(net.spec)).layers == net.spec.layers


def test_places_are_those_of_the_file() -> None:
    net = read(INPUT + pool("pool", "data", 3, 2))
    (remark,) = [remark for remark in net.remarks if remark.topic == "rounding"]
    assert remark.place.source.line(remark.place.line)[remark.place.column :].startswith("3")
    (origin,) = [origin for origin in net.origins if origin.name == "pool"]
    assert origin.place.line == INPUT.count("\n")
