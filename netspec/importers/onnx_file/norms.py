"""Guesses at the normalisations that netspec lowers to plain operators: rnorm's two forms and cnorm.

A guess reads the numbers off the graph; whether it is right is for `candidate.fit` to say.
"""

from __future__ import annotations

from collections.abc import Iterator

from netspec.importers.draft import Value
from netspec.importers.onnx_file.candidate import Candidate, Fit, alone
from netspec.importers.onnx_file.graph import Node, shortest
from netspec.importers.onnx_file.values import Values


def guess_quotient(values: Values, node: Node) -> Iterator[Candidate]:
    """X / (k + alpha sum)^beta: rnorm in its fast form, rnorm across space, cnorm."""
    for beta, total in _powers(values, node.input(1)):
        yield from _banded(values, node.input(0), total, beta)
        yield from _over_maps(values, node.input(0), total, beta)


def guess_groups(values: Values, node: Node) -> Iterator[Candidate]:
    """A Concat of the LRNs of slices: rnorm in its native form, with groups."""
    norms = [values.graph.producer(name, "LRN") for name in node.inputs]
    slices = [values.graph.producer(norm.input(0), "Slice") if norm else None for norm in norms]
    first = norms[0]
    if first is not None and slices[0] is not None and len(norms) > 1:
        yield Candidate("rnorm", {**lrn_keys(first), "groups": len(norms)}, (slices[0].input(0),))


def lrn_keys(node: Node) -> dict[str, Value]:
    """Keys of an LRN operator, whose alpha is over the size too."""
    keys: dict[str, Value] = {"size": node.integer("size", 1)}
    numbers = {
        "k": (node.number_of("bias", 1.0), 1.0),
        "alpha": (node.number_of("alpha", 1e-4), 1e-4),
        "beta": (node.number_of("beta", 0.75), 0.75),
    }
    return keys | {name: value for name, (value, usual) in numbers.items() if value != usual}


def _powers(values: Values, name: str) -> Iterator[tuple[float, str]]:
    """What the divisor may be a power of."""
    graph = values.graph
    if (power := graph.producer(name, "Pow")) is not None and (beta := values.scalar(power.input(1))) is not None:
        yield shortest(beta), power.input(0)
    elif (root := graph.producer(name, "Sqrt")) is not None:
        product = graph.producer(root.input(0), "Mul")
        for inner in product.inputs if product else ():
            if graph.producer(inner, "Sqrt") is None:
                yield 0.75, inner
        yield 0.5, root.input(0)
    else:
        yield 1.0, name


def _banded(values: Values, x: str, total: str, beta: float) -> Iterator[Candidate]:
    """The sum is a 1x1 convolution of squares whose kernel is a band, or blocks."""
    conv = values.graph.producer(total, "Conv")
    band, k = (values.constant(conv.input(n)) if conv else None for n in (1, 2))
    if conv is None or band is None or k is None or (band.ndim, k.ndim) != (4, 1) or not band.size or not k.size:
        return
    each = band.shape[1]
    square = band[:each, :, 0, 0] != 0
    before, after = int(square[:, 0].sum()) - 1, int(square[0].sum()) - 1
    groups: dict[str, Value] = {} if conv.integer("group", 1) == 1 else {"groups": conv.integer("group", 1)}
    for size, blocked in ((before + after + 1, False), (after + 1, True)):
        numbers = _numbers(shortest(float(k[0])), float(band.max()), max(1, size), beta)
        more: dict[str, Value] = {"blocked": True} if blocked else {}
        yield Candidate("rnorm", {"size": max(1, size), **numbers, **groups, **more}, (x,))


def _over_maps(values: Values, x: str, total: str, beta: float) -> Iterator[Candidate]:
    """The sum is the average over a window of each map, times its size."""
    graph = values.graph
    added = graph.producer(total, "Add")
    scaled = graph.producer(added.input(0), "Mul") if added else None
    mean = graph.producer(scaled.input(0), "AveragePool") if scaled else None
    k, factor = (values.scalar(n.input(1)) if n else None for n in (added, scaled))
    if mean is None or k is None or factor is None:
        return
    size = (mean.integers("kernel_shape") or (1,))[0]
    squares = graph.producer(mean.input(0), "Mul")
    contrast = squares is not None and squares.input(0) != x
    numbers = _numbers(shortest(k), factor / size**2, size**2, beta)
    across: dict[str, Value] = {} if contrast else {"across": "space"}
    yield Candidate("cnorm" if contrast else "rnorm", {"size": size, **numbers, **across}, (x,))


def _numbers(k: float, per_square: float, neighbours: int, beta: float) -> dict[str, Value]:
    """k, alpha and beta; alpha in the convention that needs fewer digits."""
    over_size, over_sum = shortest(per_square * neighbours), shortest(per_square)
    plain = len(repr(over_sum)) < len(repr(over_size))
    keys: dict[str, Value] = {} if k == 1 else {"k": k}
    keys["alpha"] = over_sum if plain else over_size
    if plain:
        keys["alpha_over"] = "sum"
    return keys if beta == 0.75 else {**keys, "beta": beta}


def written_out(values: Values, node: Node) -> tuple[Candidate, Fit] | None:
    """LocalResponseNorm as torch exports it: x / (k + alpha mean)^beta, the mean by a pool over volumes."""
    chain = _chain(values, node.input(1), ("Pow", "Add", "Mul", "Squeeze", "AveragePool", "Pad", "Reshape", "Mul"))
    if chain is None:
        return None
    power, added, scaled, squeezed, mean, pad, volume, squares = chain
    beta, k, alpha = (values.scalar(one.input(1)) for one in (power, added, scaled))
    size, pads = (mean.integers("kernel_shape") or (0,))[0], values.integers(pad.input(1))
    dims = values.dims.get(node.input(0))
    reach = (0, 0, size // 2, 0, 0, 0, 0, (size - 1) // 2, 0, 0)
    holds = (
        dims is not None
        and squares.inputs == (node.input(0),) * 2
        and values.dims.get(volume.output) == (1, *dims)
        and (mean.integers("kernel_shape"), pads) == ((size, 1, 1), reach)
        and not any(mean.integers("pads") or ())
        and set(mean.integers("strides") or (1,)) == {1}
        and values.integers(squeezed.input(1)) == (1,)
        and not values.scalar(pad.input(2))
    )
    if not holds or beta is None or k is None or alpha is None:
        return None
    found = Fit(nodes={one.number: one for one in (*chain, node)})
    keys = {"size": size, **_numbers(shortest(k), alpha / size, size, shortest(beta))}
    return (Candidate("rnorm", keys, (node.input(0),)), found) if alone(values, found, node.output) else None


def _chain(values: Values, name: str, ops: tuple[str, ...]) -> list[Node] | None:
    """The operators that make a value, each from the first input of the one before."""
    found: list[Node] = []
    for op in ops:
        node = values.graph.producer(name, op)
        if node is None:
            return None
        found.append(node)
        name = node.input(0)
    return found
