"""A layer that some operators may be: its keys, and whether the operators are what it is lowered to.

A guess is never trusted: the layer's own ONNX lowering is laid over the graph, operator by operator, constants and
attributes included. So whatever netspec emits is read back by the rules that emitted it, and nothing else is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from netspec.diagnostics import Findings
from netspec.importers.draft import Draft, Value
from netspec.importers.onnx_file.graph import Attribute, Node
from netspec.importers.onnx_file.values import Values
from netspec.ir.layer import Illegal, Layer
from netspec.ir.lowering import LrnForm, OnnxCode, OnnxConstant, OnnxOp
from netspec.ir.shape import Maps, Shape, Vector
from netspec.layers import LAYER_TYPES
from netspec.source import Span
from netspec.syntax.decode import Decoder
from netspec.syntax.spans import SpanTable
from netspec.syntax.tree import Mapping as Tree

if TYPE_CHECKING:
    from netspec.importers.onnx_file.file import Constant

CLOSE: Final = 2e-6  # of float32 constants: what decimals and one more rounding cost
MOST_CHANNELS: Final = 1 << 16  # more would be laid out number by number, and no net has them
_COMMUTING: Final = ("Add", "Mul", "Max", "Sum")
_ANY: Final[dict[str, Attribute]] = {
    "dilations": (1, 1),
    "strides": (1, 1),
    "pads": (0, 0, 0, 0),
    "group": 1,
    "auto_pad": "NOTSET",
    "ceil_mode": 0,
    "storage_order": 0,
    "count_include_pad": 0,
    "alpha": 1.0,
    "beta": 1.0,
    "transA": 0,
    "transB": 0,
    "allowzero": 0,
}
_NO_MEANING: Final = ("momentum", "training_mode")


@dataclass(frozen=True)
class Candidate:
    """A layer over graph values ``reads``: its type and keys as in the language."""

    type: str
    keys: Mapping[str, Value]
    reads: tuple[str, ...]


@dataclass
class Fit:
    """How a lowering lies over the graph: graph values by parameter path, and the operators that it takes up.

    ``laid`` says which value of the lowering lies over which operator.
    """

    inputs: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    nodes: dict[int, Node] = field(default_factory=dict)
    laid: dict[int, str] = field(default_factory=dict)

    def copy(self) -> Fit:
        return Fit(dict(self.inputs), dict(self.parameters), dict(self.nodes), dict(self.laid))

    def become(self, other: Fit) -> None:
        self.inputs, self.parameters, self.nodes, self.laid = other.inputs, other.parameters, other.nodes, other.laid


def shape_of(dims: tuple[int, ...]) -> Shape | None:
    """Maps of three numbers, a vector of one."""
    if len(dims) == 3:
        return Maps(dims[0], dims[1], dims[2])
    return Vector(dims[0]) if len(dims) == 1 else None


def decode(type: str, keys: Mapping[str, Value], inputs: tuple[str, ...], place: Span) -> Layer:
    """The layer as the language's decoder reads it. Raises Illegal with what it finds wrong."""
    draft = Draft(place.source)
    draft.add("layer", type, place, inputs=list(inputs), **keys)
    layers = draft.tree().get("layers")
    findings = Findings()
    tree = layers.value.entries[0].value if layers and isinstance(layers.value, Tree) else None
    if tree is None:
        raise TypeError("a draft of one layer has one")
    layer = Decoder(SpanTable(place.source), findings).dataclass(tree, LAYER_TYPES[type], (), skip=("type",))
    if not isinstance(layer, Layer):
        first = findings.items[0]
        raise Illegal(first.code, first.message, help=first.help)
    return layer


def fit(values: Values, candidate: Candidate, root: str, place: Span) -> Fit | None:
    """How the candidate's lowering lies over what makes the value ``root``; None where it does not.

    Inner values must be read by nobody else.
    """
    shapes = [shape_of(values.dims.get(name) or ()) for name in candidate.reads]
    known = tuple(shape for shape in shapes if shape is not None)
    if len(known) != len(shapes) or any(isinstance(s, Maps) and s.channels > MOST_CHANNELS for s in known):
        return None
    slots = tuple(f"<{number}>" for number in range(len(known)))
    try:
        layer = decode(candidate.type, candidate.keys, slots, place)
        output = layer.infer(known)
        paths = {p.path: p.dims for p in layer.parameters(known)}
    except Illegal:
        return None
    for form in _FORMS if candidate.type == "rnorm" else _FORMS[:1]:
        code = OnnxCode("", slots, known, output, {path: f"<{path}>" for path in paths}, form)
        result = layer.onnx(code)
        result = layer.neuron.onnx(code, result) if layer.neuron is not None else result
        found = Fit(inputs=dict(zip(slots, candidate.reads, strict=True)))
        overlay = _Overlay(values, code, {f"<{path}>": dims for path, dims in paths.items()})
        if result in overlay.ops and overlay.value(result, root, found) and alone(values, found, root):
            return found
    return None


