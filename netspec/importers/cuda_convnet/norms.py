"""cuda-convnet's norms: cmrnorm across channels, rnorm and cnorm within a map.

Source: reference/cuda-convnet.md 1.3, 7 (D0: `sizeX`, `scale` and `pow` in the definition).
"""

from __future__ import annotations

from typing import Literal

from netspec.importers.cuda_convnet.layer import FileLayer, Output
from netspec.importers.cuda_convnet.options import Options
from netspec.importers.cuda_convnet.weights import Keys
from netspec.syntax.scalars import shorten

_Over = Literal["size", "pixels"]


def cmrnorm(layer: FileLayer) -> Output:
    """Across channels: what others call local response normalisation."""
    keys: Keys = {}
    if layer.options.boolean("blocked", False):
        keys["blocked"] = layer.options.at("blocked", True)
    return _norm(layer, "rnorm", keys, k=_divisor(layer, read=not _old(layer)), over="size")


def rnorm(layer: FileLayer) -> Output:
    """Across the pixels of a map."""
    if layer.options.boolean("blocked", False):
        layer.dropped("blocked", "`blocked` has no meaning within a map; cuda-convnet ignores it too", "blocked")
    return _norm(layer, "rnorm", {"across": "space"}, k=_divisor_within(layer), over="pixels")


def cnorm(layer: FileLayer) -> Output:
    """Contrast within a map."""
    return _norm(layer, "cnorm", {}, k=_divisor_within(layer), over="pixels")


def _norm(layer: FileLayer, type: str, keys: Keys, k: float, over: _Over) -> Output:
    options = layer.options
    name = "size" if options.has("size") or not options.has("sizeX") else "sizeX"
    size, constants = options.integer(name, least=1), _constants(layer)
    scale, power = _scale_and_power(constants)
    source, shape = layer.image()
    divisor = f"the size, {size}" if over == "size" else f"the {size}x{size} pixels of the window"
    factor = scale / (size if over == "size" else size * size)
    text = f"`scale` is divided by {divisor}: the squares are multiplied by {factor:g}"
    layer.net.remarks.meaning("alpha", text, constants.place("scale"), layer.section.name)
    keys |= {"size": options.at(name, size)}
    if k != 1:
        keys["k"] = layer.params.at("minDiv", k)
    keys |= {"alpha": constants.at("scale", scale), "alpha_over": "size", "beta": constants.at("pow", power)}
    return layer.add(type, shape, inputs=source, **keys)


def _constants(layer: FileLayer) -> Options:
    """Where `scale` and `pow` stand: in the parameter file, or as in 2011 in the definition."""
    return layer.options if _old(layer) else layer.params


def _scale_and_power(constants: Options) -> tuple[float, float]:
    if constants.has("scale") or constants.has("pow"):
        return constants.number("scale"), constants.number("pow")
    help = constants.missing_help or "`scale=0.0001` and `pow=0.75`"
    constants.find("NS803", "", f"`{shorten(constants.section.name)}` lacks `scale` and `pow`", help)
    return 1.0, 1.0


def _old(layer: FileLayer) -> bool:
    return layer.options.has("scale") and not layer.params.has("scale")


def _divisor(layer: FileLayer, read: bool) -> float:
    """The constant that the sum is added to."""
    written = layer.params.has("minDiv")
    k = layer.params.number("minDiv", 1.0)
    place = layer.params.place("minDiv") if written else layer.section.place
    if written and not read:
        text = f"`minDiv` of {layer.type} is 1 in the source of this file, which does not read the option"
        layer.net.remarks.meaning("k", text, place, layer.section.name)
        return 1.0
    if not written:
        text = f"the constant beside the sum is 1{', the default of `minDiv`' if read else ''}"
        layer.net.remarks.meaning("k", text, place, layer.section.name)
    return k


def _divisor_within(layer: FileLayer) -> float:
    return _divisor(layer, read=layer.net.dialect != "2012")
