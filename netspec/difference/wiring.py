"""What counterparts read, seen past layers that only one net has: those are differences of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from netspec.difference.align import Pairs
from netspec.difference.operation import COMMUTATIVE, FLATTENS, SAME_UNITS, Operation, Operations


@dataclass(frozen=True)
class _Source:
    """What one input comes from: operations that both nets have; ``past``: by way of others."""

    keys: tuple[int, ...]
    past: bool
    factor: float = 1.0


@dataclass(frozen=True)
class Wiring:
    """What is read in two nets, as the names of layers."""

    a: str
    b: str


def inputs_differ(pairs: Pairs, a: int, b: int) -> Wiring | None:
    """What two counterparts read, where that is not the same."""
    one, other = pairs.a[a], pairs.b[b]
    return _compare(pairs, _sources(pairs, one), _sources_b(pairs, other), one.kind in COMMUTATIVE)


def outputs_differ(pairs: Pairs) -> Wiring | None:
    """What the nets return, where that is not the same."""
    a = [_source(pairs.a, key, pairs.fixed_a) for key in pairs.a.outputs]
    return _compare(pairs, a, [_source(pairs.b, key, pairs.fixed_b) for key in pairs.b.outputs], False)


class SharedWeights:
    """Who uses each weight of two nets."""

    def __init__(self, pairs: Pairs) -> None:
        self._pairs, self._a, self._b = pairs, _groups(pairs.a), _groups(pairs.b)

    def differ(self, a: int, b: int) -> list[tuple[int, Wiring]]:
        """The numbers of the inputs whose weights are shared with others than in the counterpart."""
        pairs, found = self._pairs, []
        one, other = pairs.a[a], pairs.b[b]
        for number, (ours, theirs) in enumerate(zip(one.weights, other.weights, strict=False)):
            wiring = Wiring(_owner(one, ours), _owner(other, theirs))
            if (wiring.a, wiring.b) == (_OWN, _OWN):
                continue
            mapped = {(pairs.of_a[key], n) for key, n in self._a[ours] if key in pairs.of_a}
            if mapped != {(key, n) for key, n in self._b[theirs] if key in pairs.of_b}:
                found.append((number, wiring))
        return found


_OWN = "its own"


def _owner(operation: Operation, name: str) -> str:
    layer = name.partition(".")[0]
    return _OWN if layer == operation.layer else layer


def _groups(net: Operations) -> dict[str, set[tuple[int, int]]]:
    """Who uses each weight, and for which of its inputs."""
    found: dict[str, set[tuple[int, int]]] = {}
    for key, operation in net.by_key.items():
        for number, name in enumerate(operation.weights):
            found.setdefault(name, set()).add((key, number))
    return found


def _sources(pairs: Pairs, operation: Operation) -> list[_Source]:
    return _each(pairs.a, operation, pairs.fixed_a)


def _sources_b(pairs: Pairs, operation: Operation) -> list[_Source]:
    return _each(pairs.b, operation, pairs.fixed_b)


def _each(net: Operations, operation: Operation, fixed: Callable[[int], bool]) -> list[_Source]:
    factors = operation.factors or (1.0,) * len(operation.reads)
    seen_through = SAME_UNITS if operation.kind in FLATTENS else frozenset[str]()

    def stops(key: int) -> bool:
        return fixed(key) and net[key].kind not in seen_through

    return [_source(net, key, stops, factor) for key, factor in zip(operation.reads, factors, strict=True)]


def _source(net: Operations, key: int, stops: Callable[[int], bool], factor: float = 1.0) -> _Source:
    found, waiting, past = dict[int, None](), [key], False
    while waiting:
        key = waiting.pop()
        if stops(key):
            found[key] = None
        else:
            past = True
            waiting += reversed(net[key].reads)
    return _Source(tuple(found), past, factor)


def _compare(pairs: Pairs, a: Sequence[_Source], b: Sequence[_Source], commute: bool) -> Wiring | None:
    mapped = [_Source(tuple(pairs.of_a[key] for key in s.keys), s.past, s.factor) for s in a]
    ours, theirs = (sorted(side, key=_by_keys) if commute else list(side) for side in (mapped, b))
    if len(ours) == len(theirs) and all(map(_agree, ours, theirs)):
        return None
    wiring = Wiring(_names(pairs.a, a, _layer), _names(pairs.b, b, _layer))
    return wiring if wiring.a != wiring.b else Wiring(_names(pairs.a, a, _value), _names(pairs.b, b, _value))


def _by_keys(source: _Source) -> tuple[tuple[int, ...], float]:
    return source.keys, source.factor


def _agree(a: _Source, b: _Source) -> bool:
    """Whether they are the same, or what lies between explains how they differ."""
    ours, theirs = set(a.keys), set(b.keys)
    explained = (a.past and ours >= theirs) or (b.past and theirs >= ours)
    return a.factor == b.factor and (ours == theirs or explained)


def _layer(operation: Operation) -> str:
    return operation.layer


def _value(operation: Operation) -> str:
    """A layer, with its neuron or without."""
    return f"{operation.neuron} of {operation.layer}" if operation.neuron else operation.layer


def _names(net: Operations, sources: Sequence[_Source], name: Callable[[Operation], str]) -> str:
    """The layers, with the factors that are not 1."""
    texts = []
    for source in sources:
        names = " + ".join(dict.fromkeys(name(net[key]) for key in source.keys)) or "nothing"
        texts.append(names if source.factor == 1 else f"{source.factor:g} {names}")
    return ", ".join(texts)
