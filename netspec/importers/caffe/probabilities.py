"""The softmax that is part of Caffe's SoftmaxWithLoss, as the last layer of the net. It knows no other cost."""

from __future__ import annotations

from collections.abc import Mapping

from netspec.importers.caffe.ends import Ends
from netspec.importers.caffe.reading import Held, NetInMaking
from netspec.importers.caffe.wiring import Activation, Wired

_CALLED = "prob"  # as Caffe's deploy files call it


def end_softmax(ends: Ends, outputs: list[Held], blobs: Mapping[Activation, Held], net: NetInMaking) -> list[Held]:
    """The outputs with a `softmax` in place of the scores that a main cost reads, each.

    They stay as they are where that cost is another, where a Softmax layer stands on the scores already, and where
    they are maps of several pixels: `softmax` is over one list of classes.
    """
    for cost in ends.costs:
        if cost.type == "SoftmaxWithLoss":
            outputs = _with_softmax(cost, outputs, blobs, net)
    return outputs


def _with_softmax(cost: Wired, outputs: list[Held], blobs: Mapping[Activation, Held], net: NetInMaking) -> list[Held]:
    scores = next((blobs[bottom] for bottom in cost.bottoms[:1] if bottom in blobs), None)
    if scores not in outputs:
        return outputs
    if scores.pixels != 1 or cost.message.child("softmax_param").integer("axis", 1) not in (1, 1 - len(scores.shape)):
        image = "x".join(map(str, scores.image))
        text = f"the net returns what SoftmaxWithLoss reads: its softmax at each pixel of {image} maps is left out"
        net.remarks.meaning("softmax", text, cost.place, cost.name)
        return outputs
    name = _name(cost, net)
    net.draft.add(name, "softmax", cost.place, inputs=scores.layer)
    text = f"the softmax that is part of SoftmaxWithLoss is the layer `{name}`: the net returns probabilities"
    net.remarks.meaning("softmax", text, cost.place, cost.name)
    probabilities = Held(name, (scores.shape[0], scores.units))
    return [probabilities if held == scores else held for held in outputs]


def _name(cost: Wired, net: NetInMaking) -> str:
    """`prob` where no layer of the file is called so, else the cost's name."""
    read = net.draft.keys["input"]
    taken = {*net.draft.layers, str(read["name"])} if isinstance(read, dict) else set(net.draft.layers)
    return net.names.new(cost.name if _CALLED in taken else _CALLED, cost.place)
