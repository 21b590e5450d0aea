"""Add, Sub, Mul, Div, Sum, Max, Mean: of layers, or of a layer and a constant (a bias, a scale, dropout at test)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from netspec.importers.draft import Value
from netspec.importers.onnx_file.axes import aligned
from netspec.importers.onnx_file.graph import Node, shortest
from netspec.importers.onnx_file.reading import INPUT, Read, Reading, Ref, Weight, floats
from netspec.importers.onnx_file.sliding import Unclear
from netspec.ir.neuron import Neuron

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_BIASED: Final = ("conv", "deconv", "fc", "affine")


@dataclass(frozen=True)
class _Scaled:
    """x * factor + term: each one number, or one for each channel."""

    factor: NDArray[np.float32] | float = 1.0
    term: NDArray[np.float32] | float = 0.0


def read_elementwise(reading: Reading, node: Node) -> Ref:
    """Raises Unclear for constants of other shapes, and for layers of different shapes."""
    constants = [number for number, name in enumerate(node.inputs) if name in reading.values.constants]
    if len(node.inputs) == 2 and len(constants) == 1:
        return _with_constant(reading, node, constants[0])
    if node.op not in _OF_LAYERS or constants or not node.inputs:
        raise Unclear("it takes constants and layers together")
    refs = [reading.ref(node, number) for number in range(len(node.inputs))]
    if any(ref.dims != refs[0].dims for ref in refs):
        raise Unclear("it spreads the smaller of its inputs")
    if len(refs) == 1 and node.op in ("Max", "Mean"):
        return refs[0]
    type = _OF_LAYERS[node.op]
    keys: dict[str, Value] = {}
    if node.op == "Sub":
        keys["coefficients"] = [1.0, -1.0]
    elif node.op == "Mean":
        keys["coefficients"] = [1 / len(refs)] * len(refs)
    return reading.make(node, type, keys, refs)


_OF_LAYERS: Final = {
    "Add": "eltsum",
    "Sum": "eltsum",
    "Sub": "eltsum",
    "Mean": "eltsum",
    "Mul": "eltprod",
    "Max": "eltmax",
}


def _with_constant(reading: Reading, node: Node, number: int) -> Ref:
    ref = reading.ref(node, 1 - number)
    value = _constant(reading, node, number, ref)
    if node.op in ("Add", "Sum"):
        return _scale(reading, node, ref, _Scaled(term=value))
    if node.op == "Sub":
        return _scale(reading, node, ref, _Scaled(term=-value) if number else _Scaled(-1.0, value))
    if node.op == "Mul":
        return _scale(reading, node, ref, _Scaled(value))
    if node.op == "Div" and number == 1:
        return _scale(reading, node, ref, _Scaled(_inverse(value)))
    if node.op == "Max" and isinstance(value, float) and value == 0:
        return reading.make(node, "neuron", {"neuron": "relu"}, [ref])
    raise Unclear("its constant has no counterpart in the language")


def _constant(reading: Reading, node: Node, number: int, ref: Ref) -> NDArray[np.float32] | float:
    """One number, or one for each channel. Raises Unclear for any other shape."""
    found: NDArray[np.generic] = reading.values.constants[node.input(number)]
    if found.size == 1 and (found.ndim == 0 or ref.dims[0] != 1):
        return shortest(float(found.reshape(-1)[0]))
    array = floats(aligned(node, floats(found), len(ref.dims) + 1))
    full = (1,) * (len(ref.dims) + 1 - array.ndim) + array.shape
    if full != (1, ref.dims[0], *(1,) * (len(ref.dims) - 1)):
        raise Unclear("its constant is neither one number nor one for each channel")
    return array.reshape(-1)


def _inverse(value: NDArray[np.float32] | float) -> NDArray[np.float32] | float:
    import numpy as np

    if not np.all(value):
        raise Unclear("it divides by 0")
    return 1 / value if isinstance(value, float) else floats(np.float32(1) / value)


def _scale(reading: Reading, node: Node, ref: Ref, scaled: _Scaled) -> Ref:
    if isinstance(scaled.term, float) and isinstance(scaled.factor, float):
        return _linear(reading, node, ref, scaled.factor, scaled.term)
    plain = isinstance(scaled.factor, float) and scaled.factor == 1
    if plain and not isinstance(scaled.term, float) and _takes_bias(reading, node, ref):
        return _with_bias(reading, node, ref, scaled.term)
    return _affine(reading, node, ref, scaled)


def _linear(reading: Reading, node: Node, ref: Ref, factor: float, term: float) -> Ref:
    """A neuron; in a file of ours what dropout does at test is dropout. Elsewhere a factor is just that."""
    rate = round(1 - factor, 9)
    ours = reading.values.graph.ours and _starts_layer(reading, node)
    if ours and term == 0 and 0 < factor < 1 and ref.layer != INPUT:
        text = f"a product with {factor:g} is read as dropout at test: `rate: {rate:g}`"
        reading.remarks.meaning("dropout", text, node.place, node.name)
        return reading.make(node, "dropout", {"rate": rate}, [ref])
    return reading.make(node, "neuron", {"neuron": str(Neuron("linear", (factor, term)))}, [ref])


def _starts_layer(reading: Reading, node: Node) -> bool:
    """Whether an operator is not the second or a later one of its layer, as the names in a file of ours tell."""
    graph = reading.values.graph
    before = [graph.producers[name] for name in node.inputs if name in graph.producers]
    return all(graph.layer_of(other) != graph.layer_of(node) for other in before)


def _takes_bias(reading: Reading, node: Node, ref: Ref) -> bool:
    """Whether the layer before has no bias yet, and nobody else reads it."""
    if ref.layer == INPUT:
        return False
    made = reading.made[ref.layer]
    if made.type not in _BIASED or made.keys.get("bias") is not False or made.value not in node.inputs:
        return False
    return reading.sole(made.value) and reading.values.graph.together(made.node, node)


def _with_bias(reading: Reading, node: Node, ref: Ref, bias: NDArray[np.float32]) -> Ref:
    made = reading.made[ref.layer]
    del made.keys["bias"]
    made.weights["bias"] = Weight(bias, (node.output,))
    made.value = node.output
    return Ref(ref.layer, ref.dims, broken=ref.broken)


def _affine(reading: Reading, node: Node, ref: Ref, scaled: _Scaled) -> Ref:
    import numpy as np

    channels = ref.dims[0]
    keys: dict[str, Value] = {}
    weights = {}
    for path, value, nothing, key in (("weight", scaled.factor, 1.0, "scale"), ("bias", scaled.term, 0.0, "bias")):
        if isinstance(value, float) and value == nothing:
            keys[key] = False
        else:
            array = np.broadcast_to(np.asarray(value, np.float32), (channels,))
            weights[path] = Weight(array, (node.output, path))
    return reading.make(node, "affine", keys, [ref], weights)


ELEMENTWISE: Final[dict[str, Read]] = dict.fromkeys(
    ["Add", "Sub", "Mul", "Div", "Sum", "Max", "Mean"], read_elementwise
)
