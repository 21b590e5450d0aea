"""The alignment of sequences costs as little as the best of all alignments."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from math import inf, isclose
from random import Random

import pytest

from netspec.difference.sequence import Costs, align_sequences


@pytest.mark.parametrize("seed", range(60))
def test_the_cheapest_of_all(seed: int) -> None:
    costs = _random_costs(Random(seed))
    pairs = align_sequences(costs)
    assert pairs == sorted(pairs)
    assert all(a < c and b < d for (a, b), (c, d) in pairwise(pairs))
    assert isclose(_cost_of(costs, pairs), _least(costs))


def test_equal_sequences_are_pairs_throughout() -> None:
    same = {0: {0: 0.0, 1: inf}, 1: {0: inf, 1: 0.0}}
    costs = Costs([1.0] * 3, [1.0] * 3, [0, 1, 0], [0, 1, 0], same, {})
    assert align_sequences(costs) == [(0, 0), (1, 1), (2, 2)]


def test_a_liked_pair_wins_a_tie() -> None:
    costs = Costs([1.0], [1.0, 1.0], [0], [0, 0], {0: {0: 0.5}}, {0: {0: 0.01}})
    assert align_sequences(costs) == [(0, 0)]


def _random_costs(random: Random) -> Costs:
    a, b = random.randint(0, 6), random.randint(0, 6)
    cost = {i: {j: random.choice((0.0, 0.5, 1.0, 1.9, inf)) for j in range(3)} for i in range(3)}
    gaps_a, gaps_b = ([random.choice((0.4, 1.0, 1.5)) for _ in range(n)] for n in (a, b))
    classes_a, classes_b = ([random.randrange(3) for _ in range(n)] for n in (a, b))
    liked = {i: {random.randrange(b): 0.1} for i in range(a) if b and random.random() < 0.5}
    return Costs(gaps_a, gaps_b, classes_a, classes_b, cost, liked)


def _pair(costs: Costs, i: int, j: int) -> float:
    return costs.pairs[costs.classes_a[i]][costs.classes_b[j]] - costs.liked.get(i, {}).get(j, 0.0)


def _cost_of(costs: Costs, pairs: list[tuple[int, int]]) -> float:
    alone = sum(costs.gaps_a) + sum(costs.gaps_b)
    return alone + sum(_pair(costs, i, j) - costs.gaps_a[i] - costs.gaps_b[j] for i, j in pairs)


def _least(costs: Costs) -> float:
    """By trying every alignment."""

    @cache
    def least(i: int, j: int) -> float:
        if i == len(costs.gaps_a):
            return sum(costs.gaps_b[j:])
        if j == len(costs.gaps_b):
            return sum(costs.gaps_a[i:])
        skipped = min(costs.gaps_a[i] + least(i + 1, j), costs.gaps_b[j] + least(i, j + 1))
        return min(skipped, _pair(costs, i, j) + least(i + 1, j + 1))

    return least(0, 0)
