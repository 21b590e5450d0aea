"""Operators with weights: Conv, ConvTranspose, Gemm, MatMul, BatchNormalization, PRelu.

Weights go to the canonical layout: output channels first.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from netspec.importers.draft import Value
from netspec.importers.onnx_file.graph import Node
from netspec.importers.onnx_file.reading import Read, Reading, Ref, Weight, floats
from netspec.importers.onnx_file.sliding import Four, Sliding, Unclear, sliding
from netspec.importers.onnx_file.windows import plain_keys, window_keys

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def read_conv(reading: Reading, node: Node) -> Ref:
    """Zeros that a Pad laid around what it reads are its own padding."""
    ref = reading.padded(node)
    weight = reading.weight(node.input(1))
    if len(ref.dims) != 3 or weight.array.ndim != 4:
        raise Unclear("it is no convolution over height and width")
    image = (ref.dims[1] - ref.pads[0] - ref.pads[2], ref.dims[2] - ref.pads[1] - ref.pads[3])
    windows = _padded(sliding(node, weight.array.shape[2:], (ref.dims[1], ref.dims[2])), ref.pads)
    if windows.size != weight.array.shape[2:]:
        raise Unclear("its `kernel_shape` is not that of its weights")
    keys: dict[str, Value] = {"filters": weight.array.shape[0], **window_keys(windows, image, "floor")}
    _say_rounding(reading, node, keys, windows)
    plain = replace(ref, dims=(ref.dims[0], *image), pads=(0, 0, 0, 0))
    return _with_bias(reading, node, "conv", keys, plain, weight)


def _padded(windows: Sliding, pads: Four) -> Sliding:
    if not any(pads):
        return windows
    top, left, bottom, right = (a + b for a, b in zip(windows.pads, pads, strict=True))
    return replace(windows, pads=(top, left, bottom, right))


def _say_rounding(reading: Reading, node: Node, keys: dict[str, Value], windows: Sliding) -> None:
    if keys.get("round") == "ceil":
        text = f"the pads {list(windows.pads)} are read as windows that hang over the edge: `round: ceil`"
        reading.remarks.meaning("rounding", text, node.place, node.name)


def _with_bias(
    reading: Reading, node: Node, type: str, keys: dict[str, Value], ref: Ref, weight: Weight, groups: bool = True
) -> Ref:
    if groups and node.integer("group", 1) != 1:
        keys["groups"] = node.integer("group", 1)
    weights = {"weight": weight}
    if node.input(2):
        weights["bias"] = reading.weight(node.input(2))
    else:
        keys["bias"] = False
    return reading.make(node, type, keys, [ref], weights)


def read_deconv(reading: Reading, node: Node) -> Ref:
    """Its weights are (channels, filters / groups, height, width)."""
    ref, weight = reading.ref(node), reading.weight(node.input(1), "deconv")
    groups = node.integer("group", 1)
    if len(ref.dims) != 3 or weight.array.ndim != 4 or groups < 1 or weight.array.shape[0] % groups:
        raise Unclear("it is no transposed convolution over height and width")
    if any(node.integers("output_padding") or ()) or node.integers("output_shape"):
        raise Unclear("its output is padded, or has a shape of its own")
    if node.word("auto_pad", "NOTSET") not in ("NOTSET", "VALID", ""):
        raise Unclear(f"`auto_pad` is {node.word('auto_pad')}")
    windows = sliding(node, weight.array.shape[2:], (ref.dims[1], ref.dims[2]))
    channels, each, *kernel = weight.array.shape
    reading.lay_out(weight.array.size)
    split = weight.array.reshape(groups, channels // groups, each, *kernel)
    turned = split.transpose(0, 2, 1, 3, 4).reshape(groups * each, channels // groups, *kernel)
    keys: dict[str, Value] = {"filters": groups * each, **plain_keys(windows, windows.pads)}
    return _with_bias(reading, node, "deconv", keys, ref, Weight(turned, weight.origin))


def read_gemm(reading: Reading, node: Node) -> Ref:
    """Alpha A B + beta C, where A are the images of a batch and B is constant."""
    if node.integer("transA", 0):
        raise Unclear("it turns what it reads: `transA`")
    alpha, beta = node.number_of("alpha", 1.0), node.number_of("beta", 1.0)
    ref, weight = reading.ref(node), reading.weight(node.input(1))
    matrix, scaled = _matrix(weight.array), alpha != 1
    if not node.integer("transB", 0):
        matrix = matrix.T
    if scaled:
        reading.lay_out(matrix.size)
        matrix = floats(matrix * matrix.dtype.type(alpha))
        reading.remarks.meaning("alpha", f"the weights are multiplied by its alpha, {alpha:g}", node.place, node.name)
    moved = (*weight.origin, f"{node.integer('transB', 0)} {alpha}")
    keys: dict[str, Value] = {"outputs": matrix.shape[0]}
    weights = {"weight": Weight(matrix, moved)}
    other = reading.refs.get(node.input(2))
    if node.input(2) and other is None:
        bias = _row(reading.weight(node.input(2)).array, matrix.shape[0])
        weights["bias"] = Weight(floats(bias * bias.dtype.type(beta)) if beta != 1 else bias, (node.input(2),))
    else:
        keys["bias"] = False
    if other is None:
        return _fc(reading, node, keys, ref, weights)
    product = _fc(reading, node, keys, ref, weights, value="")
    factors: dict[str, Value] = {} if beta == 1 else {"coefficients": [1.0, beta]}
    return reading.make(node, "eltsum", factors, [product, other])


def read_matmul(reading: Reading, node: Node) -> Ref:
    """Rows times a constant matrix (inputs, outputs): fc without a bias, which an Add may bring."""
    ref, weight = reading.ref(node), reading.weight(node.input(1), "turned")
    matrix = _matrix(weight.array).T
    keys: dict[str, Value] = {"outputs": matrix.shape[0], "bias": False}
    return _fc(reading, node, keys, ref, {"weight": Weight(matrix, weight.origin)})


def _fc(
    reading: Reading,
    node: Node,
    keys: dict[str, Value],
    ref: Ref,
    weights: dict[str, Weight],
    value: str | None = None,
) -> Ref:
    if len(ref.dims) != 1:
        raise Unclear(f"it multiplies values of {len(ref.dims) + 1} dimensions by a matrix")
    if len(reading.shape(ref.layer).dims) == 3:
        text = "it reads maps channel by channel, row by row, as the graph flattens them"
        reading.remarks.meaning("flatten order", text, node.place, node.name)
    return reading.make(node, "fc", keys, [ref], weights, value=value, dims=(weights["weight"].array.shape[0],))


def _matrix(array: NDArray[np.float32]) -> NDArray[np.float32]:
    if array.ndim != 2:
        raise Unclear(f"its weights have {array.ndim} dimensions")
    return array


def _row(array: NDArray[np.float32], outputs: int) -> NDArray[np.float32]:
    """One number for each output: C of Gemm may be one for all, or a row."""
    import numpy as np

    if array.shape not in ((), (1,), (1, 1), (outputs,), (1, outputs)):
        raise Unclear("what it adds is no row of biases")
    return np.broadcast_to(array.reshape(-1), (outputs,))


def read_batchnorm(reading: Reading, node: Node) -> Ref:
    """Live, with its statistics. ONNX's momentum is the weight of the old ones, the language's of the new batch."""
    if node.integer("training_mode", 0) or not node.integer("spatial", 1):
        raise Unclear("it normalises with the batch's statistics, or each unit with its own")
    if any(reading.values.graph.readers.get(name) for name in node.outputs[1:]):
        raise Unclear("its running statistics are read")
    names = ("weight", "bias", "running_mean", "running_var")
    weights = {name: reading.weight(node.input(n)) for n, name in enumerate(names, 1)}
    eps = node.number_of("epsilon", 1e-5)
    keys: dict[str, Value] = {} if eps == 1e-5 else {"eps": eps}
    momentum = round(1 - node.number_of("momentum", 0.9), 9)
    if momentum != 0.1 and 0 <= momentum <= 1:
        keys["momentum"] = momentum
    if _is_plain(reading, node, weights):
        keys["affine"] = False
        weights = {name: weights[name] for name in names[2:]}
        reading.remarks.meaning("batchnorm", "its scale is 1 and its shift 0: none are learned", node.place, node.name)
    return reading.make(node, "batchnorm", keys, [reading.ref(node)], weights)


def _is_plain(reading: Reading, node: Node, weights: dict[str, Weight]) -> bool:
    """Whether it has no scale and shift of its own: others fill in ones and zeros, and a new net starts with them."""
    if reading.values.graph.ours:
        return "/" in node.input(1)
    scale, shift = weights["weight"].array, weights["bias"].array
    return bool(scale.size) and bool((scale == 1).all()) and bool((shift == 0).all())


def read_prelu(reading: Reading, node: Node) -> Ref:
    """One slope for all channels, or one for each."""
    ref, slopes = reading.ref(node), reading.weight(node.input(1))
    rank, shape = len(ref.dims) + 1, slopes.array.shape
    each = (1,) * (rank - len(shape)) + shape == (1, ref.dims[0], *(1,) * (rank - 2))
    if slopes.array.size == 1:  # of one channel it may be either
        each = each and len(shape) == rank - 1
    elif not each:
        raise Unclear("its slopes are neither one nor one a channel")
    keys: dict[str, Value] = {} if each else {"shared": True}
    weight = Weight(slopes.array.reshape(-1), slopes.origin)
    return reading.make(node, "prelu", keys, [ref], {"weight": weight})


LEARNED: Final[dict[str, Read]] = {
    "Conv": read_conv,
    "ConvTranspose": read_deconv,
    "Gemm": read_gemm,
    "MatMul": read_matmul,
    "BatchNormalization": read_batchnorm,
    "PRelu": read_prelu,
}
