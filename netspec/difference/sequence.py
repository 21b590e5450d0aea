"""The cheapest alignment of two sequences (Needleman and Wunsch 1970). It knows nothing of nets."""

from __future__ import annotations

from collections.abc import Callable, Sequence

_PAIR, _SKIP_A, _SKIP_B = 0, 1, 2

# the cost of pairing number i with number j; None where they cannot be a pair
Cost = Callable[[int, int], float | None]


def align_sequences(gaps_a: Sequence[float], gaps_b: Sequence[float], cost: Cost) -> list[tuple[int, int]]:
    """The pairs (i, j), both rising, at the least cost; ``gaps`` is what each element costs without a counterpart."""
    row = [0.0]
    for gap in gaps_b:
        row.append(row[-1] + gap)
    steps = [bytearray([_SKIP_B]) * len(row)]
    for i, gap in enumerate(gaps_a):
        above, row, step = row, [row[0] + gap], bytearray([_SKIP_A])
        for j, other in enumerate(gaps_b):
            best, taken = above[j + 1] + gap, _SKIP_A
            if row[j] + other < best:
                best, taken = row[j] + other, _SKIP_B
            paired = cost(i, j)
            if paired is not None and above[j] + paired <= best:
                best, taken = above[j] + paired, _PAIR
            row.append(best)
            step.append(taken)
        steps.append(step)
    return _walk_back(steps, len(gaps_a), len(gaps_b))


def _walk_back(steps: list[bytearray], i: int, j: int) -> list[tuple[int, int]]:
    pairs = []
    while i and j:
        taken = steps[i][j]
        if taken == _PAIR:
            pairs.append((i - 1, j - 1))
        i, j = i - (taken != _SKIP_B), j - (taken != _SKIP_A)
    return pairs[::-1]
