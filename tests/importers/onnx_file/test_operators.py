"""Operators of other tools, alone or in the small patterns that exporters write: the outputs are onnxruntime's own."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import NodeProto, numpy_helper

from netspec.diagnostics import SpecError
from tests.importers.onnx_file.models import difference, imported, model, node, numbers, types

CLOSE = 1e-5
Constants = dict[str, NDArray[Any]]
Case = tuple[list[NodeProto], Constants, list[str]]


def ints(*values: int) -> NDArray[np.int64]:
    return np.array(values, np.int64)


def scalar(value: float) -> NDArray[np.float32]:
    return np.asarray(value, np.float32)


SHAPE_OF_BATCH = [
    node("Shape", "x", "shape"),
    node("Gather", "shape zero", "batch", axis=0),
    node("Unsqueeze", "batch first", "one"),
    node("Concat", "one rest", "wanted", axis=0),
    node("Reshape", "x wanted", "f"),
    node("Gemm", "f w", transB=1),
]

# name -> nodes, constants, the layer types that they become
CASES: dict[str, Case] = {
    "asymmetric pads": ([node("Conv", "x w", pads=[0, 1, 2, 0])], {"w": numbers(4, 3, 3, 3)}, ["conv"]),
    "depthwise": ([node("Conv", "x w b", group=3)], {"w": numbers(6, 1, 3, 3), "b": numbers(6)}, ["conv"]),
    "same upper": (
        [node("Conv", "x w", auto_pad="SAME_UPPER", strides=[3, 2])],
        {"w": numbers(4, 3, 4, 4)},
        ["conv"],
    ),
    "weights of half precision": (
        [node("Cast", "w", "wide", to=1), node("Conv", "x wide b", "c"), node("Cast", "c", to=1)],
        {"w": numbers(4, 3, 3, 3).astype(np.float16), "b": numbers(4)},
        ["conv"],
    ),
    "zeros of a weight's shape": (
        [
            node("Shape", "w", "four", end=1),
            node("CastLike", "zero x", "like"),
            node("Expand", "like four", "b"),
            node("Conv", "x w b"),
        ],
        {"w": numbers(4, 3, 3, 3), "zero": np.asarray(0.0)},
        ["conv"],
    ),
    "pad and conv": (
        [node("Pad", "x p", "q"), node("Conv", "q w", pads=[1, 0, 0, 1])],
        {"p": ints(0, 0, 1, 2, 0, 0, 3, 0), "w": numbers(4, 3, 3, 3)},
        ["conv"],
    ),
    "pad and average": (
        [node("Pad", "x p", "q"), node("AveragePool", "q", kernel_shape=[3, 3], strides=[2, 2], pads=[0, 0, 0, 0])],
        {"p": ints(0, 0, 1, 1, 0, 0, 1, 1)},
        ["pool"],
    ),
    "bias of an add": (
        [node("Conv", "x w", "c"), node("Add", "c b")],
        {"w": numbers(4, 3, 3, 3), "b": numbers(4, 1, 1)},
        ["conv"],
    ),
    "bias that another reads past": (
        [node("Conv", "x w", "c"), node("Add", "c b", "d"), node("Mul", "c d")],
        {"w": numbers(4, 3, 3, 3), "b": numbers(1, 4, 1, 1)},
        ["conv", "affine", "eltprod"],
    ),
    "untied biases": (
        [node("Conv", "x w", "c"), node("Add", "c b")],
        {"w": numbers(4, 3, 3, 3), "b": numbers(4, 6, 6)},
        ["conv"],
    ),
    "sum of convolutions": (
        [node("Conv", "x w b", "c"), node("Conv", "x v", "d"), node("Sum", "c d")],
        {"w": numbers(4, 3, 3, 3), "b": numbers(4), "v": numbers(4, 3, 3, 3, seed=2)},
        ["conv", "conv", "eltsum"],
    ),
    "listed channels": (
        [node("Gather", "x i", "g", axis=1), node("Conv", "g w", group=2)],
        {"i": ints(2, 0, 1, 2), "w": numbers(4, 2, 3, 3)},
        ["conv"],
    ),
    "transposed convolution": (
        [node("ConvTranspose", "x w b", strides=[2, 2], pads=[1, 0, 0, 1])],
        {"w": numbers(3, 4, 3, 3), "b": numbers(4)},
        ["deconv"],
    ),
    "matmul and add": (
        [node("Flatten", "x", "f"), node("MatMul", "f w", "m"), node("Add", "m b")],
        {"w": numbers(192, 5), "b": numbers(5)},
        ["fc"],
    ),
    "gemm with factors": (
        [node("Flatten", "x", "f"), node("Gemm", "f w c", alpha=0.5, beta=2.0)],
        {"w": numbers(192, 5), "c": numbers(1, 5)},
        ["fc"],
    ),
    "gemm that adds a layer": (
        [node("Flatten", "x", "f"), node("Gemm", "f v", "a"), node("Tanh", "a", "t"), node("Gemm", "f w t", beta=0.5)],
        {"w": numbers(192, 5), "v": numbers(192, 5, seed=2)},
        ["fc", "fc", "eltsum"],
    ),
    "shape arithmetic": (
        SHAPE_OF_BATCH,
        {"zero": np.array(0), "first": ints(0), "rest": ints(-1), "w": numbers(5, 192)},
        ["fc"],
    ),
    "relu before flatten": (
        [node("Flatten", "x", "f"), node("Relu", "f", "r"), node("Gemm", "r w", transB=1)],
        {"w": numbers(5, 192)},
        ["neuron", "fc"],
    ),
    "mean over pixels": (
        [node("ReduceMean", "x", "m", axes=[2, 3], keepdims=0), node("Gemm", "m w", transB=1)],
        {"w": numbers(5, 3)},
        ["pool", "fc"],
    ),
    "squeezed": (
        [node("GlobalMaxPool", "x", "m"), node("Squeeze", "m axes", "s"), node("Gemm", "s w", transB=1)],
        {"axes": ints(2, 3), "w": numbers(5, 3)},
        ["pool", "fc"],
    ),
    "transpose of one pixel": (
        [node("GlobalMaxPool", "x", "m"), node("Transpose", "m", "t", perm=[0, 2, 3, 1]), node("Flatten", "t")],
        {},
        ["pool", "flatten"],
    ),
    "batch norm and scale": (
        [node("BatchNormalization", "x s b m v", "n", epsilon=1e-3), node("Mul", "n k", "o"), node("Add", "o l")],
        {
            "s": numbers(3),
            "b": numbers(3),
            "m": numbers(3),
            "v": numbers(3) ** 2 + 1,
            "k": numbers(3, 1, 1),
            "l": numbers(3, 1, 1),
        },
        ["batchnorm", "affine"],
    ),
    "response norm as torch writes it": (
        [
            node("Mul", "x x", "s"),
            node("Reshape", "s volume", "v"),
            node("Pad", "v sides", "p"),
            node("AveragePool", "p", "a", kernel_shape=[4, 1, 1], strides=[1, 1, 1]),
            node("Squeeze", "a first", "m"),
            node("Mul", "m alpha", "t"),
            node("Add", "t k", "u"),
            node("Pow", "u beta", "d"),
            node("Div", "x d"),
        ],
        {
            "volume": ints(0, 1, 3, 8, 8),
            "sides": ints(0, 0, 2, 0, 0, 0, 0, 1, 0, 0),
            "first": ints(1),
            "alpha": scalar(0.3),
            "k": scalar(2),
            "beta": scalar(0.75),
        },
        ["rnorm"],
    ),
    "statistics only": (
        [node("BatchNormalization", "x s b m v")],
        {"s": np.ones(3, np.float32), "b": np.zeros(3, np.float32), "m": numbers(3), "v": numbers(3) ** 2 + 1},
        ["batchnorm"],
    ),
    "prelu": ([node("PRelu", "x s")], {"s": numbers(3, 1, 1)}, ["prelu"]),
    "split and join": (
        [node("Split", "x sizes", "a b", axis=1), node("Relu", "a", "r"), node("Concat", "b r", axis=1)],
        {"sizes": ints(1, 2)},
        ["slice", "slice", "concat"],
    ),
    "crop": (
        [node("Slice", "x s e a")],
        {"s": ints(1, -7), "e": ints(2**31, -1), "a": ints(2, 3)},
        ["crop"],
    ),
    "mirror": (
        [node("Slice", "x s e a t")],
        {"s": ints(-1), "e": ints(-(2**40)), "a": ints(3), "t": ints(-1)},
        ["flip"],
    ),
    "difference": ([node("Tanh", "x", "t"), node("Sub", "t x")], {}, ["neuron", "eltsum"]),
    "mean of layers": (
        [node("Tanh", "x", "t"), node("Abs", "x", "a"), node("Mean", "x t a")],
        {},
        ["neuron", "neuron", "eltsum"],
    ),
    "largest": ([node("Tanh", "x", "t"), node("Max", "t x")], {}, ["neuron", "eltmax"]),
    "divided": ([node("Div", "x c")], {"c": scalar(57.5)}, ["neuron"]),
    "taken from": ([node("Sub", "c x")], {"c": numbers(3, 1, 1)}, ["affine"]),
    "factor": ([node("Sigmoid", "x", "t"), node("Mul", "t c")], {"c": scalar(0.7)}, ["neuron", "neuron"]),
    "relu6": ([node("Clip", "x lo hi")], {"lo": scalar(0), "hi": scalar(6)}, ["neuron"]),
    "line of numbers": ([node("Mul", "x a", "m"), node("Add", "m b")], {"a": scalar(0.5), "b": scalar(3)}, ["neuron"]),
    "maps out of units": (
        [
            node("Flatten", "x", "f"),
            node("Gemm", "f w", "g"),
            node("Reshape", "g s", "m"),
            node("MaxPool", "m", kernel_shape=[2, 2]),
        ],
        {"w": numbers(192, 36), "s": ints(-1, 4, 3, 3)},
        ["fc", "reshape", "pool"],
    ),
    "softmax of pixels": ([node("GlobalAveragePool", "x", "g"), node("Softmax", "g", axis=1)], {}, ["pool", "softmax"]),
    "product with itself": ([node("Mul", "x x")], {}, ["neuron"]),
    "power of two": ([node("Pow", "x two")], {"two": scalar(2)}, ["neuron"]),
    "one slope": ([node("PRelu", "x s")], {"s": numbers(1, 1, 1)}, ["prelu"]),
    "pads turned around": (
        [
            node("ConstantOfShape", "four", "zeros", value=numpy_helper.from_array(ints(0))),
            node("Concat", "given zeros", "flat", axis=0),
            node("Reshape", "flat pairs", "rows"),
            node("Slice", "rows last before first back", "turned"),
            node("Transpose", "turned", "columns", perm=[1, 0]),
            node("Reshape", "columns all", "p"),
            node("Pad", "x p", "q"),
            node("Conv", "q w"),
        ],
        {
            "four": ints(4), "given": ints(3, 0, 1, 2), "pairs": ints(-1, 2), "all": ints(-1), "w": numbers(4, 3, 3, 3),
            "last": ints(-1), "before": ints(-(2**63) + 1), "first": ints(0), "back": ints(-1),
        },
        ["conv"],
    ),
    "part of a shape": (
        [
            node("Shape", "x", "batch", start=0, end=1),
            node("Concat", "batch rest", "wanted", axis=0),
            node("Reshape", "x wanted", "f"),
            node("Gemm", "f w", transB=1),
        ],
        {"rest": ints(-1), "w": numbers(5, 192)},
        ["fc"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_operators(name: str, tmp_path: Path) -> None:
    nodes, constants, wanted = CASES[name]
    opset = 13 if name == "mean over pixels" else 18  # axes became an input
    content = model(nodes, constants, opset=opset)
    assert types(imported(content, tmp_path)) == wanted
    assert difference(content, tmp_path) <= CLOSE


def test_old_dialects(tmp_path: Path) -> None:
    """Up to opset 6 a bias is told where it belongs, and dropout has a flag; up to 9 slices have attributes."""
    nodes = [
        node("Conv", "x w", "c", kernel_shape=[3, 3]),
        node("Add", "c b", "d", broadcast=1, axis=1),
        node("Dropout", "d", "e", is_test=1, ratio=0.25),
        node("Slice", "e", "s", axes=[1], starts=[1], ends=[3]),
        node("Clip", "s", min=0.0, max=1.0),
    ]
    found = imported(model(nodes, {"w": numbers(4, 3, 3, 3), "b": numbers(4)}, opset=6), tmp_path)
    assert types(found) == ["conv", "dropout", "slice"]
    assert getattr(found.spec.layers["dropout_of_e"], "rate", None) == 0.25
    assert found.tensors is not None
    assert np.array_equal(found.tensors["conv_of_c.bias"], numbers(4))


def test_a_neuron_becomes_a_key_only_where_nobody_else_reads(tmp_path: Path) -> None:
    weights = {"w": numbers(3, 3, 1, 1)}
    alone = imported(model([node("Conv", "x w", "c"), node("Relu", "c")], weights), tmp_path)
    assert [str(layer.neuron) for layer in alone.spec.layers.values()] == ["relu"]
    shared = [node("Conv", "x w", "c"), node("Relu", "c", "r"), node("Add", "c r")]
    assert types(imported(model(shared, weights), tmp_path)) == ["conv", "neuron", "eltsum"]
    returned = model([node("Conv", "x w", "c"), node("Relu", "c")], weights, outputs=("y", "c"))
    found = imported(returned, tmp_path)
    assert types(found) == ["conv", "neuron"]
    assert found.spec.outputs == ("relu_of_y", "conv_of_c")
    assert difference(returned, tmp_path) <= CLOSE


def test_a_pattern_is_one_layer_only_where_nobody_reads_its_inside(tmp_path: Path) -> None:
    """2 x is half of a tanh(2 x), but here the sum reads it too."""
    nodes = [node("Mul", "x two", "m"), node("Tanh", "m", "t"), node("Mul", "t third", "s")]
    constants = {"two": scalar(2), "third": scalar(1 / 3)}
    assert types(imported(model(nodes, constants, outputs=("s",)), tmp_path)) == ["neuron"]
    read = model([*nodes, node("Add", "s m")], constants)
    found = imported(read, tmp_path)
    assert [str(layer.neuron) for layer in found.spec.layers.values()][:2] == [
        "linear[2.0, 0.0]",
        "tanh[0.33333334, 1.0]",
    ]
    assert difference(read, tmp_path) <= CLOSE
    returned = model(nodes, constants, outputs=("s", "m"))
    assert types(imported(returned, tmp_path)) == ["neuron", "neuron"]
    assert difference(returned, tmp_path) <= CLOSE


@pytest.mark.parametrize("changed", ["sides", "volume", "first"])
def test_what_only_looks_like_a_response_norm_is_refused(changed: str, tmp_path: Path) -> None:
    nodes, constants, _ = CASES["response norm as torch writes it"]
    other = {"sides": ints(0, 0, 1, 0, 0, 0, 0, 2, 0, 0), "volume": ints(0, 1, 3, 64, 1), "first": ints(2)}
    with pytest.raises(SpecError, match="NS804"):
        imported(model(nodes, {**constants, changed: other[changed]}), tmp_path)


def _random_pool(random: Random) -> tuple[bytes, str]:
    """Pooling with any window, padding and rounding."""
    size = [random.randint(1, 5), random.randint(1, 5)]
    options: dict[str, Any] = {"kernel_shape": size, "strides": [random.randint(1, 4), random.randint(1, 4)]}
    padding = random.random()
    if padding < 0.6:
        options["pads"] = [random.randint(0, size[side % 2] - 1) for side in range(4)]
    elif padding < 0.7:
        options["auto_pad"] = random.choice(("SAME_UPPER", "SAME_LOWER", "VALID"))
        options["strides"] = [
            random.randint(1, side) for side in size
        ]  # runtimes differ where windows leave pixels out
    if "auto_pad" not in options and random.random() < 0.5:
        options["ceil_mode"] = 1
    op = random.choice(("MaxPool", "AveragePool"))
    if op == "AveragePool" and random.random() < 0.5:
        options["count_include_pad"] = 1
    return model([node(op, "x", **options)], {}, opset=random.choice((10, 13, 19))), f"{op} {options}"


def _random_conv(random: Random) -> tuple[bytes, str]:
    groups = random.choice((1, 1, 3))
    size = [random.randint(1, 4), random.randint(1, 4)]
    options: dict[str, Any] = {"group": groups, "strides": [random.randint(1, 3), random.randint(1, 3)]}
    padding = random.random()
    if padding < 0.5:
        options["pads"] = [random.randint(0, 3) for _ in range(4)]
    elif padding < 0.7:
        options["auto_pad"] = random.choice(("SAME_UPPER", "SAME_LOWER", "VALID"))
    if "pads" in options and random.random() < 0.4:
        options["dilations"] = [random.randint(1, 2), random.randint(1, 2)]
    op = "Conv" if "auto_pad" in options or random.random() < 0.7 else "ConvTranspose"
    dims = (6, 3 // groups, *size) if op == "Conv" else (3, 2, *size)
    bias = numbers(6 if op == "Conv" else 2 * groups)
    return model([node(op, "x w b", **options)], {"w": numbers(*dims), "b": bias}), f"{op} {options}"


@pytest.mark.parametrize("seed", range(120))
def test_random_windows(seed: int, tmp_path: Path) -> None:
    """Each is read as onnxruntime computes it."""
    random = Random(seed)
    content, what = (_random_pool if seed % 2 else _random_conv)(random)
    assert difference(content, tmp_path) <= CLOSE, what


@pytest.mark.parametrize("op", ["MaxPool", "Conv"])
def test_a_window_that_fits_by_the_larger_pad_alone(op: str, tmp_path: Path) -> None:
    """With the smaller one on both sides there would be none, whatever the rounding."""
    size = [11, 11]
    content = model([node(op, "x w" if op == "Conv" else "x", kernel_shape=size, strides=[8, 8], pads=[1, 1, 3, 3])],
                    {"w": numbers(2, 3, *size)} if op == "Conv" else {})  # fmt: skip
    assert difference(content, tmp_path) <= CLOSE


@pytest.mark.parametrize("opset", [11, 13])
@pytest.mark.parametrize("axis", [1, -1])
def test_softmax_of_units(opset: int, axis: int, tmp_path: Path) -> None:
    content = model([node("Flatten", "x", "f"), node("Softmax", "f", axis=axis)], {}, opset=opset)
    assert difference(content, tmp_path) <= CLOSE


def test_softmax_over_all_units_up_to_opset_12(tmp_path: Path) -> None:
    assert difference(model([node("Softmax", "x", axis=1)], {}, opset=11), tmp_path) <= CLOSE
    with pytest.raises(SpecError, match="one axis of several"):
        imported(model([node("Softmax", "x", axis=1)], {}, opset=13), tmp_path)
