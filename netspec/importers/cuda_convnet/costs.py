"""cuda-convnet's costs: which output each judges, and what netspec trains instead. They become no layer.

Source: reference/cuda-convnet.md 1.6.
"""

from __future__ import annotations

from dataclasses import dataclass

from netspec.importers.cuda_convnet.dialect import type_of
from netspec.importers.cuda_convnet.layer import FileLayer


@dataclass(frozen=True)
class Cost:
    """How many inputs it has (labels or a gate first), what it is, and what its section may say.

    ``of_softmax``: whether the layer that it judges has to be a softmax.
    """

    inputs: int
    what: str = ""
    options: tuple[str, ...] = ()
    of_softmax: bool = False


_SAME = ""  # cross-entropy of classes: what `train` does
COSTS = {
    "cost.logreg": Cost(2, _SAME, of_softmax=True),
    "cost.crossent": Cost(2, "the cross-entropy of a distribution over classes", of_softmax=True),
    "cost.crossent2": Cost(2, "the cross-entropy of each output by itself"),
    "cost.bce": Cost(2, "the cross-entropy of each output by itself"),
    "cost.dce": Cost(2, "the cross-entropy of each output by itself"),
    "cost.sum2": Cost(1, "the sum of the squares"),
    "cost.gsum2": Cost(2, "the sum of the squares times a gate"),
    "cost.tica": Cost(1, "topographic ICA", ("channels", "sizeX")),
    "cost.rflickr": Cost(2, "log(1 + the squared difference)"),
    "cost.msm": Cost(2, "a softmax over sets of labels"),
}


def read_cost(layer: FileLayer) -> str | None:
    """The draft's layer that the cost judges; None where it judges none."""
    cost = COSTS[layer.type]
    if len(layer.inputs) != cost.inputs:
        message = f"`{layer.type}` has {cost.inputs} input{'s' * (cost.inputs > 1)}, found {len(layer.inputs)}"
        layer.options.find("NS802", "inputs", message, "the labels, and the layer that is judged")
        return None
    for option in (*cost.options, "children"):
        layer.options.text(option, "")
    kind = _type_judged(layer)
    if kind == "data":
        message = f"`{layer.type}` judges `{layer.options.texts('inputs')[-1]}`, which is data"
        layer.options.find("NS808", "inputs", message, "labels come first, the layer that is judged last")
        return None
    judged = layer.inputs[-1].layer
    what = f", {cost.what}, is no layer here, and not what `train` trains, the cross-entropy of a softmax"
    text = f"the cost{what if cost.what else ' is no layer here'}; `{judged}` is an output of the net"
    layer.dropped("cost", text, "type")
    if cost.of_softmax and kind != "softmax":
        text = f"`{judged}` is no softmax: the original refuses such a file; `train` takes it for what a softmax takes"
        layer.meaning("softmax", text, "inputs")
    return judged


def _type_judged(layer: FileLayer) -> str:
    section = layer.net.definition.get(layer.options.texts("inputs")[-1])
    return type_of(section) if section else ""
