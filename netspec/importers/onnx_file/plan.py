"""Which operators of a graph are one layer: from the outputs back, the largest pattern first. It makes no layer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from netspec.importers.draft import Value
from netspec.importers.onnx_file.branches import (
    guess_biased,
    guess_chain,
    guess_connected,
    guess_reshaped,
    guess_sums,
)
from netspec.importers.onnx_file.candidate import Candidate, Fit, fit
from netspec.importers.onnx_file.graph import Node, shortest
from netspec.importers.onnx_file.neurons import (
    guess_drelu,
    guess_line,
    guess_log,
    guess_power,
    guess_softrelu,
    guess_square,
    guess_tanh,
)
from netspec.importers.onnx_file.norms import guess_groups, guess_quotient, written_out
from netspec.importers.onnx_file.pictures import (
    guess_blur,
    guess_colours,
    guess_cross_map,
    guess_max,
    guess_maxabs,
    guess_mean,
    guess_resize,
    guess_sum,
    guess_whole,
)
from netspec.importers.onnx_file.values import Values

MAX_INPUTS: Final = 256  # what a layer of the language may have
Guess = Callable[[Values, Node], Iterator[Candidate]]


@dataclass(frozen=True)
class Step:
    """A layer of several operators, which end in ``root``; or one operator, whatever it becomes."""

    root: Node
    candidate: Candidate | None = None
    fit: Fit | None = None

    @property
    def nodes(self) -> tuple[Node, ...]:
        return (self.root,) if self.fit is None else tuple(self.fit.nodes.values())


def plan(values: Values) -> list[Step]:
    """The steps that the outputs need, in an order that can be computed."""
    needed = set(values.graph.ends)
    steps = []
    for node in reversed(values.graph.nodes):
        if not needed.intersection(node.outputs) or node.output in values.constants:
            continue
        step = _recognise(values, node)
        reads = node.inputs if step.candidate is None else step.candidate.reads
        needed |= {name for name in reads if name and name not in values.constants}
        steps.append(step)
    return steps[::-1]


def _recognise(values: Values, node: Node) -> Step:
    for guess in _GUESSES.get(node.op, ()):
        for candidate in _tried(guess, values, node):
            found = fit(values, candidate, node.output, node.place)
            if found is not None:
                return Step(node, candidate, found)
    spelled = written_out(values, node) if node.op == "Div" else None
    return Step(node) if spelled is None else Step(node, *spelled)


def _tried(guess: Guess, values: Values, node: Node) -> Iterator[Candidate]:
    """The candidates of a guess. One that trips over strange constants or dimensions has none."""
    try:
        yield from guess(values, node)
    except (ValueError, IndexError, ZeroDivisionError, OverflowError):
        return


def _guess_coefficients(values: Values, node: Node) -> Iterator[Candidate]:
    """A Sum of products with numbers: eltsum with coefficients."""
    reads, factors = [], []
    for name in node.inputs:
        product = values.graph.producer(name, "Mul")
        factor = values.scalar(product.input(1)) if product else None
        inner = product is not None and factor is not None and values.graph.together(product, node)
        reads.append(product.input(0) if product is not None and inner else name)
        factors.append(shortest(factor) if factor is not None and inner else 1.0)
    coefficients: dict[str, Value] = {"coefficients": factors}
    if any(factor != 1 for factor in factors):
        yield Candidate("eltsum", coefficients, tuple(reads))


def _guess_product(values: Values, node: Node) -> Iterator[Candidate]:
    """A product of products, in a file of ours: eltprod of several."""
    reads: list[str] = []
    first = node
    while len(reads) < MAX_INPUTS:
        reads.append(first.input(1))
        before = values.graph.producer(first.input(0), "Mul")
        if before is None or not values.graph.ours or not values.graph.together(before, node):
            break
        first = before
    if len(reads) > 1:
        yield Candidate("eltprod", {}, (first.input(0), *reversed(reads)))


_GUESSES: Final[dict[str, tuple[Guess, ...]]] = {
    "Add": (guess_biased, guess_resize, guess_line),
    "AveragePool": (guess_mean,),
    "Concat": (guess_groups,),
    "Conv": (guess_blur, guess_colours, guess_connected),
    "Div": (guess_quotient,),
    "Gemm": (guess_chain,),
    "GlobalAveragePool": (guess_whole,),
    "GlobalMaxPool": (guess_whole,),
    "Log": (guess_log,),
    "MaxPool": (guess_max,),
    "Mul": (guess_sum, guess_tanh, guess_square, _guess_product),
    "Pow": (guess_power,),
    "Reshape": (guess_reshaped, guess_cross_map),
    "Sub": (guess_drelu,),
    "Sum": (guess_sums, _guess_coefficients),
    "Tanh": (guess_tanh,),
    "Where": (guess_maxabs, guess_softrelu),
}
