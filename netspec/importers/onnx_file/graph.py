"""The graph of an ONNX file as plain data: operators in an order that can be computed, and who reads what.

It judges no operator. Places in it are lines of a listing, where line n is the n-th operator of the file.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any, Final

from netspec.importers.onnx_file.file import OnnxFile, damaged, decoded
from netspec.source import Source, Span, whole
from netspec_runtime.errors import DataError, printable
from netspec_runtime.wire import WireError

if TYPE_CHECKING:
    from netspec.importers.onnx_file.file import Constant

MAX_NODES: Final = 5_000
OWN_DOMAINS: Final = ("", "ai.onnx")
_LONGEST: Final = 200  # characters of a line
Attribute = int | float | str | tuple[int, ...] | tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Node:
    """One operator. ``strange`` are attributes of kinds that no operator of ours has (graphs, strings' lists).

    ``number`` counts the nodes of the file from 0; ``name`` is the file's, or else the first output's.
    """

    number: int
    op: str
    domain: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Attribute]
    tensors: dict[str, Constant]
    strange: tuple[str, ...]
    place: Span

    @property
    def output(self) -> str:
        return self.outputs[0]

    def input(self, number: int) -> str:
        """The name of an input; empty for one that is left out."""
        return self.inputs[number] if number < len(self.inputs) else ""

    def integer(self, name: str, default: int) -> int:
        value = self.attributes.get(name, default)
        return value if isinstance(value, int) else default

    def number_of(self, name: str, default: float) -> float:
        """A float attribute as the shortest decimal that is the same float32."""
        value = self.attributes.get(name)
        return shortest(float(value)) if isinstance(value, int | float) else default

    def word(self, name: str, default: str = "") -> str:
        value = self.attributes.get(name, default)
        return value if isinstance(value, str) else default

    def integers(self, name: str) -> tuple[int, ...] | None:
        """A list of integers; None where there is none."""
        value = self.attributes.get(name)
        whole_list = isinstance(value, tuple) and all(isinstance(item, int) for item in value)
        return tuple(int(item) for item in value) if whole_list and isinstance(value, tuple) else None


@dataclass(frozen=True)
class ValueInfo:
    """An input or output of the graph; a dimension is None where the file leaves it open, all where it says nothing."""

    name: str
    dims: tuple[int | None, ...] | None


@dataclass(frozen=True)
class OnnxGraph:
    """Nodes in an order that can be computed, with the constants that the file holds."""

    source: Source
    name: str
    about: str
    ours: bool
    opset: int
    nodes: tuple[Node, ...]
    inputs: tuple[ValueInfo, ...]
    outputs: tuple[ValueInfo, ...]
    constants: dict[str, Constant] = field(repr=False)

    @cached_property
    def producers(self) -> dict[str, Node]:
        return {output: node for node in self.nodes for output in node.outputs if output}

    @cached_property
    def readers(self) -> dict[str, list[Node]]:
        """The nodes that read each value, once each."""
        found: dict[str, list[Node]] = {}
        for node in self.nodes:
            for name in dict.fromkeys(node.inputs):
                found.setdefault(name, []).append(node)
        return found

    @cached_property
    def ends(self) -> frozenset[str]:
        """The names of the outputs."""
        return frozenset(value.name for value in self.outputs)

    def producer(self, value: str, op: str = "") -> Node | None:
        """The node that makes a value, if it is an ``op``."""
        node = self.producers.get(value)
        return node if node is not None and (not op or node.op == op) else None

    def layer_of(self, node: Node) -> str:
        """In files that netspec wrote: the layer that an operator belongs to (``conv1/0_conv`` to conv1)."""
        return node.name.partition("/")[0]

    def together(self, one: Node, other: Node) -> bool:
        """Whether two operators may be one layer: always, but where the names of a file of ours say no."""
        return not self.ours or self.layer_of(one) == self.layer_of(other)


def read_graph(file: OnnxFile) -> OnnxGraph:
    """Raises DataError for a graph that is none: a cycle, a value that is made twice, or too many operators."""
    model, proto = file.model, file.model.graph
    if len(proto.node) > MAX_NODES:
        raise DataError(file.name, f"more than {MAX_NODES:,} operators", "a graph of this size is not read")
    source = Source(file.name, "\n".join(_line(node) for node in proto.node))
    try:
        nodes = [_node(number, node, source) for number, node in enumerate(proto.node)]
    except WireError as error:
        raise damaged(file.name, str(error)) from error
    opsets = [entry.version for entry in model.opset_import if entry.domain in OWN_DOMAINS]
    graph = OnnxGraph(
        source,
        text(proto.name),
        text(proto.doc_string),
        model.producer_name == "netspec",
        opsets[0] if opsets else 1,
        _ordered(file.name, nodes, file.constants, [text(value.name) for value in proto.input]),
        tuple(_value(value) for value in proto.input if text(value.name) not in file.constants),
        tuple(_value(value) for value in proto.output),
        dict(file.constants),
    )
    if not graph.outputs:
        raise damaged(file.name, "its graph has no outputs")
    return graph


def _node(number: int, proto: Any, source: Source) -> Node:
    attributes: dict[str, Attribute] = {}
    tensors, strange = {}, []
    for attribute in proto.attribute:
        value, called = _attribute(attribute), text(attribute.name)
        if value is not None:
            attributes[called] = value
        elif attribute.type == _TENSOR:
            tensors[called] = decoded(attribute.t)
        else:
            strange.append(called)
    outputs = tuple(map(text, proto.output))
    name = text(proto.name) or next(filter(None, outputs), "")
    place = Span(source, number, 0, number, len(source.line(number)))
    return Node(
        number,
        text(proto.op_type),
        text(proto.domain),
        name,
        tuple(map(text, proto.input)),
        outputs or ("",),
        attributes,
        tensors,
        tuple(strange),
        place,
    )


# Of AttributeProto.AttributeType: FLOAT, INT, STRING, TENSOR, FLOATS, INTS.
_FLOAT, _INT, _STRING, _TENSOR, _FLOATS, _INTS = 1, 2, 3, 4, 6, 7


def _attribute(proto: Any) -> Attribute | None:
    if proto.type == _FLOAT:
        return float(proto.f)
    if proto.type == _INT:
        return int(proto.i)
    if proto.type == _STRING:
        return text(bytes(proto.s))
    if proto.type == _FLOATS:
        return tuple(float(value) for value in proto.floats)
    return tuple(int(value) for value in proto.ints) if proto.type == _INTS else None


def _value(proto: Any) -> ValueInfo:
    kind = proto.type.tensor_type
    if not proto.type.HasField("tensor_type") or not kind.HasField("shape"):
        return ValueInfo(text(proto.name), None)
    return ValueInfo(text(proto.name), tuple(d.dim_value if d.dim_value > 0 else None for d in kind.shape.dim))


def _ordered(where: str, nodes: list[Node], constants: dict[str, Constant], inputs: list[str]) -> tuple[Node, ...]:
    """The nodes so that each stands behind those that it reads (files should have them so, and most do)."""
    known = {"", *constants, *inputs}
    made: set[str] = set()
    for output in (output for node in nodes for output in node.outputs if output):
        if output in made or output in known:
            raise damaged(where, f"the value {output[:80]!r} is made twice")
        made.add(output)
    ordered: list[Node] = []
    waiting: dict[str, list[Node]] = {}
    missing = {node.number: len(set(node.inputs) - known) for node in nodes}
    for node in nodes:
        for name in set(node.inputs) - known:
            if name not in made:
                raise damaged(where, f"nothing makes the value {name[:80]!r}")
            waiting.setdefault(name, []).append(node)
    ready = [node.number for node in nodes if not missing[node.number]]
    while ready:  # of those that can be computed, the first of the file: a file in order stays as it is
        node = nodes[heappop(ready)]
        ordered.append(node)
        for reader in [reader for output in node.outputs for reader in waiting.get(output, ())]:
            missing[reader.number] -= 1
            if not missing[reader.number]:
                heappush(ready, reader.number)
    if len(ordered) < len(nodes):
        raise damaged(where, "its graph has a cycle")
    return tuple(ordered)


def _line(proto: Any) -> str:
    """``r0 = Conv(data, conv1_w, conv1_b)  kernel_shape=[3, 3]``: an operator as text."""
    attributes = (f"{text(a.name)}={_shown(a)}" for a in proto.attribute)
    inputs, outputs = (", ".join(map(text, names)) for names in (proto.input, proto.output))
    return printable(f"{outputs} = {text(proto.op_type)}({inputs})  {' '.join(attributes)}".rstrip())[:_LONGEST]


def _shown(attribute: Any) -> str:
    value = _attribute(attribute)
    if isinstance(value, tuple):
        return str(list(value[:12]))
    return "..." if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def text(value: str | bytes) -> str:
    """A string of a message; one that is no UTF-8 comes as bytes."""
    return value if isinstance(value, str) else value.decode("utf-8", "replace")


def shortest(value: float) -> float:
    """The decimal with the fewest digits that is the same float32: 1e-4 for 9.999999747378752e-05."""
    import numpy as np

    if not np.isfinite(value) or abs(value) > float(np.finfo(np.float32).max):
        return value
    return float(str(np.float32(value)))


def whole_graph(graph: OnnxGraph) -> Span:
    """The place of what is wrong with the graph as a whole."""
    return whole(graph.source)
