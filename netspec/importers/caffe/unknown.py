"""Layers of types that BVLC's Caffe does not have: refused, or left out if an import is lenient. It reads none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from netspec.diagnostics import Diagnostic, Findings
from netspec.diagnostics.suggest import said
from netspec.importers.caffe.ends import COSTS
from netspec.importers.caffe.layers import TYPES
from netspec.importers.caffe.meant import meant
from netspec.importers.caffe.wiring import Activation, Wired
from netspec.importers.remark import Remarks

_LONGEST: Final = 40  # characters of a type in a message


def take_known(layers: Sequence[Wired], findings: Findings, remarks: Remarks, *, lenient: bool) -> tuple[Wired, ...]:
    """The layers without those of unknown types that no other layer needs, if ``lenient``.

    One with one bottom and one top stays then too, to be taken for one that does nothing. Others are findings: NS806,
    and NS803 for a layer of no type.
    """
    needed: set[Activation] = set()
    kept: list[Wired] = []
    left_out: list[Wired] = []
    for layer in reversed(layers):
        free = needed.isdisjoint(layer.tops)
        known = layer.type in TYPES
        passes = lenient and bool(layer.type) and _passes(layer)
        if not known and lenient and layer.type and free and not passes:
            left_out.append(layer)
            continue
        if not known and not passes:
            findings.add(_refused(layer))
        kept.append(layer if known or passes else replace(layer, broken=True))
        if layer.type not in COSTS:
            needed.update(layer.bottoms)
    for layer in reversed(left_out):
        text = f"Caffe has no layer type `{layer.type[:_LONGEST]}`: it is left out, and no other layer needs it"
        remarks.lost("unknown layer", text, layer.message.place_of("type"), layer.name)
    return tuple(reversed(kept))


def _refused(layer: Wired) -> Diagnostic:
    if not layer.type:
        help = 'say what it is: `type: "Convolution"`'
        return Diagnostic("NS803", f"the layer `{layer.name}` has no `type`", layer.place, help=help)
    message = f"Caffe has no layer type `{layer.type[:_LONGEST]}`"
    help = said(meant(layer.type, TYPES)) or _way_out(layer)
    return Diagnostic("NS806", message, layer.message.place_of("type"), help=help)


def _passes(layer: Wired) -> bool:
    return len(layer.message.all("bottom")) == len(layer.tops) == 1


def _way_out(layer: Wired) -> str:
    if _passes(layer):
        return "replace it by layers that BVLC's Caffe has; `--lenient` leaves it out"
    return "replace it by layers that BVLC's Caffe has; `--lenient` leaves it out where no other layer needs it"
