"""What a graph has become so far: layers without names yet, and which of them each value is. It knows no operator."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import TYPE_CHECKING, Final

from netspec.diagnostics.grammar import sizes
from netspec.importers.draft import Value
from netspec.importers.onnx_file.candidate import decode, shape_of
from netspec.importers.onnx_file.constants import MAX_MOVED, Dims
from netspec.importers.onnx_file.graph import Node
from netspec.importers.onnx_file.sliding import Four, Unclear
from netspec.importers.onnx_file.values import Values
from netspec.importers.remark import Remarks
from netspec.ir.layer import Illegal
from netspec.ir.shape import Shape, Vector
from netspec_runtime.errors import DataError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

INPUT: Final = -1
MOST_LAYERS: Final = 3_000  # neurons included, which become keys; a spec has 1,000 at most
SHAPELESS: Final = ("fc", "softmax", "flatten", "reshape", "neuron", "dropout")
_TIED: Final = ("conv", "local", "fc", "deconv")
_MOVES: Final = ("Transpose", "Reshape", "Identity")
_NONE: Final[Mapping[str, Weight]] = {}


@dataclass(frozen=True)
class Weight:
    """A parameter in the canonical layout; ``origin`` is the same for two that are one tensor of the graph."""

    array: NDArray[np.float32]
    origin: tuple[str, ...]


@dataclass(frozen=True)
class Ref:
    """What a value of the graph is: a layer's output, seen with the graph's shape ``dims``.

    ``pads`` are zeros that the graph lays around it; ``broken``: it rests on something that was lost.
    """

    layer: int
    dims: Dims
    pads: Four = (0, 0, 0, 0)
    broken: bool = False


@dataclass
class Made:
    """A layer in the making. ``reads`` are numbers of layers; ``shares`` maps parameter paths to their owners.

    ``value`` is the value of the graph that it computes, empty where another layer has to have it in between.
    """

    type: str
    keys: dict[str, Value]
    reads: list[int]
    shape: Shape
    node: Node
    value: str
    weights: dict[str, Weight] = field(default_factory=dict)
    shares: dict[str, tuple[int, int]] = field(default_factory=dict)


@dataclass
class Reading:
    """The layers so far, and what each value of the graph is."""

    values: Values
    remarks: Remarks
    input_shape: Shape
    made: list[Made] = field(default_factory=list)
    refs: dict[str, Ref] = field(default_factory=dict)
    owners: dict[tuple[object, ...], tuple[int, int]] = field(default_factory=dict)
    laid_out: int = 0

    def lay_out(self, numbers: int) -> None:
        """Count numbers of weights that take new memory, before they do.

        Raises DataError where they are more than the file has, and than MAX_MOVED: an operator may read any weights.
        """
        graph = self.values.graph
        self.laid_out += numbers
        if self.laid_out > max(MAX_MOVED, sum(array.size for array in graph.constants.values())):
            reason = "its operators make more weights of others than a file holds"
            raise DataError(graph.source.name, reason, "no net is this large")

    def shape(self, layer: int) -> Shape:
        return self.input_shape if layer == INPUT else self.made[layer].shape

    def ref(self, node: Node, number: int = 0) -> Ref:
        """What an input is, with no zeros around it. Raises Unclear for a constant, or where zeros are."""
        found = self.padded(node, number)
        if any(found.pads):
            raise Unclear("the zeros that `Pad` lays around what it reads can be told for convolutions only")
        return found

    def padded(self, node: Node, number: int = 0) -> Ref:
        """What an input is, zeros around it included."""
        name = node.input(number)
        if name not in self.refs:
            raise Unclear("it reads a constant where a layer is expected" if name else "an input is missing")
        return self.refs[name]

    def make(
        self,
        node: Node,
        type: str,
        keys: Mapping[str, Value],
        reads: Sequence[Ref],
        weights: Mapping[str, Weight] = _NONE,
        value: str | None = None,
        dims: Dims | None = None,
    ) -> Ref:
        """A layer over ``reads`` that computes an operator's output, or another ``value`` with its ``dims``.

        Raises Unclear where the language refuses it, or where it would have another shape than the graph's value.
        """
        shapeless = type in SHAPELESS and "groups" not in keys
        sources = [ref.layer if shapeless else self._shaped(node, ref) for ref in reads]
        wanted = dims if dims is not None else self.values.dims.get(node.output)
        shape = self._check(node, type, keys, sources, weights)
        if wanted is None:
            wanted = shape.dims
        if type in ("neuron", "dropout"):
            wanted = reads[0].dims
        if prod(wanted) != shape.units or (type not in SHAPELESS and shape.dims != wanted):
            raise Unclear(f"the graph makes {sizes(wanted)} of it, netspec {shape}")
        broken = any(ref.broken for ref in reads)
        if len(self.made) > MOST_LAYERS:
            reason = f"it would become more than {MOST_LAYERS:,} layers"
            raise DataError(self.values.graph.source.name, reason, "a net of this size is not read")
        self.made.append(Made(type, dict(keys), sources, shape, node, node.output if value is None else value))
        self._own(len(self.made) - 1, weights)
        return Ref(len(self.made) - 1, wanted, broken=broken)

    def _check(
        self, node: Node, type: str, keys: Mapping[str, Value], sources: Sequence[int], weights: Mapping[str, Weight]
    ) -> Shape:
        slots = tuple(f"input{number}" for number in range(len(sources)))
        shapes = tuple(self.shape(source) for source in sources)
        try:
            layer = decode(type, keys, slots, node.place)
            shape = layer.infer(shapes)
            parameters = {p.path: p.dims for p in layer.parameters(shapes)}
        except Illegal as error:
            raise Unclear(error.message) from None
        for path in {*parameters, *weights}:
            found = weights[path].array.shape if path in weights else ()
            if found != parameters.get(path):
                raise Unclear(f"its {path} is {sizes(found)}, not {sizes(parameters.get(path, ()))}")
        return shape

    def _shaped(self, node: Node, ref: Ref) -> int:
        """A layer whose output has the shape that the graph sees, which may take one more."""
        if self.shape(ref.layer).dims == ref.dims:
            return ref.layer
        shape = shape_of(ref.dims)
        if shape is None:
            raise Unclear(f"it reads values of {len(ref.dims) + 1} dimensions")
        flat = isinstance(shape, Vector)
        keys: dict[str, Value] = {} if flat else {"shape": list(ref.dims)}
        self.made.append(Made("flatten" if flat else "reshape", keys, [ref.layer], shape, node, ""))
        return len(self.made) - 1

    def _own(self, layer: int, weights: Mapping[str, Weight]) -> None:
        """Weights that a layer of the type has already are shared, others its own."""
        made = self.made[layer]
        for number, (path, weight) in enumerate((p, w) for p, w in weights.items() if p.endswith("weight")):
            key = (made.type, weight.origin, weight.array.shape)
            if made.type in _TIED and key in self.owners:
                made.shares[path] = self.owners[key]
            else:
                self.owners.setdefault(key, (layer, number))
        made.weights |= {path: weight for path, weight in weights.items() if path not in made.shares}

    def weight(self, name: str, *transforms: str) -> Weight:
        """A float32 constant as a parameter. Raises Unclear for one that is none."""
        array = self.values.constant(name)
        if array is None:
            raise Unclear("its weights are computed, not constant")
        return Weight(floats(array), (*self._origin(name), *transforms))

    def _origin(self, name: str) -> tuple[str, ...]:
        """The tensor that a constant was made of, and how: equal for two that were made alike."""
        moves: list[str] = []
        while (node := self.values.graph.producers.get(name)) is not None and node.op in _MOVES:
            moves += [node.op, str(node.attributes), *(str(self.values.integers(other)) for other in node.inputs[1:])]
            name = node.input(0)
        return (name, *moves)

    def sole(self, name: str) -> bool:
        """Whether one operator alone reads a value, which is no output."""
        graph = self.values.graph
        return name not in graph.ends and len(graph.readers.get(name, ())) == 1


def floats(array: object) -> NDArray[np.float32]:
    """The array, if its numbers are float32. Raises Unclear."""
    import numpy as np

    if not isinstance(array, np.ndarray) or array.dtype != np.float32:
        kind = array.dtype if isinstance(array, np.ndarray) else "no array"
        raise Unclear(f"its numbers are {kind}, not float32")
    return array


Read = Callable[[Reading, Node], Ref | dict[str, Ref]]  # what an operator is; Unclear where it cannot be told
