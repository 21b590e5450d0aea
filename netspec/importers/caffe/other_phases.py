"""Layers of a net that an import does not take, for the phase, stage or level that they stand in. It takes none."""

from __future__ import annotations

from netspec.importers.caffe.ends import COSTS
from netspec.importers.caffe.message import Message
from netspec.importers.caffe.phases import SOURCES, Chosen, stands, state_of
from netspec.importers.remark import Remarks


def say_others(net: Message, chosen: Chosen, remarks: Remarks) -> None:
    """A remark on each layer that computes something elsewhere; data and costs may differ between phases."""
    train, taken = state_of(net, "TRAIN"), {id(layer) for layer in chosen.layers}
    for layer in net.children("layer"):
        name = layer.text("name", "")
        if id(layer) in taken or layer.word("type", "") in SOURCES | COSTS:
            continue
        if stands(layer, train):
            remarks.dropped("phases", "it stands in phase TRAIN only: it is left out", layer.place, name)
        else:
            text = "its rules ask for a stage or level that the net is not in: it is left out"
            remarks.meaning("phases", text, layer.place, name)
