"""The cheapest alignment of two sequences (Needleman and Wunsch 1970). It knows nothing of nets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf

_PAIR, _SKIP_A, _SKIP_B = 0, 1, 2


@dataclass(frozen=True)
class Costs:
    """What an alignment costs.

    ``gaps`` are what each element costs without a counterpart. Elements fall into classes: ``pairs`` has the cost of a
    pair for a class of the first and a class of the second, ``inf`` where there can be none. ``liked`` has, by
    numbers, pairs that are a little cheaper, and by how much.
    """

    gaps_a: Sequence[float]
    gaps_b: Sequence[float]
    classes_a: Sequence[int]
    classes_b: Sequence[int]
    pairs: Mapping[int, Mapping[int, float]]
    liked: Mapping[int, Mapping[int, float]]


def align_sequences(costs: Costs) -> list[tuple[int, int]]:
    """The pairs (i, j), both rising, at the least cost."""
    row = [0.0]
    for gap in costs.gaps_b:
        row.append(row[-1] + gap)
    steps = [bytearray([_SKIP_B]) * len(row)]
    for i in range(len(costs.gaps_a)):
        row, step = _next_row(costs, i, row)
        steps.append(step)
    return _walk_back(steps, len(costs.gaps_a), len(costs.gaps_b))


def _next_row(costs: Costs, i: int, above: list[float]) -> tuple[list[float], bytearray]:
    """The least costs of the first i + 1 elements and so many of the others, and the last step to each."""
    gap, pairs = costs.gaps_a[i], costs.pairs[costs.classes_a[i]]
    each = [pairs[number] for number in costs.classes_b]
    for j, less in costs.liked.get(i, {}).items():
        each[j] -= less
    left = above[0] + gap
    row, step = [left], bytearray([_SKIP_A])
    for diagonal, up, pair, other in zip(above, above[1:], each, costs.gaps_b, strict=False):
        best, taken = up + gap, _SKIP_A
        if left + other < best:
            best, taken = left + other, _SKIP_B
        if pair != inf and diagonal + pair <= best:
            best, taken = diagonal + pair, _PAIR
        row.append(best)
        step.append(taken)
        left = best
    return row, step


def _walk_back(steps: list[bytearray], i: int, j: int) -> list[tuple[int, int]]:
    pairs = []
    while i and j:
        taken = steps[i][j]
        if taken == _PAIR:
            pairs.append((i - 1, j - 1))
        i, j = i - (taken != _SKIP_B), j - (taken != _SKIP_A)
    return pairs[::-1]
