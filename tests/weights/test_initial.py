"""Initial weights: the same everywhere, and distributed as the spec says."""

from __future__ import annotations

import os
from math import sqrt

import numpy as np
import pytest
from numpy.typing import NDArray

from netspec.pipeline import Compiled
from netspec.weights import fill_initial
from tests.build.nets import ALL, compiled

Array = NDArray[np.float32]

LARGE = """
netspec: 1
name: large
input: {channels: 3, size: 24}
layers:
  conv1: {type: conv, inputs: data, filters: 64, size: 5, pad: 2, init_w: KIND, init_b: 0.25}
  norm1: {type: batchnorm, inputs: conv1}
  fc1: {type: fc, inputs: norm1, outputs: 32, init_w: KIND}
  probs: {type: softmax, inputs: fc1}
"""
FAN_IN, OUTPUTS = 64 * 24 * 24, 32
STRETCH = 1 << 18


def initial(net: Compiled, seed: int) -> dict[str, Array]:
    arrays = {p.name: np.full(p.parameter.dims, np.nan, np.float32) for p in net.typed.parameters}
    fill_initial(net.typed, seed, arrays)
    return arrays


def large(kind: str, seed: int = 1) -> dict[str, Array]:
    return initial(compiled(LARGE.replace("KIND", kind)), seed)


def same(a: dict[str, Array], b: dict[str, Array]) -> bool:
    return {n: x.tobytes() for n, x in a.items()} == {n: x.tobytes() for n, x in b.items()}


def test_any_number_of_threads_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    for count in (1, 2, 7):
        monkeypatch.setattr(os, "cpu_count", lambda count=count: count)
        made.append(large("0.1"))
    assert made[0]["fc1.weight"].size > 4 * STRETCH
    assert same(made[0], made[1])
    assert same(made[0], made[2])


def test_any_placement_gives_the_same() -> None:
    spec = LARGE.replace("KIND", "he")
    split = spec.replace("filters: 64,", "filters: 64, gpu: [0, 1],").replace("outputs: 32,", "outputs: 32, gpu: 1,")
    assert spec != split
    assert same(initial(compiled(spec), 3), initial(compiled(split), 3))


def test_another_seed_gives_other_numbers() -> None:
    assert not same(large("0.1", 1), large("0.1", 2))


def test_layers_do_not_depend_on_their_neighbours() -> None:
    """A layer more or less leaves the numbers of the others alone."""
    spec = LARGE.replace("KIND", "0.1")
    longer = spec.replace("  norm1:", "  extra: {type: conv, inputs: conv1, filters: 64, size: 1}\n  norm1:")
    longer = longer.replace("batchnorm, inputs: conv1", "batchnorm, inputs: extra")
    short, long = initial(compiled(spec), 1), initial(compiled(longer), 1)
    assert same(short, {name: long[name] for name in short})


def test_no_two_stretches_and_no_two_layers_repeat() -> None:
    weights = large("0.1")
    flat = weights["fc1.weight"].reshape(-1)
    starts = [flat[i : i + 8].tobytes() for i in range(0, flat.size, STRETCH)]
    starts.append(weights["conv1.weight"].reshape(-1)[:8].tobytes())
    assert len(set(starts)) == len(starts) > 4


@pytest.mark.parametrize(
    ("kind", "std"), [("0.01", 0.01), ("'normal[0.5]'", 0.5), ("he", sqrt(2 / FAN_IN)), ("0", 0.0)]
)
def test_normal_weights_have_their_deviation(kind: str, std: float) -> None:
    values = large(kind)["fc1.weight"].astype(np.float64).reshape(-1)
    error = std / sqrt(values.size)
    assert abs(values.mean()) <= 4 * error
    assert abs(values.std() - std) <= 4 * error
    beyond = np.mean(np.abs(values) > 2 * std) if std else 0.0455
    assert beyond == pytest.approx(0.0455, abs=0.002)


@pytest.mark.parametrize(("kind", "bound"), [("'uniform[0.3]'", 0.3), ("xavier", sqrt(6 / (FAN_IN + OUTPUTS)))])
def test_uniform_weights_fill_their_range(kind: str, bound: float) -> None:
    values = large(kind)["fc1.weight"]
    assert np.abs(values).max() <= np.float32(bound) * (1 + 1e-6)
    assert values.max() > 0.99 * bound
    assert values.min() < -0.99 * bound
    assert values.astype(np.float64).std() == pytest.approx(bound / sqrt(3), rel=0.01)


def test_constants() -> None:
    weights = large("'constant[-2]'")
    wanted = {"fc1.weight": -2, "conv1.bias": 0.25, "fc1.bias": 0, "norm1.weight": 1, "norm1.bias": 0}
    wanted |= {"norm1.running_mean": 0, "norm1.running_var": 1}
    assert {name: (weights[name].min(), weights[name].max()) for name in wanted} == {
        n: (v, v) for n, v in wanted.items()
    }


@pytest.mark.parametrize("net", ALL)
def test_every_number_is_made(net: str) -> None:
    assert all(np.isfinite(array).all() for array in initial(compiled(ALL[net]), 0).values())
