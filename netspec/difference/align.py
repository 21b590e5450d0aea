"""Which operation of one net is which of another: as few differences as can be found, names only break ties.

1. operations with the same history (they and all before them agree) are pairs; 2. of the rest those with the same
future; 3. the rest are aligned as sequences, at the least cost; 4. what is left over on both sides and has the same
neighbours, or stands near where the other stands, is a pair too: the latter has moved. It reports nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from math import inf

from netspec.difference.classes import Classes
from netspec.difference.fact import differing
from netspec.difference.operation import INPUT, NEURON, Operation, Operations
from netspec.difference.sequence import Costs, align_sequences

_NEAR = 4  # operations between two places of one that has moved
_PER_DIFFERENCE = 0.75
_COSTS = {"neuron": 0.4, "dropout": 0.6, "rnorm": 0.8, "cnorm": 0.8, "batchnorm": 0.8, "pool": 0.9}
_LEARNED, _OTHER = 1.5, 1.0
_WEIGHTS = {"net": 1.0, "start": 0.3, "size": 0.05}
_SAME_NAME, _SAME_INPUT = 0.02, 0.1


@dataclass
class Pairs:
    """Operations of two nets that are each other's counterpart; ``moved`` are those of the first in another place."""

    a: Operations
    b: Operations
    of_a: dict[int, int] = field(default_factory=dict)
    of_b: dict[int, int] = field(default_factory=dict)
    moved: set[int] = field(default_factory=set)

    def add(self, a: int, b: int) -> None:
        self.of_a[a], self.of_b[b] = b, a

    def fixed_a(self, key: int) -> bool:
        """Whether it has a counterpart in the same place."""
        return key in self.of_a and key not in self.moved

    def fixed_b(self, key: int) -> bool:
        return key in self.of_b and self.of_b[key] not in self.moved

    def left(self) -> tuple[list[int], list[int]]:
        """What has no counterpart yet, each net's in its order."""
        left_a = [key for key in self.a.order() if key not in self.of_a]
        return left_a, [key for key in self.b.order() if key not in self.of_b]


def pair_up(a: Operations, b: Operations) -> Pairs:
    """The counterparts of two nets."""
    pairs = Pairs(a, b)
    pairs.add(_input_of(a), _input_of(b))
    classes = Classes()
    pasts = classes.pasts(a), classes.pasts(b)
    futures = classes.futures(a), classes.futures(b)
    _pair_equal(pairs, *pasts, *futures)
    _pair_equal(pairs, *futures, *pasts)
    _pair_sequences(pairs)
    _rejoin_neurons(pairs)
    _rejoin_neurons(Pairs(b, a, pairs.of_b, pairs.of_a))
    _pair_neighbours(pairs)
    _pair_moved(pairs)
    return pairs


def _input_of(net: Operations) -> int:
    return next(key for key in net if net[key].kind == INPUT)


def _pair_equal(
    pairs: Pairs, of_a: dict[int, int], of_b: dict[int, int], more_a: dict[int, int], more_b: dict[int, int]
) -> None:
    """Pair what has the same number; of several first those that also agree in ``more``, then in name, then any."""
    left_a, left_b = pairs.left()
    tests = (
        lambda net, numbers, more, key: (numbers[key], more[key], net[key].layer),
        lambda net, numbers, more, key: (numbers[key], more[key]),
        lambda net, numbers, more, key: (numbers[key], net[key].layer),
        lambda net, numbers, more, key: numbers[key],
    )
    for test in tests:
        waiting = defaultdict(list)
        for key in (key for key in reversed(left_b) if key not in pairs.of_b):
            waiting[test(pairs.b, of_b, more_b, key)].append(key)
        for key in (key for key in left_a if key not in pairs.of_a):
            if found := waiting.get(test(pairs.a, of_a, more_a, key)):
                pairs.add(key, _take(pairs, key, found))


def _take(pairs: Pairs, key: int, found: list[int]) -> int:
    """The counterpart that reads the counterparts of what is read, if there is one among those that would do."""
    reads = tuple(pairs.of_a.get(read, -1) for read in pairs.a[key].reads)
    chosen = next((other for other in reversed(found) if pairs.b[other].reads == reads), found[-1])
    found.remove(chosen)
    return chosen


def _pair_sequences(pairs: Pairs) -> None:
    left_a, left_b = pairs.left()
    ours, theirs = [pairs.a[key] for key in left_a], [pairs.b[key] for key in left_b]
    classes = Classes()
    classes_a, classes_b = ([classes.number(_looks(op)) for op in side] for side in (ours, theirs))
    costs = Costs(
        gaps_a=[alone(operation) for operation in ours],
        gaps_b=[alone(operation) for operation in theirs],
        classes_a=classes_a,
        classes_b=classes_b,
        pairs=_pair_costs(dict(zip(classes_a, ours, strict=True)), dict(zip(classes_b, theirs, strict=True))),
        liked=_liked(pairs, left_a, left_b),
    )
    for i, j in align_sequences(costs):
        pairs.add(left_a[i], left_b[j])


