"""One layer of a definition while it becomes layers of a draft: its options, what it reads, what it writes.

It knows no layer types: those are functions of a FileLayer.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isqrt
from typing import NoReturn

from netspec.diagnostics import Diagnostic, Findings, SpecError
from netspec.importers.cuda_convnet.dialect import Dialect
from netspec.importers.cuda_convnet.options import Options, Refused
from netspec.importers.cuda_convnet.sections import Section
from netspec.importers.draft import Draft, LayerDraft, Value
from netspec.importers.names import Names
from netspec.importers.remark import Remarks
from netspec.ir.shape import Maps, Shape, Vector
from netspec.spec.load import MAX_LAYERS

INPUT = "data"


@dataclass(frozen=True)
class Output:
    """What a layer of the file gives: the draft's layer (or input), its shape, and the devices that the file says.

    ``shape`` is None where the layer was refused: what reads it is refused in silence.
    """

    layer: str
    shape: Shape | None
    devices: tuple[int, ...] = ()


@dataclass
class Net:
    """What the layers of one file share."""

    draft: Draft
    names: Names
    remarks: Remarks
    findings: Findings
    dialect: Dialect
    side: int
    definition: dict[str, Section]
    params: dict[str, Section] | None
    outputs: dict[str, Output] = field(default_factory=dict)
    """By name in the file, for every layer that others may read."""
    placed: dict[str, int] = field(default_factory=dict)
    """The one device of each layer of the draft."""
    owners: dict[tuple[str, int], str] = field(default_factory=dict)
    """Whose weights an input of a layer of the file uses, as the language writes it: `conv1[1]`."""
    shared: set[tuple[str, int]] = field(default_factory=set)
    """Inputs of layers of the file, by their numbers, whose weights are another's."""
    readers: dict[str, int] = field(default_factory=dict)
    """How many replicas the first layer has that reads one of the file, by the name of that."""
    told: set[str] = field(default_factory=set)
    """Topics of which one remark is enough."""


@dataclass
class FileLayer:
    """A layer of the file. ``sources`` are the draft's names of what it reads; ``name`` is its own there."""

    net: Net
    section: Section
    type: str
    name: str
    options: Options
    params: Options
    inputs: tuple[Output, ...]
    made: list[str] = field(default_factory=list)

    @property
    def wrong(self) -> bool:
        return self.options.wrong or self.params.wrong

    def shape(self, number: int = 0) -> Shape:
        """The shape of an input. Raises Refused where there is none, or where an option is wrong."""
        shape = None if self.wrong else self.inputs[number].shape
        if shape is None:
            raise Refused
        return shape

    def image(self, number: int = 0, channels: int | None = None) -> tuple[str, Maps]:
        """An input as maps of so many channels: the draft's layer, and its shape. Raises Refused."""
        shape = self.shape(number)
        if channels is None:
            channels = self.options.integers("channels", len(self.inputs), least=1)[number]
        if self.wrong:
            raise Refused
        if isinstance(shape, Maps):
            self._check_channels(shape, channels, number)
            return self.inputs[number].layer, shape
        return self._unflattened(shape, channels, number)

    def flat(self, number: int) -> str:
        """An input as a flat layer."""
        source = self.inputs[number].layer
        if isinstance(self.shape(number), Vector):
            return source
        return self.part(f"flat{number}", "flatten", inputs=source)

    def add(self, type: str, shape: Shape, **keys: Value) -> Output:
        """The draft's layer under the layer's own name."""
        self._add(self.name, type, keys)
        return Output(self.name, shape)

    def part(self, role: str, type: str, **keys: Value) -> str:
        """A layer on the way to the one with the layer's own name; the name that it has."""
        return self._add(self.net.names.new(f"{self.name}_{role}", self.section.place), type, keys)

    def meaning(self, topic: str, text: str, option: str = "") -> None:
        """How something was read; ``option`` is the one of the definition that it is about."""
        self.net.remarks.meaning(topic, text, self.options.place(option), self.section.name)

    def dropped(self, topic: str, text: str, option: str = "") -> None:
        self.net.remarks.dropped(topic, text, self.options.place(option), self.section.name)

    def lost(self, topic: str, text: str, option: str = "") -> None:
        self.net.remarks.lost(topic, text, self.options.place(option), self.section.name)

    def refuse(self, message: str, option: str = "", help: str = "") -> NoReturn:
        """Report that the file contradicts itself."""
        self.options.refuse("NS808", option, message, help)

    def _add(self, name: str, type: str, keys: dict[str, Value]) -> str:
        if len(self.net.draft.layers) >= MAX_LAYERS:
            message, help = f"more than {MAX_LAYERS:,} layers", "a net of this size is not read"
            raise SpecError([Diagnostic("NS111", message, self.section.place, help=help)])
        self.net.draft.add(name, type, self.section.place, **keys)
        self.made.append(name)
        return name

    def _check_channels(self, shape: Maps, channels: int, number: int) -> None:
        if shape.channels != channels:
            source = self.inputs[number].layer
            message = f"`{self.section.name}` reads {channels:,} channels, but `{source}` has {shape.channels:,}"
            self.refuse(message, "channels", f"`channels={shape.channels}`, or another input")

    def _unflattened(self, shape: Vector, channels: int, number: int) -> tuple[str, Maps]:
        """The original knows units only, and takes any number of them for square maps where it can."""
        side = isqrt(shape.units // channels)
        source = self.inputs[number].layer
        if channels * side * side != shape.units:
            message = f"the {shape.units:,} units of `{source}` are no {channels:,} square maps"
            self.refuse(message, "channels", "a number of channels that leaves square maps")
        maps = Maps(channels, side, side)
        self.meaning("shape", f"the {shape.units:,} units of `{source}` are read as {maps} maps", "channels")
        return self.part(f"maps{number}", "reshape", inputs=source, shape=list(maps.dims)), maps


def inputs_of(layer: LayerDraft) -> tuple[str, ...]:
    """What a layer of the draft reads."""
    inputs = layer.keys["inputs"]
    names = inputs if isinstance(inputs, list | tuple) else (inputs,)
    return tuple(name for name in names if isinstance(name, str))