_FORMS: Final[tuple[LrnForm, ...]] = ("fast", "native")


def alone(values: Values, found: Fit, root: str) -> bool:
    """Whether nobody else reads what is computed inside, and all of it is one layer."""
    graph = values.graph
    last = graph.producers[root]
    for node in found.nodes.values():
        if not graph.together(node, last):
            return False
        if root in node.outputs or node.output in values.constants:
            continue
        if any(
            o in graph.ends or any(r.number not in found.nodes for r in graph.readers.get(o, ())) for o in node.outputs
        ):
            return False
    return True


class _Overlay:
    """One lowering, laid over a graph from its result on."""

    def __init__(self, values: Values, code: OnnxCode, parameters: Mapping[str, tuple[int, ...]]) -> None:
        self.values = values
        self.inputs = frozenset(code.inputs)
        self.parameters = parameters
        self.ops: dict[str, OnnxOp] = {op.output: op for op in code.ops}
        self.constants: dict[str, OnnxConstant] = {constant.name: constant for constant in code.constants}

    def value(self, ours: str, theirs: str, found: Fit) -> bool:
        """Whether a value of the lowering is this value of the graph; ``found`` grows."""
        if ours in self.inputs:
            return found.inputs[ours] == theirs
        if ours in self.parameters:
            array = self.values.constant(theirs)
            fits = array is not None and array.shape == self.parameters[ours]
            return fits and found.parameters.setdefault(ours, theirs) == theirs
        if ours in self.constants:
            array = self.values.constant(theirs)
            return array is not None and _equal(self.constants[ours], array)
        node = self.values.graph.producers.get(theirs)
        return node is not None and self._op(self.ops[ours], node, found)

    def _op(self, op: OnnxOp, node: Node, found: Fit) -> bool:
        if node.number in found.laid:
            return found.laid[node.number] == op.output
        count = len(op.inputs)
        if op.type == "Pad" and len(node.inputs) == count - 1 and not node.attributes.get("value"):
            count -= 1  # what is laid around is 0 where nothing is said
        if (node.op, len(node.inputs)) != (op.type, count) or not self._same_attributes(op, node):
            return False
        for inputs in _orders(op):
            trial = found.copy()
            pairs = zip(inputs[:count], node.inputs, strict=True)
            if all(self.value(ours, theirs, trial) for ours, theirs in pairs):
                trial.nodes[node.number], trial.laid[node.number] = node, op.output
                found.become(trial)
                return True
        return False

    def _same_attributes(self, op: OnnxOp, node: Node) -> bool:
        ours, theirs = dict(op.attributes), node.attributes
        weight = self.values.constant(node.input(1)) if node.op in ("Conv", "ConvTranspose") else None
        if weight is not None and "kernel_shape" not in theirs:
            theirs = {**theirs, "kernel_shape": weight.shape[2:]}
        for name in {*ours, *theirs} - {*_NO_MEANING}:
            if not _alike(ours.get(name, _ANY.get(name)), theirs.get(name, _ANY.get(name))):
                return False
        return not node.strange and not node.tensors


def _orders(op: OnnxOp) -> Iterator[tuple[str, ...]]:
    yield op.inputs
    if op.type in _COMMUTING and len(op.inputs) == 2:
        yield op.inputs[::-1]


def _alike(one: Attribute | None, other: Attribute | None) -> bool:
    if isinstance(one, float | int) and isinstance(other, float | int):
        return abs(one - other) <= CLOSE * max(abs(one), abs(other))
    return one == other


def _equal(ours: OnnxConstant, theirs: Constant) -> bool:
    import numpy as np

    kind = "iu" if ours.integer else "f"
    if theirs.dtype.kind not in kind or (theirs.shape != ours.dims and not theirs.size == len(ours.values) == 1):
        return False
    flat = np.asarray(ours.values, theirs.dtype)
    return bool(np.allclose(flat, theirs.reshape(-1), rtol=CLOSE, atol=0)) if theirs.size else True