def _looks(operation: Operation) -> Hashable:
    """All that the cost of a pair depends on."""
    facts = tuple((fact.what, fact.aspect, fact.value, fact.written) for fact in operation.facts)
    return operation.kind, facts, operation.windows


def _pair_costs(of_a: dict[int, Operation], of_b: dict[int, Operation]) -> dict[int, dict[int, float]]:
    """The cost of a pair for every two classes; each is told by one of its operations."""
    return {
        a: {b: pair_cost(one, other) if one.kind == other.kind else inf for b, other in of_b.items()}
        for a, one in of_a.items()
    }


def _liked(pairs: Pairs, left_a: list[int], left_b: list[int]) -> dict[int, dict[int, float]]:
    """Pairs that share a name, or that are known to read the same."""
    by_name, by_first = defaultdict(list), defaultdict(list)
    for j, key in enumerate(left_b):
        by_name[pairs.b[key].layer].append(j)
        by_first[pairs.b[key].reads[0]].append(j)
    found: dict[int, dict[int, float]] = {}
    for i, key in enumerate(left_a):
        first = pairs.of_a.get(pairs.a[key].reads[0], -1)
        less = dict.fromkeys(by_name.get(pairs.a[key].layer, ()), _SAME_NAME)
        for j in by_first.get(first, ()):
            less[j] = less.get(j, 0.0) + _SAME_INPUT
        found[i] = less
    return found


def alone(operation: Operation) -> float:
    """What it costs to have no counterpart."""
    return _COSTS.get(operation.kind, _LEARNED if operation.learned else _OTHER)


def pair_cost(a: Operation, b: Operation) -> float:
    """What it costs to be a pair: the more differs the more, but always less than to be alone, both."""
    agree = a.windows is not None and a.windows == b.windows
    weight = sum(_WEIGHTS.get(one.aspect, 0.0) for one, _ in differing(a.facts, b.facts, agree))
    return (alone(a) + alone(b)) * (1 - _PER_DIFFERENCE**weight)


def _rejoin_neurons(pairs: Pairs) -> None:
    """A neuron of a layer that has a counterpart rather goes with that one's neuron than with that of a lone layer."""
    lone = {pairs.b[j].reads[0]: j for j in pairs.left()[1] if pairs.b[j].kind == NEURON}
    for i, j in list(pairs.of_a.items()):
        if pairs.a[i].kind != NEURON or pairs.b[j].reads[0] in pairs.of_b:
            continue
        better = lone.get(pairs.of_a.get(pairs.a[i].reads[0], -1))
        if better is not None and pairs.b[better].neuron == pairs.b[j].neuron:
            del pairs.of_b[j]
            pairs.add(i, better)


def _pair_neighbours(pairs: Pairs) -> None:
    """What is left and has a pair for a neighbour on the same side; the one with the most such neighbours first."""
    readers_a, readers_b = pairs.a.readers(), pairs.b.readers()
    again = True
    while again:
        left_a, left_b = pairs.left()
        found = []
        for i in left_a:
            for j in (j for j in left_b if pairs.a[i].kind == pairs.b[j].kind):
                ways = _shared(pairs, pairs.a[i].reads, pairs.b[j].reads)
                ways += _shared(pairs, (r for r, _ in readers_a[i]), (r for r, _ in readers_b[j]))
                if ways:
                    found.append((-ways, pair_cost(pairs.a[i], pairs.b[j]), i, j))
        for _, _, i, j in sorted(found)[:1]:
            pairs.add(i, j)
        again = bool(found)


def _shared(pairs: Pairs, keys_a: Iterable[int], keys_b: Iterable[int]) -> int:
    known = set(keys_b)
    return sum(pairs.of_a.get(key) in known for key in keys_a)


def _pair_moved(pairs: Pairs) -> None:
    """What is left on both sides, of one kind, and stands near where its counterpart would."""
    left_a, left_b = pairs.left()
    found = []
    for i in left_a:
        away = _distances(pairs, i)
        near = (j for j in left_b if pairs.a[i].kind == pairs.b[j].kind and j in away)
        found += [(away[j], pair_cost(pairs.a[i], pairs.b[j]), i, j) for j in near]
    for _, _, i, j in sorted(found):
        if i not in pairs.of_a and j not in pairs.of_b:
            pairs.add(i, j)
            pairs.moved.add(i)


def _distances(pairs: Pairs, key: int) -> dict[int, int]:
    """How far operations of the second net are from where one of the first would stand."""
    start = key
    while start not in pairs.of_a:
        start = pairs.a[start].reads[0]
    readers = pairs.b.readers()
    near = {pairs.of_a[start]: 0}
    edge = list(near)
    for distance in range(1, _NEAR + 1):
        steps = [n for key in edge for n in (*pairs.b[key].reads, *(r for r, _ in readers[key]))]
        edge = [n for n in dict.fromkeys(steps) if n not in near]
        near.update(dict.fromkeys(edge, distance))
    return near
