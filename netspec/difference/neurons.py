"""Neurons for comparison: one spelling for each function, and which layers they may change places with."""

from __future__ import annotations

from netspec.difference.operation import Operation
from netspec.ir.neuron import Neuron

_INCREASING = frozenset({"relu", "logistic", "softplus", "brelu", "drelu", "clip"})
_HOMOGENEOUS = frozenset({"relu", "abs", "leaky"})  # f(c x) = c f(x) for c of at least 0
_NOT_NEGATIVE = frozenset({"relu", "logistic", "softrelu", "softplus", "abs", "square", "sqrt", "brelu"})
_MOVES_NUMBERS = frozenset({"flip", "nailbed", "crop", "slice", "flatten", "reshape", "concat"})
_TAKES_THE_LARGEST = frozenset({"cmpool", "eltmax"})
_KEEPS_SIGN = frozenset({"pool", "dropout", "rnorm", "cnorm"}) | _MOVES_NUMBERS | _TAKES_THE_LARGEST

KEEP_POSITIVE = frozenset({"relu", "leaky", "elu", "abs"})  # x where x is not negative
IDENTITY = Neuron("linear", (1.0, 0.0))


def plain(neuron: Neuron) -> Neuron:
    """The simplest neuron that is the same function."""
    kind, a = neuron.kind, neuron.arguments
    if kind in ("leaky", "elu") and a[0] in (0, 1):
        return plain_leaky(kind, a[0])
    if kind == "clip" and a[0] == 0 and a[1] > 0:
        return Neuron("brelu", a[1:])
    if kind == "power":
        return _plain_power(neuron)
    if kind == "tanh" and a[1] < 0:
        return Neuron("tanh", (-a[0], -a[1]))
    return neuron


def plain_leaky(kind: str, slope: float) -> Neuron:
    """Leaky or elu below 0 by a factor of 0 or 1."""
    if slope == 0:
        return Neuron("relu")
    return IDENTITY if kind == "leaky" else Neuron("elu", (1.0,))


def _plain_power(neuron: Neuron) -> Neuron:
    exponent, factor, term = neuron.arguments
    if exponent == 1:
        return Neuron("linear", (factor, term))
    if (factor, term) == (1, 0) and exponent in (2, 0.5):
        return Neuron("square" if exponent == 2 else "sqrt")
    return neuron


def increases(neuron: Neuron) -> bool:
    """Whether it never falls, so that the largest of several values stays the largest."""
    kind, a = neuron.kind, neuron.arguments
    if kind in ("linear", "leaky", "elu"):
        return a[0] >= 0
    return kind in _INCREASING or (kind == "tanh" and a[0] * a[1] >= 0)


def commutes(moved: Operation, before: Operation) -> bool:
    """Whether a neuron of ``before`` is ``before`` of the neuron."""
    neuron = moved.neuron
    if neuron is None:
        return False
    if before.kind in _MOVES_NUMBERS:
        return True
    if before.kind == "dropout":
        return neuron.kind in _HOMOGENEOUS
    largest = before.kind in _TAKES_THE_LARGEST or (before.kind == "pool" and before.fact("pool") == "max")
    return largest and increases(neuron)


def never_negative(operation: Operation, inputs: tuple[bool, ...]) -> bool:
    """Whether its values are 0 or above; ``inputs`` says it of those that it reads."""
    if operation.neuron is not None:
        return operation.neuron.kind in _NOT_NEGATIVE
    return operation.kind == "softmax" or (operation.kind in _KEEPS_SIGN and all(inputs))
