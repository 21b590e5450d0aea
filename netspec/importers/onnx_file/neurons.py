"""Neurons: operators that are one, and guesses at those that netspec lowers to several. It folds none into a layer."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf

from netspec.importers.onnx_file.candidate import Candidate
from netspec.importers.onnx_file.graph import Node, shortest
from netspec.importers.onnx_file.sliding import Unclear
from netspec.importers.onnx_file.values import Values
from netspec.ir.neuron import Neuron


def neuron_of(values: Values, node: Node) -> str | None:
    """The neuron that one operator is, as in the language; None for other operators. Raises Unclear."""
    if node.op in _PLAIN:
        return _PLAIN[node.op]
    if node.op == "LeakyRelu":
        return str(Neuron("leaky", (node.number_of("alpha", 0.01),)))
    if node.op == "Elu":
        return str(Neuron("elu", (node.number_of("alpha", 1.0),)))
    if node.op == "Pow":
        return _power(values, node)
    return _clip(values, node) if node.op == "Clip" else None


_PLAIN = {
    "Relu": "relu",
    "Sigmoid": "logistic",
    "Tanh": "tanh",
    "Softplus": "softplus",
    "Abs": "abs",
    "Sqrt": "sqrt",
    "Neg": "linear[-1.0, 0.0]",
    "Log": "log[0.0]",
}


def _power(values: Values, node: Node) -> str | None:
    """Powers that netspec writes as other operators; the rest are guessed."""
    return {1.0: "linear[1.0, 0.0]", 2.0: "square", 0.5: "sqrt"}.get(values.scalar(node.input(1)) or 0.0)


def _clip(values: Values, node: Node) -> str:
    """Bounds are attributes up to opset 10, then inputs; either may be left out."""
    low, high = (_bound(values, node, number, name) for number, name in ((1, "min"), (2, "max")))
    if low == 0 and high == inf:
        return "relu"
    if low == 0 and high > 0:
        return str(Neuron("brelu", (high,)))
    if low == -inf or high == inf:
        raise Unclear("it clips at one side only")
    return str(Neuron("clip", (low, high)))


def _bound(values: Values, node: Node, number: int, name: str) -> float:
    if node.input(number):
        value = values.scalar(node.input(number))
        if value is None:
            raise Unclear(f"its `{name}` is no constant")
    else:
        value = node.number_of(name, -inf if name == "min" else inf)
    return shortest(value) if abs(value) < 3e38 else (inf if value > 0 else -inf)


def guess_tanh(values: Values, node: Node) -> Iterator[Candidate]:
    """A tanh(b x) where a or b is not 1."""
    outer, x = 1.0, node.output
    if node.op == "Mul":
        outer, x = _factor(values, node)
    tanh = values.graph.producer(x, "Tanh")
    if tanh is None:
        return
    inner = values.graph.producer(tanh.input(0), "Mul")
    factor, source = _factor(values, inner) if inner else (1.0, "")
    if inner is not None and source:
        yield _neuron("tanh", (outer, factor), source)
    if node.op == "Mul":
        yield _neuron("tanh", (outer, 1.0), tanh.input(0))


def guess_square(values: Values, node: Node) -> Iterator[Candidate]:
    """X x, or (b x + c)^2."""
    if node.input(0) != node.input(1):
        return
    for b, c, x in _lines(values, node.input(0)):
        yield _neuron("power", (2.0, b, c), x)
    yield _neuron("square", (), node.input(0))


def guess_power(values: Values, node: Node) -> Iterator[Candidate]:
    """(b x + c)^a."""
    exponent = values.scalar(node.input(1))
    if exponent is None:
        return
    for b, c, x in (*_lines(values, node.input(0)), (1.0, 0.0, node.input(0))):
        yield _neuron("power", (shortest(exponent), b, c), x)


def guess_line(values: Values, node: Node) -> Iterator[Candidate]:
    """A x + b."""
    for a, b, x in _lines(values, node.output):
        yield _neuron("linear", (a, b), x)


def guess_drelu(values: Values, node: Node) -> Iterator[Candidate]:
    """X - a tanh(x / a)."""
    bend = values.graph.producer(node.input(1), "Mul")
    a = _factor(values, bend)[0] if bend else 1.0
    yield _neuron("drelu", (a,), node.input(0))


def guess_softrelu(_: Values, node: Node) -> Iterator[Candidate]:
    """Softplus that is x above 4."""
    yield _neuron("softrelu", (), node.input(1))


def guess_log(values: Values, node: Node) -> Iterator[Candidate]:
    """log(a + x)."""
    added = values.graph.producer(node.input(0), "Add")
    if added is not None and (term := values.scalar(added.input(1))) is not None:
        yield _neuron("log", (shortest(term),), added.input(0))


def _neuron(kind: str, arguments: tuple[float, ...], x: str) -> Candidate:
    return Candidate("neuron", {"neuron": str(Neuron(kind, arguments))}, (x,))


def _factor(values: Values, node: Node) -> tuple[float, str]:
    """A number and what it multiplies; 1 and nothing where there is none."""
    for number, other in ((1, 0), (0, 1)):
        if (value := values.scalar(node.input(number))) is not None:
            return shortest(value), node.input(other)
    return 1.0, ""


def _lines(values: Values, name: str) -> Iterator[tuple[float, float, str]]:
    """(a, b, x) for each way to see a value as a x + b, the longest first."""
    term, rest = 0.0, name
    if (added := values.graph.producer(name, "Add")) is not None:
        term, rest = _factor(values, added)
        if not rest:
            return
    product = values.graph.producer(rest, "Mul")
    factor, x = _factor(values, product) if product else (1.0, "")
    if x:
        yield factor, term, x
    if term:
        yield 1.0, term, rest
