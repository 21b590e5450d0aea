"""Guesses at layers with weights that netspec lowers to several operators: several inputs, untied biases, groups of fc.

A guess reads the keys off the graph; whether it is right is for `candidate.fit` to say.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from netspec.importers.draft import Value
from netspec.importers.onnx_file.candidate import Candidate
from netspec.importers.onnx_file.graph import Node
from netspec.importers.onnx_file.sliding import Unclear, sliding
from netspec.importers.onnx_file.values import Values
from netspec.importers.onnx_file.windows import plain_keys

_MOST_INPUTS: Final = 256  # what a layer of the language may have


@dataclass(frozen=True)
class Branch:
    """What a layer does with one input: the value it reads, its keys, and the output channels."""

    read: str
    keys: dict[str, Value]
    filters: int
    bias: bool = False


def guess_sums(values: Values, node: Node) -> Iterator[Candidate]:
    """Sum: a conv or local layer with several inputs and without biases of their own."""
    if values.graph.ours:  # elsewhere a sum of convolutions is what it looks like
        yield from _windowed(values, node.output, own_bias=False)


def guess_biased(values: Values, node: Node) -> Iterator[Candidate]:
    """Add: a layer that ends in adding its bias."""
    bias = values.constant(node.input(1))
    if bias is None or bias.ndim not in (1, 3):
        return
    yield from _windowed(values, node.input(0), own_bias=True)
    yield from _grouped(values, node.input(0), bias=True)


def guess_reshaped(values: Values, node: Node) -> Iterator[Candidate]:
    """Reshape: a local layer, or an fc layer with groups, without a bias."""
    yield from _windowed(values, node.output, own_bias=False, types=("local",))
    yield from _grouped(values, node.output, bias=False)


def guess_connected(values: Values, node: Node) -> Iterator[Candidate]:
    """Conv of listed channels."""
    if values.graph.producer(node.input(0), "Gather") is not None:
        yield from _windowed(values, node.output, own_bias=False, types=("conv",))


def guess_chain(values: Values, node: Node) -> Iterator[Candidate]:
    """Gemm that adds another Gemm: an fc layer with several inputs."""
    reads: list[str] = []
    link: Node | None = node
    bias = False
    while link is not None and len(reads) < _MOST_INPUTS:
        flat = values.graph.producer(link.input(0), "Flatten")
        inner = flat is not None and values.graph.together(flat, node)
        reads.append(flat.input(0) if flat is not None and inner else link.input(0))
        bias = values.constant(link.input(2)) is not None
        link = values.graph.producer(link.input(2), "Gemm") if not bias else None
    weight = values.constant(node.input(1))
    if len(reads) > 1 and weight is not None and weight.ndim == 2:
        yield Candidate("fc", {"outputs": weight.shape[0], **_biased(bias)}, tuple(reversed(reads)))


def _windowed(
    values: Values, total: str, *, own_bias: bool, types: Sequence[str] = ("conv", "local")
) -> Iterator[Candidate]:
    """``own_bias``: the bias is added after the sum of the branches, one for each position."""
    for type in types:
        read = _conv if type == "conv" else _local
        branches = [read(values, name) for name in _terms(values, total)]
        known = [branch for branch in branches if branch is not None]
        if not known or len(known) < len(branches):
            continue
        keys: dict[str, Value] = {"filters": known[0].filters, **known[0].keys}
        if len(known) > 1:
            keys["per_input"] = [_differences(branch.keys, known[0].keys) for branch in known]
        keys |= _biased(own_bias or known[0].bias)
        untied: dict[str, Value] = {"shared_biases": False} if own_bias and type == "conv" else {}
        yield Candidate(type, {**keys, **untied}, tuple(branch.read for branch in known))


def _differences(keys: dict[str, Value], first: dict[str, Value]) -> dict[str, Value]:
    """What stands in `per_input`: what is not the first input's, and what that has and this has not."""
    usual: dict[str, Value] = {"stride": 1, "pad": 0, "dilation": 1, "groups": 1}
    missing = {name: usual[name] for name in first if name not in keys and name in usual}
    return {name: value for name, value in {**missing, **keys}.items() if first.get(name) != value}


def _biased(bias: bool) -> dict[str, Value]:
    return {} if bias else {"bias": False}


def _terms(values: Values, total: str) -> tuple[str, ...]:
    added = values.graph.producer(total, "Sum")
    return added.inputs if added is not None else (total,)


def _conv(values: Values, name: str) -> Branch | None:
    conv = values.graph.producer(name, "Conv")
    weight = values.constant(conv.input(1)) if conv else None
    if conv is None or weight is None or weight.ndim != 4:
        return None
    windows = _windows(values, conv, weight.shape[2:])
    if windows is None:
        return None
    read, more = _gathered(values, conv.input(0))
    groups: dict[str, Value] = {} if conv.integer("group", 1) == 1 else {"groups": conv.integer("group", 1)}
    return Branch(read, {**windows, **groups, **more}, weight.shape[0], bool(conv.input(2)))


def _local(values: Values, name: str) -> Branch | None:
    """Reshape(Einsum(Reshape(Conv), Reshape(weights)))."""
    graph = values.graph
    result = graph.producer(name, "Reshape")
    product = graph.producer(result.input(0), "Einsum") if result else None
    patches, weights = (graph.producer(product.input(n), "Reshape") if product else None for n in (0, 1))
    conv = graph.producer(patches.input(0), "Conv") if patches else None
    array = values.constant(weights.input(0)) if weights else None
    if conv is None or patches is None or array is None or array.ndim != 6:
        return None
    windows = _windows(values, conv, array.shape[2:4])
    groups = (values.dims.get(patches.output) or (1,))[0]
    if windows is None:
        return None
    read, more = _gathered(values, conv.input(0))
    grouped: dict[str, Value] = {} if groups == 1 else {"groups": groups}
    return Branch(read, {**windows, **grouped, **more}, array.shape[0])


def _windows(values: Values, conv: Node, kernel: tuple[int, ...]) -> dict[str, Value] | None:
    try:
        _, height, width = values.maps(conv)
        windows = sliding(conv, kernel, (height, width))
    except Unclear:
        return None
    return plain_keys(windows, windows.pads)


def _gathered(values: Values, name: str) -> tuple[str, dict[str, Value]]:
    """What is read, and which channels of it."""
    gather = values.graph.producer(name, "Gather")
    if gather is None or gather.integer("axis", 0) != 1 or (listed := values.constant(gather.input(1))) is None:
        return name, {}
    return gather.input(0), {"connections": [int(channel) for channel in listed.reshape(-1)]}


def _grouped(values: Values, name: str, *, bias: bool) -> Iterator[Candidate]:
    """Fc with groups: Reshape(Transpose(MatMul or a Sum of them))."""
    graph = values.graph
    result = graph.producer(name, "Reshape")
    turned = graph.producer(result.input(0), "Transpose") if result else None
    products = [graph.producer(term, "MatMul") for term in _terms(values, turned.input(0))] if turned else []
    reads, groups = [], 1
    for product in products:
        parts = graph.producer(product.input(0), "Transpose") if product else None
        split = graph.producer(parts.input(0), "Reshape") if parts else None
        if split is None:
            return
        reads.append(split.input(0))
        groups = (values.dims.get(split.output) or (1,))[0]
    outputs = values.dims.get(name)
    if reads and outputs is not None and len(outputs) == 1:
        yield Candidate("fc", {"outputs": outputs[0], "groups": groups, **_biased(bias)}, tuple(reads))
