"""Random nets of two to four towers, some of which cross: whatever is merged computes the same."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from netspec.importers.towers import merge_towers
from tests.importers.towers_run import assert_same_numbers, imported

Stage = Callable[[Random, list[str], int], str]


def own(keys: str) -> Stage:
    """A layer that reads its own tower."""
    return lambda random, before, tower: f"{keys}, inputs: {before[tower]}"


def both(keys: str) -> Stage:
    """A layer that reads its own tower and the next."""
    return lambda random, before, tower: f"{keys}, inputs: [{before[tower]}, {before[(tower + 1) % len(before)]}]"


def every(keys: str) -> Stage:
    """A layer that reads all towers, in any order."""
    return lambda random, before, tower: f"{keys}, inputs: [{', '.join(random.sample(before, len(before)))}]"


CONV = "type: conv, filters: 4, size: 3, pad: 1"
FC = "type: fc, outputs: 4"
MAPS = (
    own(CONV),
    own(f"{CONV}, groups: 2"),
    own("type: local, filters: 4, size: 3, pad: 1"),
    own("type: pool, pool: max, size: 2"),
    own("type: rnorm, size: 3, alpha: 1"),
    own("type: cnorm, size: 3, alpha: 1"),
    own("type: batchnorm"),
    own("type: neuron, neuron: tanh"),
    both(CONV),
    every(CONV),
    every("type: concat"),
)
FLAT = (own(FC), own("type: dropout, rate: 0.25"), both(FC), every(FC))


def a_net(random: Random) -> str:
    towers = random.randint(2, 4)
    lines = [f"t{n}: {{{CONV}, inputs: data, gpu: {n}}}" for n in range(towers)]
    before = [f"t{n}" for n in range(towers)]
    maps = random.randint(1, 4)
    for number in range(maps + random.randint(0, 3)):
        stage = random.choice(MAPS if number < maps else FLAT)
        before = random.sample(before, towers) if random.random() < 0.1 else before  # towers cross
        names = [f"l{number}{'abcd'[tower]}" for tower in range(towers)]
        new = [f"{name}: {{{stage(random, before, n)}, gpu: {n}}}" for n, name in enumerate(names)]
        lines += random.sample(new, len(new))
        before = names
    ends = ", ".join(random.sample(before, len(before)))
    return "\n".join([*lines, f"end: {{type: fc, outputs: 3, inputs: [{ends}], gpu: {random.randrange(towers)}}}"])


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(60))
def test_random_towers_compute_the_same_once_merged(seed: int) -> None:
    net = imported(a_net(Random(seed)))
    merged = merge_towers(net)
    assert any(len(layer.gpu or ()) > 1 for layer in merged.spec.layers.values())
    assert_same_numbers(net)
