"""What an import says: each decision with its place, where each layer came from, and the result. It renders nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from netspec.diagnostics import Diagnostic, SpecError
from netspec.source import Span
from netspec.spec import Spec

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Tensors = Mapping[str, NDArray[np.float32]]

Kind = Literal["meaning", "dropped", "lost"]


@dataclass(frozen=True)
class Remark:
    """One decision of an import.

    ``meaning``: how something was read that frameworks read differently. ``dropped``: what the spec does not say, and
    what does not change what the trained net computes. ``lost``: what it should say and cannot; the import fails unless
    it is lenient. ``topic`` is what it is about in a word or two, the same for all remarks of a sort: ``rounding``,
    ``alpha``, ``name``. ``text`` is a sentence without its full stop; ``layer`` is the name in the imported file.
    """

    kind: Kind
    topic: str
    text: str
    place: Span
    layer: str = ""


@dataclass
class Remarks:
    """Collects remarks in the order of the decisions, each once."""

    items: list[Remark] = field(default_factory=list)
    _known: set[Remark] = field(default_factory=set)

    def meaning(self, topic: str, text: str, place: Span, layer: str = "") -> None:
        self._add(Remark("meaning", topic, text, place, layer))

    def dropped(self, topic: str, text: str, place: Span, layer: str = "") -> None:
        self._add(Remark("dropped", topic, text, place, layer))

    def lost(self, topic: str, text: str, place: Span, layer: str = "") -> None:
        self._add(Remark("lost", topic, text, place, layer))

    def stop_on_lost(self) -> None:
        """Raise SpecError NS804 with everything that was lost, if anything was."""
        lost = [remark for remark in self.items if remark.kind == "lost"]
        if lost:
            help = "`--lenient` imports the rest"
            raise SpecError(Diagnostic("NS804", remark.text, remark.place, help=help) for remark in lost)

    def _add(self, remark: Remark) -> None:
        if remark not in self._known:
            self._known.add(remark)
            self.items.append(remark)


@dataclass(frozen=True)
class Origin:
    """A layer of the imported file and what became of it.

    ``type`` and ``devices`` are as in the file: the devices that it stands on, none where the format has no such thing.
    ``layer`` is the layer of the spec (or the name of its input) whose output is this layer's output, "" if there is
    none: it was a cost, labels, or a layer that only training has.
    """

    name: str
    type: str
    place: Span
    layer: str
    devices: tuple[int, ...] = ()


@dataclass(frozen=True)
class Imported:
    """A net that was imported. ``tensors`` are its weights by canonical name (``conv1.weight``), where it has any.

    ``starts``: its files say how weights start; a graph says nothing, and its spec has the language's default.
    """

    spec: Spec
    remarks: tuple[Remark, ...]
    origins: tuple[Origin, ...]
    tensors: Tensors | None = None
    starts: bool = True
