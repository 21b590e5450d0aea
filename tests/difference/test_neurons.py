"""What is said of neurons holds for the numbers that the built module gives."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from netspec.difference.neurons import KEEP_POSITIVE, increases, never_negative, plain
from netspec.difference.operation import NEURON, Operation
from netspec.ir.neuron import KINDS, Neuron
from netspec.ir.shape import Vector
from tests.conformance.forms import Floats, Forms, run_torch
from tests.conformance.values import draw_neuron

X = np.linspace(-6, 6, 4001)
SPECIAL = (
    "linear[1, 0]",
    "linear[0, 2]",
    "leaky[0]",
    "leaky[1]",
    "elu[0]",
    "elu[1]",
    "clip[0, 6]",
    "clip[-1, 1]",
    "power[1, 2, 3]",
    "power[2, 1, 0]",
    "power[0.5, 1, 0]",
    "power[2, 3, 1]",
    "tanh[-1, -2]",
    "tanh[1, -2]",
)
NEURONS = sorted({*SPECIAL, *(draw_neuron(Random(n), (kind,)) for kind in KINDS for n in range(6))})


def values(neuron: Neuron) -> Floats:
    """Of X, in float64."""
    text = f"netspec: 1\nname: one\ninput: {{channels: 1, size: [1, {X.size}]}}\nlayers:\n"
    forms = Forms.of(f"{text}  y: {{type: neuron, inputs: data, neuron: '{neuron}'}}\n")
    return run_torch(forms.merged({}).double(), X.reshape(1, 1, 1, -1))["y"].ravel()


def operation(neuron: Neuron) -> Operation:
    return Operation(NEURON, "y", "data", (0,), Vector(1), neuron=neuron)


@pytest.mark.parametrize("text", NEURONS)
def test_a_neuron_is_what_is_said_of_it(text: str) -> None:
    neuron = Neuron.parse(text)
    y = values(neuron)
    assert np.allclose(values(plain(neuron)), y, rtol=1e-12, atol=1e-12, equal_nan=True)
    if increases(neuron):
        assert (np.diff(y) >= 0).all()
    if never_negative(operation(neuron), ()):
        assert (y[~np.isnan(y)] >= 0).all()
    if neuron.kind in KEEP_POSITIVE:
        assert (y[X >= 0] == X[X >= 0]).all()


def test_what_rises_is_known_to_rise() -> None:
    """Where it is not known, a difference is told that is none."""
    known = {neuron.kind for neuron in map(Neuron.parse, NEURONS) if increases(neuron)}
    assert known == {"relu", "tanh", "logistic", "linear", "brelu", "drelu", "softplus", "elu", "leaky", "clip"}
