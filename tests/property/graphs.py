"""Random legal nets: branches, joins, one to four devices, every layer type and neuron. It asks the rules, it has none.

A seed always gives the same net.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import cast

from netspec.ir.layer import Illegal, Layer
from netspec.ir.shape import Maps, Shape, Vector, even_parts
from netspec.layers import LAYER_TYPES
from netspec.syntax.decode import keys_of
from tests.conformance.layers import decode_layer, legal_shape
from tests.conformance.values import Entry, draw_keys, draw_neuron

ATTEMPTS = 40
MOST_SQUARES = 2

_POSITIVE = ("softrelu",)  # and precise: onnxruntime's logistic is 0 to its own 5e-8, and the root of that 2e-4
_KEEPS_SIGN = ("neuron", "flip", "nailbed", "concat", "crop", "slice", "flatten", "reshape", "cmpool", "eltprod")
_NEEDS_POSITIVE = ("sqrt", "log", "power")
_SQUARES = ("square", "power")


@dataclass
class RandomNet:
    """A net that grows layer by layer; ``shapes`` and ``placement`` are of every value so far."""

    random: Random
    devices: tuple[int, ...]
    data: Maps
    shapes: dict[str, Shape] = field(default_factory=dict)
    entries: dict[str, Entry] = field(default_factory=dict)
    layers: dict[str, Layer] = field(default_factory=dict)
    placement: dict[str, tuple[int, ...]] = field(default_factory=dict)
    squares: int = 0

    @classmethod
    def seeded(cls, seed: int) -> RandomNet:
        """A whole net."""
        random = Random(seed)
        devices = tuple(random.sample(range(4), random.randint(1, 4)))
        data = Maps(random.choice((1, 2, 3, 3, 3, 4, 6)), random.randint(5, 12), random.randint(5, 12))
        net = cls(random, devices, data, {"data": data})
        for _ in range(random.randint(2, 11)):
            net.grow()
        net.finish()
        return net

    def grow(self) -> None:
        """One more layer of a random type, if a legal one is soon found."""
        if self.random.random() < 0.12 and self._share():
            return
        cls = LAYER_TYPES[self.random.choice(list(LAYER_TYPES))]
        for _ in range(ATTEMPTS):
            if self._try(cls, self._inputs(cls)):
                return

    def finish(self) -> None:
        """Most nets end in one fc layer over all ends; the others return all ends."""
        ends = self.ends
        if self.random.random() < 0.6 or not ends:
            while not self._try(LAYER_TYPES["fc"], ends or ["data"]):
                pass
            self._try(LAYER_TYPES["softmax"], self.ends) if self.random.random() < 0.6 else None

    @property
    def ends(self) -> list[str]:
        """The layers that nothing reads."""
        read = {source for layer in self.layers.values() for source in layer.inputs}
        return [name for name in self.layers if name not in read]

    def text(self) -> str:
        """The layer file. Its order is free, so it is shuffled now and then."""
        names = list(self.entries)
        if self.random.random() < 0.3:
            self.random.shuffle(names)
        ends = self.ends
        more = [n for n in names if n not in ends and (self.random.random() < 0.1 or self._partly_read(n))]
        outputs = f"outputs: {json.dumps(ends + more)}\n" if len(ends) > 1 or more else ""
        lines = "".join(f"  {name}: {json.dumps(self.entries[name])}\n" for name in names)
        size = list(self.data.dims[1:])
        head = f"netspec: 1\nname: random-net\ninput: {{channels: {self.data.channels}, size: {size}}}\n"
        return f"{head}{outputs}layers:\n{lines}"

    def _partly_read(self, name: str) -> bool:
        """Whether a device may have a part of it that no layer reads, which only an output may be."""
        readers = [json.dumps(self.entries[n]) for n, layer in self.layers.items() if name in layer.inputs]
        return len(self.placement[name]) > 1 and all(re.search('"slice"|"connections"', text) for text in readers)

    def _inputs(self, cls: type[Layer]) -> list[str]:
        """What a layer may read: rather what nothing reads yet, and for several inputs rather what has one shape."""
        names = list(self.shapes)
        first = self.random.choice(self.ends if self.layers and self.random.random() < 0.6 else names)
        least, most = cls.arity
        count = self.random.randint(least, min(most or 3, 3))
        alike = [name for name in names if self.shapes[name] == self.shapes[first]]
        return [first, *(self.random.choice(alike if self.random.random() < 0.7 else names) for _ in range(count - 1))]

    def _try(self, cls: type[Layer], inputs: Sequence[str], more: Entry | None = None) -> bool:
        """Add a layer, if what is drawn is legal."""
        entry: Entry = {"type": cls.type, "inputs": inputs[0] if len(inputs) == 1 else list(inputs)}
        entry |= draw_keys(self.random, cls, len(inputs), skip=("inputs", "gpu")) if more is None else more
        if "neuron" in entry:
            entry["neuron"] = self._neuron(cls, inputs)
        shapes = tuple(self.shapes[name] for name in inputs)
        shape = legal_shape(decode_layer(cls, entry), shapes)
        if shape is None or min(shape.dims) < 1:
            return False
        devices = self._devices(entry, inputs[0])
        layer = decode_layer(cls, entry)
        if not _splits(layer, shapes, shape, devices):
            return False
        self._add(entry, layer, shape, devices)
        return True

    def _add(self, entry: Entry, layer: Layer, shape: Shape, devices: tuple[int, ...]) -> None:
        name = f"{layer.type}{len(self.layers) + 1}"
        if layer.type == "neuron":
            name = f"act{len(self.layers) + 1}"
        self.entries[name], self.layers[name], self.shapes[name] = entry, layer, shape
        self.placement[name] = devices
        self.squares += layer.neuron is not None and layer.neuron.kind in _SQUARES

    def _devices(self, entry: Entry, first: str) -> tuple[int, ...]:
        """Writes `gpu` into the entry, or leaves it out; returns where the layer then is."""
        style = self.random.choice(("inherited", "one", "several", "several"))
        if style == "inherited" or len(self.devices) == 1:
            return self.placement.get(first, (0,))
        count = 1 if style == "one" else self.random.randint(2, len(self.devices))
        devices = tuple(self.random.sample(self.devices, count))
        entry["gpu"] = devices[0] if count == 1 else list(devices)
        return devices

    def _neuron(self, cls: type[Layer], inputs: Sequence[str]) -> str:
        """Roots and logarithms of positive numbers only: what runtimes make of NaN further on differs."""
        neuron = draw_neuron(self.random)
        positive = cls.type in _KEEPS_SIGN and all(self._positive(name) for name in inputs)
        if positive and self.random.random() < 0.5:  # inputs that some neurons need are rare
            neuron = next(n for n in iter(lambda: draw_neuron(self.random), "") if n.startswith(_NEEDS_POSITIVE))
        kind = neuron.partition("[")[0]
        if kind in _NEEDS_POSITIVE and not positive:
            return self.random.choice(_POSITIVE)
        if kind in _SQUARES and self.squares >= MOST_SQUARES:
            return "relu"
        return neuron.replace("-", "") if kind in _NEEDS_POSITIVE else neuron

    def _positive(self, name: str) -> bool:
        neuron = self.layers[name].neuron if name in self.layers else None
        return neuron is not None and neuron.kind in _POSITIVE

    def _share(self) -> bool:
        """A layer with the weights of an earlier one, where there is one."""
        owners = [n for n, layer in self.layers.items() if "share_weights" in keys_of(type(layer)) and self._owns(n)]
        if not owners:
            return False
        owner = self.random.choice(owners)
        layer = self.layers[owner]
        inputs = [self.random.choice(self._alike(name)) for name in layer.inputs]
        entry = {key: value for key, value in self.entries[owner].items() if key not in ("type", "inputs", "gpu")}
        if len(inputs) > 1:
            own = cast(list[Entry], entry.get("per_input")) or [{} for _ in inputs]
            entry["per_input"] = [one | {"share_weights": f"{owner}[{n}]"} for n, one in enumerate(own)]
        else:
            entry["share_weights"] = owner
        entry["gpu"] = list(self.placement[owner])
        shapes = tuple(self.shapes[name] for name in inputs)
        entry |= {"type": layer.type, "inputs": inputs}
        entry.pop("neuron", None)
        self._add(entry, decode_layer(type(layer), entry), layer.infer(shapes), self.placement[owner])
        return True

    def _alike(self, name: str) -> list[str]:
        return [other for other, shape in self.shapes.items() if shape == self.shapes[name]]

    def _owns(self, name: str) -> bool:
        shapes = tuple(self.shapes[source] for source in self.layers[name].inputs)
        return not any(p.tied for p in self.layers[name].parameters(shapes))


def _splits(layer: Layer, shapes: tuple[Shape, ...], shape: Maps | Vector, devices: tuple[int, ...]) -> bool:
    """Whether the layer's own rule lets it stand on these devices."""
    if shape.channels % len(devices):
        return False
    if len(devices) == 1:
        return True
    try:
        for part in even_parts(shape.channels, len(devices)):
            layer.shard(shapes, part)
    except Illegal:
        return False
    return True
