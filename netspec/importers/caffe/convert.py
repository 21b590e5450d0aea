"""The layers of a Caffe net to a draft, one after the other. It chooses none and reads no file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from netspec.diagnostics import Diagnostic, Findings, SpecError
from netspec.diagnostics.grammar import a, count
from netspec.importers.caffe.ends import Ends
from netspec.importers.caffe.layers import READERS, read_layer
from netspec.importers.caffe.phases import SOURCES
from netspec.importers.caffe.reading import Held, Lost, NetInMaking, Reading
from netspec.importers.caffe.wiring import Activation, Wired, reader_counts

_OF_SEVERAL: Final = frozenset({"Bias", "Concat", "Convolution", "Crop", "Deconvolution", "Eltwise", "Scale"})
Blobs = dict[Activation, Held]


def convert(
    ends: Ends, wired: Sequence[Wired], inputs: Blobs, net: NetInMaking, findings: Findings, *, lenient: bool
) -> Blobs:
    """Each blob of the layers that the net takes, as the draft has it; ``inputs`` are those of data layers.

    ``wired`` are all layers, with those that were taken off: what they read is not free to change. A layer that the
    language cannot say is taken for one that does nothing, with a remark. Raises SpecError with ``findings``, those
    before and the new ones, or else, unless lenient, with what cannot be said.
    """
    conversion = _Conversion(wired, dict(inputs), net, findings, lenient=lenient)
    for layer in ends.layers:
        if layer.type not in SOURCES:
            conversion.convert(layer)
    if not lenient:
        net.remarks.stop_on_lost()
    conversion.findings.stop_on_errors()
    return conversion.blobs


class _Conversion:
    def __init__(
        self, wired: Sequence[Wired], blobs: Blobs, net: NetInMaking, findings: Findings, *, lenient: bool
    ) -> None:
        self.blobs, self.net, self.lenient = blobs, net, lenient
        self.counts = reader_counts(wired)
        self.findings = findings
        self.below_lost: set[Activation] = set()  # no more is wrong there than the layer that cannot be said

    def convert(self, layer: Wired) -> None:
        if layer.broken:
            return
        if not self.below_lost.isdisjoint(layer.bottoms):
            self.below_lost.update(layer.tops)
        if not all(bottom in self.blobs for bottom in layer.bottoms):
            if not self.findings.errors:  # else what it reads was refused
                self.net.remarks.lost(layer.type, "it reads what is left out", layer.place, layer.name)
            return
        unread = frozenset(top.top for top in layer.tops if not self.counts[top])
        reading = Reading(layer, tuple(self.blobs[bottom] for bottom in layer.bottoms), self.net, unread)
        try:
            made = self._read(reading)
        except SpecError as error:
            if self.lenient or self.below_lost.isdisjoint(layer.bottoms):
                for diagnostic in error.diagnostics:
                    self.findings.add(diagnostic)
            return
        for top, held in zip(layer.tops, made, strict=False):
            self.blobs[top] = replace(held, shared=held.shared or self.counts[top] > 1)

    def _read(self, reading: Reading) -> tuple[Held, ...]:
        layer = reading.wired
        try:
            _check_bottoms(layer)
            made = read_layer(reading)
        except Lost as lost:
            self.net.remarks.lost(lost.topic, lost.text, lost.place, layer.name)
            self.below_lost.update(layer.tops)
            return reading.inputs[:1] * len(layer.tops)
        _check_tops(layer, len(made))
        if made:
            self.net.named[layer.name] = made[0].layer
        return made


def _check_bottoms(layer: Wired) -> None:
    """Raise SpecError NS808 for a second bottom of a layer that reads one."""
    if len(layer.bottoms) > 1 and layer.type in READERS and layer.type not in _OF_SEVERAL:
        message = f"{a(layer.type)} layer reads one blob, and here has {len(layer.bottoms)} bottoms"
        place = layer.message.place_of("bottom")
        raise SpecError([Diagnostic("NS808", message, place, help="remove the others")])


def _check_tops(layer: Wired, made: int) -> None:
    """Raise SpecError NS808 for a layer with more tops than its type makes; Pooling may have a second one."""
    if len(layer.tops) > made and layer.type != "Pooling":
        message = f"{a(layer.type)} layer makes {count(made, 'blob')}, and here has {len(layer.tops)} tops"
        place = layer.message.place_of("top")
        raise SpecError([Diagnostic("NS808", message, place, help="remove the others")])
