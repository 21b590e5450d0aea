"""What a graph has and the language has not: refused with the operator's name, all in one run; --lenient goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import GraphProto, NodeProto, TensorProto, helper

from netspec.diagnostics import Diagnostic, SpecError
from netspec.importers.onnx_file.net import OnnxOptions
from tests.importers.onnx_file.models import imported, model, node, numbers, types


def one_of(name: str) -> GraphProto:
    """A branch of `If` that gives a value of the graph around it."""
    value = helper.make_tensor_value_info("chosen", TensorProto.FLOAT, None)
    return helper.make_graph([node("Identity", name, "chosen")], "branch", [], [value])


FLAT = node("Flatten", "x", "f")
# nodes, constants, the operator that is to blame, words of the reason
CASES: dict[str, tuple[list[NodeProto], dict[str, NDArray[Any]], str, str]] = {
    "unknown": ([node("Erf", "x")], {}, "Erf", "does not read this operator"),
    "whole numbers": ([node("Cast", "x", "c", to=6), node("Cast", "c", to=1)], {}, "Cast", "other numbers"),
    "a choice": (
        [
            node("Equal", "one one", "yes"),
            node("If", "yes", "z", then_branch=one_of("x"), else_branch=one_of("x")),
            node("Add", "x z"),
        ],
        {"one": np.array(1)},
        "If",
        "LocalResponseNorm",
    ),
    "other domain": ([node("Gelu", "x", domain="com.somebody")], {}, "Gelu", "com.somebody"),
    "dilated pooling": ([node("MaxPool", "x", kernel_shape=[2, 2], dilations=[2, 2])], {}, "MaxPool", "dilated"),
    "column major": ([node("MaxPool", "x", kernel_shape=[2, 2], storage_order=1)], {}, "MaxPool", "column major"),
    "one axis": ([node("Softmax", "x", axis=2)], {}, "Softmax", "one axis"),
    "turned input": ([FLAT, node("Gemm", "f w", transA=1)], {"w": numbers(4, 5)}, "Gemm", "transA"),
    "weights that do not fit": ([FLAT, node("MatMul", "f w")], {"w": numbers(4, 5)}, "MatMul", "weight"),
    "channels that do not fit": ([node("Conv", "x w")], {"w": numbers(4, 2, 3, 3)}, "Conv", "weight"),
    "computed weights": ([node("Conv", "x x")], {}, "Conv", "no constant|computed|its weights"),
    "doubles": ([node("Conv", "x w")], {"w": np.ones((4, 3, 3, 3))}, "Conv", "float64"),
    "order of numbers": ([node("Transpose", "x", perm=[0, 2, 3, 1])], {}, "Transpose", "order"),
    "padded maximum": (
        [node("Pad", "x p", "q"), node("MaxPool", "q", kernel_shape=[2, 2])],
        {"p": np.array([0, 0, 1, 1, 0, 0, 1, 1])},
        "MaxPool",
        "convolutions only",
    ),
    "spread": ([node("GlobalAveragePool", "x", "g"), node("Mul", "x g")], {}, "Mul", "spreads"),
    "constant of another shape": ([node("Add", "x c")], {"c": numbers(8, 8)}, "Add", "neither one number"),
    "joined rows": ([node("Concat", "x x", axis=2)], {}, "Concat", "another axis"),
    "every third pixel": (
        [node("Slice", "x s e a t")],
        {"s": np.array([0]), "e": np.array([8]), "a": np.array([2]), "t": np.array([3])},
        "Slice",
        "no layer of the language",
    ),
    "mixed batch": (
        [node("Reshape", "x s", "r"), node("Relu", "r")],
        {"s": np.array([-1, 3])},
        "Reshape",
        "mixes the images",
    ),
    "even response norm": ([node("LRN", "x", size=4)], {}, "LRN", "even"),
    "training statistics": (
        [node("BatchNormalization", "x c c c c", training_mode=1)],
        {"c": numbers(3)},
        "BatchNormalization",
        "batch's statistics",
    ),
    "reciprocal": ([node("Div", "c x")], {"c": np.asarray(1, np.float32)}, "Div", "no counterpart"),
}


def refused(content: bytes, folder: Path) -> tuple[Diagnostic, ...]:
    with pytest.raises(SpecError) as error:
        imported(content, folder)
    return error.value.diagnostics


@pytest.mark.parametrize("name", CASES)
def test_refused_with_the_operators_name(name: str, tmp_path: Path) -> None:
    nodes, constants, op, why = CASES[name]
    (found,) = refused(model(nodes, constants), tmp_path)
    assert found.code == "NS804"
    assert f"the operator {op} `{op.lower()}_of_" in found.message
    assert any(word in found.message for word in why.split("|"))
    assert f" = {op}(" in found.span.text, "the place is the operator's line"
    assert "--lenient" in found.help


def test_all_in_one_run_and_none_for_what_rests_on_them(tmp_path: Path) -> None:
    """The Gemm has weights for another shape only because the Erf and the DepthToSpace are not known."""
    nodes = [
        node("Erf", "x", "e"),
        node("DepthToSpace", "e", "d", blocksize=2),
        node("Flatten", "d", "f"),
        node("Gemm", "f w", "g"),
        node("Selu", "g"),
    ]
    found = refused(model(nodes, {"w": numbers(7, 5)}), tmp_path)
    assert [d.message.split("`")[1] for d in found] == ["erf_of_e", "depthtospace_of_d", "selu_of_y"]
    assert [d.span.line for d in found] == [0, 1, 4]


def test_lenient_goes_on_without_them(tmp_path: Path) -> None:
    nodes = [node("Erf", "x", "e"), node("Conv", "e w", "c"), node("Selu", "c", "s"), node("Relu", "s")]
    found = imported(model(nodes, {"w": numbers(4, 3, 3, 3)}), tmp_path, OnnxOptions(lenient=True, carried=False))
    assert types(found) == ["conv"]
    assert [remark.layer for remark in found.remarks if remark.kind == "lost"] == ["erf_of_e", "selu_of_s"]


def test_lenient_says_all_that_it_leaves_out(tmp_path: Path) -> None:
    """What rests on something that was left out may be out of place itself, and is then left out too."""
    nodes = [node("DepthToSpace", "x", "d", blocksize=1), node("Flatten", "d", "f"), node("Gemm", "f w")]
    found = imported(model(nodes, {"w": numbers(7, 5)}), tmp_path, OnnxOptions(lenient=True, carried=False))
    lost = [remark.layer for remark in found.remarks if remark.kind == "lost"]
    assert lost[0] == "depthtospace_of_d"
    assert lost[-1] == "gemm_of_y"


@pytest.mark.parametrize(
    ("nodes", "words"),
    [
        ([node("Relu", "x"), node("Identity", "c", "other")], "the output `other` is a constant"),
        ([node("MaxPool", "x", "y other", kernel_shape=[2, 2])], "is what MaxPool `maxpool_of_y other` gives beside"),
    ],
)
def test_an_output_that_is_no_layer_fails_the_import(nodes: list[NodeProto], words: str, tmp_path: Path) -> None:
    content = model(nodes, {"c": numbers(3)}, outputs=("y", "other"))
    (found,) = refused(content, tmp_path)
    assert words in found.message
    lenient = imported(content, tmp_path, OnnxOptions(lenient=True, carried=False))
    assert [remark.topic for remark in lenient.remarks if remark.kind == "lost"] == ["output"]


def test_what_no_output_needs_is_not_read(tmp_path: Path) -> None:
    content = model([node("Erf", "x", "e"), node("Relu", "x")], {})
    found = imported(content, tmp_path)
    assert types(found) == ["neuron"]
    dropped = [remark.text for remark in found.remarks if remark.topic == "operator"]
    assert dropped == ["no output needs the operator Erf `erf_of_e`"]


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (("N", 3, "H", "W"), "size of its input"),
        (("N", 12), "2 dimensions"),
        (("N", 3, 8, 8, 8), "5 dimensions"),
        (("N", 3, 8, 1 << 20), "which no net reads"),
    ],
)
def test_inputs_that_are_no_image(image: tuple[int | str, ...], words: str, tmp_path: Path) -> None:
    (found,) = refused(model([node("Relu", "x")], {}, image=image), tmp_path)
    assert found.code == "NS804"
    assert words in found.message


def test_a_size_that_the_file_leaves_open_may_be_given(tmp_path: Path) -> None:
    content = model([node("Conv", "x w")], {"w": numbers(4, 3, 3, 3)}, image=("N", 3, "H", 6))
    (refusal,) = refused(content, tmp_path)
    assert refusal.help == "`--size 224` says it"
    found = imported(content, tmp_path, OnnxOptions(carried=False, size=8))
    assert found.spec.input.size == (8, 6)
    assert [remark.text for remark in found.remarks if remark.topic == "size"] == [
        "the file leaves it open: 8 by 6 pixels are taken, as `--size` says"
    ]


def test_a_fixed_batch_is_said(tmp_path: Path) -> None:
    found = imported(model([node("Relu", "x")], {}, image=(4, 3, 8, 8)), tmp_path)
    assert [remark.text for remark in found.remarks if remark.topic == "batch"] == [
        "the file is for batches of 4; a spec is for any"
    ]


def test_names_are_the_languages(tmp_path: Path) -> None:
    """Weights name what exporters only count; what is left has its type's name."""
    nodes = [
        node("Conv", "x features.0.weight", "c"),
        node("Relu", "c", "r"),
        node("MaxPool", "r", kernel_shape=[2, 2]),
    ]
    for number, one in enumerate(nodes):
        one.name = f"Conv_{number}" if one.op_type == "Conv" else ""
    nodes[-1].output[0] = "7"
    found = imported(model(nodes, {"features.0.weight": numbers(4, 3, 3, 3)}, outputs=("7",)), tmp_path)
    assert list(found.spec.layers) == ["features_0", "pool1"]
    assert [origin.layer for origin in found.origins] == ["features_0", "features_0", "pool1"]
