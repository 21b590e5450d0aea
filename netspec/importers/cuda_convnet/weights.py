"""How the weights and biases of cuda-convnet's layers start, whatever the layer. It knows no shapes.

Source: reference/cuda-convnet.md 2 (initialisation).
"""

from __future__ import annotations

from collections.abc import Sequence

from netspec.importers.cuda_convnet.layer import FileLayer
from netspec.importers.draft import Value

_TUNING = ("partialSum", "sumWidth")
_FUNCTIONS = {
    "initWFunc": ("weights", "here they are drawn as `initW` says"),
    "initBFunc": ("biases", "here they start at `initB`"),
    "initCFunc": ("connections", "here they are drawn"),
}

Keys = dict[str, Value]


def weight_keys(layer: FileLayer, number: int, spreads: Sequence[float], shared: Sequence[str]) -> Keys:
    """`init_w` of one input's weights, or `share_weights`. A negative spread is the same distribution."""
    if shared[number]:
        return {"share_weights": layer.options.at("weightSource", shared[number])}
    return {"init_w": layer.options.at("initW", abs(spreads[number]))}


def joined(rows: Sequence[Keys], weights: Sequence[Keys]) -> Keys:
    """The keys of a layer from those of each of its inputs: in `per_input` stands what differs from the first's."""
    if len(rows) == 1:
        return rows[0] | weights[0]
    keys = dict(rows[0])
    entries = [{name: value for name, value in row.items() if value != keys[name]} for row in rows]
    start = weights[0].get("init_w")
    if start is not None and all(own.get("init_w") == start for own in weights):
        keys["init_w"] = start
        weights = [{name: value for name, value in own.items() if name != "init_w"} for own in weights]
    entries = [entry | own for entry, own in zip(entries, weights, strict=True)]
    return keys | ({"per_input": entries} if any(entries) else {})


def bias_keys(layer: FileLayer) -> Keys:
    """`init_b` where biases do not start at 0; notes what else is said of the start, and of the speed."""
    for option, (what, here) in _FUNCTIONS.items():
        if layer.options.text(option, ""):
            layer.dropped("start", f"a Python function of the original's makes the first {what}; {here}", option)
    for option in _TUNING:
        layer.options.used[option.lower()] = option
        if layer.options.has(option) and option not in layer.net.told:
            layer.net.told.add(option)
            layer.dropped("tuning", f"`{option}`, here and below, tunes a GPU kernel and changes no result", option)
    start = layer.options.number("initB", 0.0)
    return {"init_b": layer.options.at("initB", start)} if start else {}
