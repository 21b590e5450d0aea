"""One layer of a Caffe net while it is read: its fields, what it reads, and what it becomes. It knows no layer type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import prod
from typing import TYPE_CHECKING

from netspec.diagnostics import Diagnostic, SpecError
from netspec.importers.caffe.message import Message
from netspec.importers.caffe.wiring import Wired
from netspec.importers.draft import At, Draft, Plain, Value
from netspec.importers.names import Names
from netspec.importers.remark import Remarks
from netspec.source import Span

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float32]
    Form = Callable[..., Array]  # of the blobs' arrays: a parameter in the canonical layout


class Lost(Exception):  # noqa: N818 - raised as a verdict on a layer, and turned into a remark
    """The language cannot say this layer. ``topic`` is its type or option."""

    def __init__(self, topic: str, text: str, place: Span) -> None:
        super().__init__(text)
        self.topic, self.text, self.place = topic, text, place


@dataclass(frozen=True)
class Held:
    """A blob as a layer of the spec, or its input, gives it; ``shape`` is Caffe's: the batch, then one image.

    ``shared``: whether more than one layer reads it, so that its numbers must stay what they are.
    """

    layer: str
    shape: tuple[int, ...]
    shared: bool = False

    @property
    def image(self) -> tuple[int, ...]:
        return self.shape[1:]

    @property
    def channels(self) -> int:
        return self.shape[1] if len(self.shape) > 1 else 1

    @property
    def units(self) -> int:
        return prod(self.image)

    @property
    def pixels(self) -> int:
        return prod(self.shape[2:])


@dataclass(frozen=True)
class Stored:
    """Where a parameter stands in a file of weights: ``blobs`` of the layer ``layer``, which have ``shapes`` there."""

    layer: str
    blobs: tuple[int, ...]
    shapes: tuple[tuple[int, ...], ...]
    form: Form


@dataclass
class NetInMaking:
    """What the layers write to: the draft, and where each parameter of it (``conv1.weight``) has its numbers.

    ``named`` says which layer of the draft computes a layer of Caffe's. ``owners`` are the layers that own weights with
    a name, and the number of the blob. ``decay`` is the weight decay that a layer's `decay_mult` multiplies,
    ``decay_assumed`` whether no solver says it, and ``decaying`` are layers with numbers that decay in Caffe alone.
    ``said`` are texts of remarks that are made once.
    """

    draft: Draft
    names: Names
    remarks: Remarks
    decay: float
    decay_assumed: bool
    numbers: dict[str, Stored] = field(default_factory=dict)
    named: dict[str, str] = field(default_factory=dict)
    owners: dict[str, tuple[str, int]] = field(default_factory=dict)
    decaying: list[str] = field(default_factory=list)
    said: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Reading:
    """A layer that is read. ``inputs`` are its bottoms, in their order; ``unread``: tops that no layer reads."""

    wired: Wired
    inputs: tuple[Held, ...]
    net: NetInMaking
    unread: frozenset[int] = frozenset()

    @property
    def place(self) -> Span:
        return self.wired.place

    @property
    def message(self) -> Message:
        return self.wired.message

    @property
    def input(self) -> Held:
        """The first bottom. Raises SpecError NS803 where there is none."""
        if not self.inputs:
            help = 'name the blob that it reads: `bottom: "data"`'
            raise SpecError([Diagnostic("NS803", f"`{self.wired.name}` reads nothing", self.place, help=help)])
        return self.inputs[0]

    def parameter(self, name: str) -> Message:
        """A message of options, at the layer's place where the file gives none."""
        return self.message.child(name)

    def add(
        self,
        type: str,
        shape: tuple[int, ...],
        keys: Mapping[str, Value],
        called: str = "",
        reads: tuple[Held, ...] = (),
    ) -> Held:
        """A layer of the spec that reads ``reads`` (the bottoms) and is named as this one, or as ``called``."""
        name = self.net.names.new(called or self.wired.name, self.message.place_of("name"))
        inputs = tuple(held.layer for held in reads or self.inputs)
        self.net.draft.add(name, type, self.place, inputs=inputs[0] if len(inputs) == 1 else inputs, **keys)
        return Held(name, shape)

    def learns(self, held: Held, path: str, blob: int, shape: tuple[int, ...], form: Form | None = None) -> None:
        """Say that parameter ``path`` of a layer of the spec is blob number ``blob`` of this one."""
        self.learns_of(held, path, (blob,), (shape,), form or as_it_is)

    def learns_of(
        self, held: Held, path: str, blobs: tuple[int, ...], shapes: tuple[tuple[int, ...], ...], form: Form
    ) -> None:
        """The same for a parameter that comes of several blobs."""
        self.net.numbers[f"{held.layer}.{path}"] = Stored(self.wired.name, blobs, shapes, form)

    def maps(self, held: Held | None = None) -> tuple[int, int, int]:
        """Channels, height and width of a bottom. Raises SpecError NS808 for one that is no maps."""
        held = held or self.input
        if len(held.shape) != 4:
            message = f"`{self.wired.name}` reads maps, but `{held.layer}` is flat: {held.units:,} units"
            help = "put it before the first layer with a flat output"
            raise SpecError([Diagnostic("NS808", message, self.message.place_of("bottom"), help=help)])
        return held.shape[1], held.shape[2], held.shape[3]

    def axis(self, parameter: Message, name: str, default: int = 1) -> int:
        """An axis as a number from 0, the batch. Raises SpecError NS802 for one that the blob does not have."""
        axis, axes = parameter.integer(name, default), len(self.input.shape)
        if not -axes <= axis < axes:
            message = f"axis {axis} is none of the {axes} that `{self.input.layer}` has"
            place = parameter.place_of(name)
            raise SpecError([Diagnostic("NS802", message, place, help=f"{-axes} to {axes - 1}")])
        return axis % axes

    def meaning(self, topic: str, text: str, place: Span | None = None) -> None:
        self.net.remarks.meaning(topic, text, place or self.place, self.wired.name)

    def say_once(self, topic: str, text: str, place: Span) -> None:
        """A remark on what many layers have alike, at the first."""
        if text not in self.net.said:
            self.net.said.add(text)
            self.meaning(topic, text, place)

    def dropped(self, topic: str, text: str, place: Span | None = None) -> None:
        self.net.remarks.dropped(topic, text, place or self.place, self.wired.name)

    def lost(self, text: str, place: Span | None = None, topic: str = "") -> Lost:
        """What to raise where the language has no way to say the layer."""
        return Lost(topic or self.wired.type, text, place or self.place)


Reader = Callable[[Reading], tuple[Held, ...]]  # a layer type: one Held for each top


def as_it_is(array: Array) -> Array:
    """The form of a parameter that lies in the file as it does here."""
    return array


def at(parameter: Message, name: str, value: Plain) -> At:
    """A value with the place of the field that it came from."""
    return At(value, parameter.place_of(name))


def wrong(parameter: Message, name: str, message: str, help: str) -> SpecError:
    """What to raise for a value that Caffe would not take: NS802 at the field."""
    return SpecError([Diagnostic("NS802", message, parameter.place_of(name), help=help)])
