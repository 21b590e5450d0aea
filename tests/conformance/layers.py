"""Legal layers of any registered type, found by asking the layer's own rule. It has no rule of any type.

A case is a net: sources of the wanted shapes, then one layer named ``subject``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from hypothesis import assume
from hypothesis import strategies as st

from netspec.diagnostics import Findings
from netspec.ir.layer import Illegal, Layer
from netspec.ir.shape import Maps, Shape, Vector
from netspec.source import Source
from netspec.syntax.decode import Decoder
from netspec.syntax.reader import read_tree
from netspec.syntax.spans import SpanTable
from tests.conformance.values import Entry, draw_keys

ATTEMPTS = 60
MOST_UNITS = 3000
MOST_MACS = 100_000

_CHANNELS = (1, 2, 2, 3, 4, 4, 6, 6, 8)
_SIZES = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10)


@dataclass(frozen=True)
class Case:
    """A layer and the shapes that it reads; ``repeated``: all its inputs are one value."""

    entry: Entry
    layer: Layer
    shapes: tuple[Shape, ...]
    repeated: bool = False

    @property
    def direct(self) -> bool:
        """Whether it reads the net's input."""
        return isinstance(self.shapes[0], Maps) and (len(self.shapes) == 1 or self.repeated)

    def text(self) -> str:
        """The net as YAML, a line a layer."""
        entries = ({} if self.direct else self._sources()) | {"subject": self.entry}
        data = self.shapes[0] if self.direct else self._room()
        layers = "".join(f"  {name}: {json.dumps(entry)}\n" for name, entry in entries.items())
        size = list(data.dims[1:])
        return f"netspec: 1\nname: case\ninput: {{channels: {data.channels}, size: {size}}}\nlayers:\n{layers}"

    def _room(self) -> Maps:
        """An input that every source can be cut from."""
        spaces = [shape.dims[1:] for shape in self.shapes if isinstance(shape, Maps)] or [(2, 3)]
        return Maps(2, max(h for h, _ in spaces), max(w for _, w in spaces))

    def _sources(self) -> dict[str, Entry]:
        """A convolution or fc layer for each input, so that each has its own shape and its own numbers."""
        room, sources = self._room(), {}
        for name, shape in zip(self.layer.inputs, self.shapes, strict=True):
            source: Entry = {"type": "fc", "inputs": "data", "outputs": shape.channels}
            if isinstance(shape, Maps):
                size = [room.height - shape.height + 1, room.width - shape.width + 1]
                source = {"type": "conv", "inputs": "data", "filters": shape.channels, "size": size}
            sources[name] = source
        return sources


def decode_layer(cls: type[Layer], entry: Entry) -> Layer:
    """The layer of an entry. Raises AssertionError where the decoder refuses what was drawn from its own fields."""
    return decode_text(cls, json.dumps(entry))


def decode_text(cls: type[Layer], text: str) -> Layer:
    """The layer of an entry in YAML. Raises AssertionError where it does not decode."""
    source, findings = Source("<entry>", text), Findings()
    layer = Decoder(SpanTable(source), findings).dataclass(read_tree(source), cls, (), skip=("type",))
    assert isinstance(layer, cls), (text, findings.errors)
    return layer


def legal_shape(layer: Layer, shapes: tuple[Shape, ...]) -> Shape | None:
    """What the layer's own rules give; None where they refuse, or where it is too large to test."""
    try:
        shape = layer.infer(shapes)
        layer.parameters(shapes)
    except Illegal:
        return None
    small = shape.units <= MOST_UNITS and layer.macs(shapes) <= MOST_MACS
    return shape if small else None


def try_case(random: Random, cls: type[Layer]) -> Case | None:
    """A random case; None if it happens to be illegal."""
    least, most = cls.arity
    count = random.randint(least, min(most or least + 2, least + 2))
    shapes = draw_shapes(random, count)
    repeated = count > 1 and len(set(shapes)) == 1 and random.random() < 0.25
    case_inputs = _names(shapes, repeated)
    entry: Entry = {"type": cls.type, "inputs": case_inputs[0] if count == 1 else list(case_inputs)}
    entry |= draw_keys(random, cls, count, skip=("inputs", "gpu"))
    layer = decode_layer(cls, entry)
    return Case(entry, layer, shapes, repeated) if legal_shape(layer, shapes) else None


def draw_shapes(random: Random, count: int) -> tuple[Shape, ...]:
    """Equal ones, ones that differ in channels, or any."""
    first = _maps(random)
    style = random.choice(("equal", "equal", "channels", "free", "flat"))
    if style == "equal":
        return (first,) * count
    if style == "flat":
        return (Vector(random.choice(_CHANNELS)),) * count
    if style == "channels":
        return tuple(first.with_channels(random.choice(_CHANNELS)) for _ in range(count))
    return tuple(_maps(random) if random.random() < 0.75 else Vector(random.choice(_CHANNELS)) for _ in range(count))


def _maps(random: Random) -> Maps:
    return Maps(random.choice(_CHANNELS), random.choice(_SIZES), random.choice(_SIZES))


def _names(shapes: tuple[Shape, ...], repeated: bool) -> tuple[str, ...]:
    if isinstance(shapes[0], Maps) and (len(shapes) == 1 or repeated):
        return ("data",) * len(shapes)
    return tuple(f"source{0 if repeated else number}" for number in range(len(shapes)))


def seeded_cases(cls: type[Layer], attempts: int, seed: int = 2012) -> Iterator[Case]:
    """The legal ones among so many attempts."""
    random = Random(seed)
    found = (try_case(random, cls) for _ in range(attempts))
    return (case for case in found if case is not None)


@st.composite
def legal_cases(draw: st.DrawFn, cls: type[Layer]) -> Case:
    """Legal layers of a type, for hypothesis."""
    random = draw(st.randoms(use_true_random=False))
    for _ in range(ATTEMPTS):
        if case := try_case(random, cls):
            return case
    assume(False)
    raise AssertionError
