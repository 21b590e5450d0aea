"""Nets that differ from another in one key of one layer, drawn from the layer types themselves. It judges nothing."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from netspec.diagnostics import SpecError
from netspec.layers import LAYER_TYPES
from netspec.pipeline import compile_spec
from netspec.spec.load import load_text
from netspec.syntax.decode import hints_of, keys_of
from netspec.syntax.keys import Key, key_of
from tests.conformance.values import Entry, draw_neuron, draw_value
from tests.property.graphs import RandomNet

ATTEMPTS = 30


@dataclass(frozen=True)
class Mutant:
    """A net, and the same net but for one key of one layer."""

    before: str
    after: str
    layer: str
    key: str

    def told(self) -> str:
        """The net, and the line that is another."""
        return "\n".join((self.before, "changed:", *self.changed))

    @property
    def changed(self) -> list[str]:
        """The lines of the second net that the first has not."""
        return [line for line in self.after.splitlines() if line not in self.before.splitlines()]

    @property
    def entries(self) -> list[str]:
        """The layer's line in both nets."""
        lines = (*self.before.splitlines(), *self.after.splitlines())
        return [line for line in lines if line.startswith(f"  {self.layer}: ")]


def mutants(seed: int, count: int) -> Iterator[Mutant]:
    """Some legal mutants of the random net of a seed."""
    net, random = RandomNet.seeded(seed), Random(seed)
    before = text_of(net, net.entries)
    for _ in range(count):
        for _ in range(ATTEMPTS):
            layer = random.choice(list(net.entries))
            key = random.choice([*keys_of(type(net.layers[layer]))])
            if entry := _changed(random, net, layer, key):
                mutant = Mutant(before, text_of(net, net.entries | {layer: entry}), layer, key)
                if len(mutant.changed) == 1 and _is_legal(mutant.after):  # more where channels become outputs
                    yield mutant
                    break


def text_of(net: RandomNet, entries: dict[str, Entry]) -> str:
    """The file of a net with other layers."""
    other = copy.copy(net)
    other.entries, other.random = entries, Random(0)
    return other.text()


def _changed(random: Random, net: RandomNet, layer: str, key: str) -> Entry | None:
    """The layer's entry with another value of a key; None where none can be drawn."""
    entry, cls = net.entries[layer], LAYER_TYPES[str(net.entries[layer]["type"])]
    if key in ("inputs", "share_weights", "per_input", "gpu"):
        return None
    value = (
        draw_neuron(random)
        if key == "neuron"
        else draw_value(random, hints_of(cls)[key], key_of(keys_of(cls)[key]) or Key(""), len(net.layers[layer].inputs))
    )
    return None if value is None else entry | {key: value}


def _is_legal(text: str) -> bool:
    try:
        compile_spec(load_text(text))
    except SpecError:
        return False
    return True
