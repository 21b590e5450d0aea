"""cuda-convnet's costs: which output each judges, and what netspec trains instead. They become no layer.

Source: reference/cuda-convnet.md 1.6.
"""

from __future__ import annotations

from dataclasses import dataclass

from netspec.importers.cuda_convnet.layer import FileLayer


@dataclass(frozen=True)
class Cost:
    """How many inputs it has (labels or a gate first), what it is, and what its section may say."""

    inputs: int
    what: str = ""
    options: tuple[str, ...] = ()


_SAME = ""  # cross-entropy of classes: what `train` does
COSTS = {
    "cost.logreg": Cost(2, _SAME),
    "cost.crossent": Cost(2, "the cross-entropy of a distribution over classes"),
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
    judged = layer.inputs[-1].layer
    text = f"the cost is no layer here; `{judged}` is an output of the net"
    if cost.what:
        text = f"{text}, and the cost, {cost.what}, is not what `train` trains: the cross-entropy of a softmax"
    layer.dropped("cost", text, "type")
    return judged
