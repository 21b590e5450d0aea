"""Blobs of a net as values that one layer makes: layers in place make new ones, Split makes none. No shapes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from netspec.diagnostics import Diagnostic, Findings, did_you_mean
from netspec.importers.caffe.message import Message
from netspec.source import Span

_NO_INPUT: Final = "an Input or data layer comes first"
_SHOWN: Final = 40  # characters of a blob's name in a message


@dataclass(frozen=True)
class Activation:
    """What a layer made under a name: ``made`` is the number of the layer in the net, ``top`` of its outputs."""

    name: str
    made: int
    top: int


@dataclass(frozen=True, eq=False)
class Wired:
    """A layer of a net with what it reads and makes. ``broken``: what it reads is not all there, or it has no type."""

    message: Message
    bottoms: tuple[Activation, ...]
    tops: tuple[Activation, ...]
    broken: bool = False

    @property
    def name(self) -> str:
        return self.message.text("name", "")

    @property
    def type(self) -> str:
        return self.message.word("type", "")

    @property
    def place(self) -> Span:
        return self.message.place


def wire(layers: Iterable[Message], findings: Findings) -> tuple[Wired, ...]:
    """The layers in their order, which Caffe computes them in; without Split layers.

    Findings are NS805 for a blob that no layer above makes, NS808 for one that two make.
    """
    wiring = _Wiring(findings)
    for number, layer in enumerate(layers):
        wiring.add(number, layer)
    return tuple(wiring.wired)


def reader_counts(layers: Sequence[Wired]) -> Counter[Activation]:
    """How often each blob is read."""
    return Counter(bottom for layer in layers for bottom in layer.bottoms)


class _Wiring:
    def __init__(self, findings: Findings) -> None:
        self.blobs: dict[str, Activation] = {}
        self.wired: list[Wired] = []
        self.findings = findings

    def add(self, number: int, layer: Message) -> None:
        bottoms = tuple(blob for field in layer.all("bottom") if (blob := self._read(str(field.value), field.place)))
        if layer.word("type", "") == "Split" and bottoms:
            self.blobs |= dict.fromkeys(layer.texts("top"), bottoms[0])
            return
        own = layer.texts("bottom")
        tops = []
        for top, field in enumerate(layer.all("top")):
            name = str(field.value)
            if name in self.blobs and name not in own:
                self._refuse_second(name, field.place)
            tops.append(Activation(name, number, top))
        self.blobs |= {blob.name: blob for blob in tops}
        broken = len(bottoms) < len(own)
        self.wired.append(Wired(layer, bottoms, tuple(tops), broken))

    def _read(self, name: str, place: Span) -> Activation | None:
        if name not in self.blobs:
            message = f"no layer above makes the blob `{name[:_SHOWN]}`"
            help = did_you_mean(name, self.blobs, "there are") if self.blobs else _NO_INPUT
            self.findings.add(Diagnostic("NS805", message, place, help=help))
        return self.blobs.get(name)

    def _refuse_second(self, name: str, place: Span) -> None:
        message = f"a layer above makes the blob `{name[:_SHOWN]}` too"
        help = "give one of them another name: only a layer that reads a blob may write it"
        self.findings.add(Diagnostic("NS808", message, place, help=help))
