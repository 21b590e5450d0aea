"""One key of a random net is changed: that is the one difference found, or torch finds none either."""

from __future__ import annotations

import pytest

from netspec.difference import Scope
from netspec.difference.result import Row
from netspec.pipeline import Compiled
from tests.difference.mutants import Mutant, mutants
from tests.difference.nets import compute_alike, difference, net

EVERYTHING = Scope(train=True, placement=True)
# what a key is told as, where that is not its own name
TOLD_AS = {
    "alpha_over": "alpha",
    "round": "pad",
    "coefficients": "inputs",
    "lr_w": "rate of weights",
    "lr_b": "rate of biases",
}


def problems(mutant: Mutant) -> list[str]:
    """What is wrong with the account of one mutant."""
    found = difference(mutant.before, mutant.after, EVERYTHING)
    back = difference(mutant.after, mutant.before, EVERYTHING)
    a = net(mutant.before)
    wrong = [f"{row}" for row in found.rows if not _is_told(row, mutant, a)]
    if len(found.rows) != len(back.rows):
        wrong.append(f"{len(found.rows)} differences there, {len(back.rows)} back")
    if found.equal and not compute_alike(mutant.before, mutant.after):
        wrong.append("no difference was found")
    if found.sizes and not found.rows:
        wrong.append("sizes follow from nothing")
    return wrong


def _is_told(row: Row, mutant: Mutant, a: Compiled) -> bool:
    """Whether a row says what the mutant has; with a layer that changes nothing in one of the two nets."""
    layers = {side.layer for side in (row.a, row.b) if side}
    kind = a.typed.by_name[mutant.layer].layer.type
    what = row.what.partition(" of input")[0]
    keys = ("pad", "start") if (kind, mutant.key) == ("pool", "start") else (TOLD_AS.get(mutant.key, mutant.key),)
    if layers <= {mutant.layer, *_who_shares(a, mutant.layer)} and what in (*keys, kind):
        return True
    idle = _may_be_idle(a, layers)
    if row.kind == "wiring" and (mutant.key == "neuron" or _may_be_idle(a, {mutant.layer})):  # its place is another's
        return any(mutant.layer in side.text for side in (row.a, row.b) if side)
    if row.kind == "order":  # its neuron goes on to where it vanishes, or it is as idle as another is now
        return idle or layers == {mutant.layer}
    if row.kind == "only" and mutant.key == what == "neuron":  # the same neuron stands behind it or before it too
        return all(_has_neuron(mutant, side.text) for side in (row.a, row.b) if side)
    return row.kind == "only" and idle


def _has_neuron(mutant: Mutant, text: str) -> bool:
    return any(f'"neuron": "{text.partition("[")[0]}' in entry for entry in mutant.entries)


def _who_shares(net: Compiled, owner: str) -> set[str]:
    """The layers that use a layer's weights."""
    return {n.name for n in net.typed.nodes for p in n.parameters if p.tied and p.name.startswith(f"{owner}.")}


def _may_be_idle(net: Compiled, layers: set[str]) -> bool:
    idle = ("crop", "slice", "reshape", "flatten", "pool", "cmpool")
    return all(net.typed.by_name[layer].layer.type in idle for layer in layers)


@pytest.mark.parametrize("seed", range(2000, 2012))
def test_one_key_is_one_difference(seed: int) -> None:
    for mutant in mutants(seed, 2):
        assert problems(mutant) == [], mutant.told()


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, 200, 20))
def test_one_key_is_one_difference_in_many_nets(first: int) -> None:
    for seed in range(first, first + 20):
        for mutant in mutants(seed, 4):
            assert problems(mutant) == [], mutant.told()


@pytest.mark.soak
@pytest.mark.parametrize("first", range(10_000, 12_000, 50))
def test_one_key_is_one_difference_at_large(first: int) -> None:
    for seed in range(first, first + 50):
        for mutant in mutants(seed, 8):
            assert problems(mutant) == [], mutant.told()
