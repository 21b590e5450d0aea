"""cuda-convnet's dropout in its three forms: hs, dropout and dropout2.

Source: reference/cuda-convnet.md 1.4, 8 (8).
"""

from __future__ import annotations

from netspec.importers.cuda_convnet.layer import FileLayer, Output
from netspec.importers.cuda_convnet.options import Options

_DIGITS = 12  # 1 - 0.8 is 0.2


def hs(layer: FileLayer) -> Output:
    """`keep` in the definition, `enable` in the parameter file."""
    return _times_keep(layer, layer.options, layer.options.number("keep"), _enabled(layer))


def dropout2(layer: FileLayer) -> Output:
    """As hs, with both in the parameter file."""
    return _times_keep(layer, layer.params, layer.params.number("keep", 0.5), _enabled(layer))


def dropout(layer: FileLayer) -> Output:
    """Kept units are divided by `keep` while training; at test nothing is done."""
    keep, enabled = layer.params.number("keep", 0.5), _enabled(layer)
    _check(layer, layer.params, keep)
    shape, source = layer.shape(), layer.inputs[0]
    if not enabled:
        layer.meaning("dropout", "`enable=false`: the layer does nothing, and is left out")
        return source
    layer.meaning("dropout", f"while training, kept units are divided by {keep:g}; at test nothing is done")
    rate = layer.params.at("keep", round(1 - keep, _DIGITS))
    return layer.add("dropout", shape, inputs=source.layer, rate=rate, scale="train")


def _times_keep(layer: FileLayer, options: Options, keep: float, enabled: bool) -> Output:
    _check(layer, options, keep)
    shape, source = layer.shape(), layer.inputs[0].layer
    if enabled:
        layer.meaning("dropout", f"while training, kept units are not scaled; at test all are multiplied by {keep:g}")
        return layer.add("dropout", shape, inputs=source, rate=options.at("keep", round(1 - keep, _DIGITS)))
    text = f"`enable=false` drops nothing, but all units are still multiplied by {keep:g}, also while training"
    layer.meaning("dropout", text)
    if layer.options.has("neuron"):  # a `neuron` layer has room for one
        return layer.add("eltsum", shape, inputs=source, coefficients=options.at("keep", [keep]))
    return layer.add("neuron", shape, inputs=source, neuron=options.at("keep", f"linear[{keep!r}, 0]"))


def _enabled(layer: FileLayer) -> bool:
    """Without a parameter file it is; with one, its section must be there, and say so for hs."""
    if layer.net.params is not None and layer.section.name not in layer.net.params:
        message = f"the parameter file has no section for `{layer.section.name}`, a dropout layer"
        layer.options.find("NS803", "", message, f"`[{layer.section.name}]` with `enable=true`")
    elif layer.type == "hs" and layer.net.params is not None:
        layer.params.text("enable")  # finds that it is missing
    return layer.params.boolean("enable", True)


def _check(layer: FileLayer, options: Options, keep: float) -> None:
    if not 0 < keep <= 1 and not layer.wrong:
        message = f"`keep` is {keep:g}, but is the probability that a unit stays"
        options.find("NS802", "keep", message, "above 0, at most 1")
