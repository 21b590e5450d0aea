"""cuda-convnet's layers of pictures: blur, href, resize, rscale, crop and colours.

Source: reference/cuda-convnet.md 1.1, 1.2, 8 (29: rscale).
"""

from __future__ import annotations

from math import floor

from netspec.importers.cuda_convnet.layer import FileLayer, Output
from netspec.importers.cuda_convnet.weights import Keys
from netspec.ir.shape import Maps

_TAPS = (3, 5, 7, 9)
_COLOURS = 3


def blur(layer: FileLayer) -> Output:
    """Gaussian, with zeros outside."""
    size, stdev = layer.options.integer("filterSize"), layer.options.number("stdev")
    if size not in _TAPS and not layer.wrong:
        layer.options.find("NS802", "filterSize", f"a blur of {size:,} taps", "3, 5, 7 or 9")
    source, shape = layer.image()
    text = "zeros are outside of the image: the mean colour, once the mean is subtracted"
    layer.meaning("blur", text, "filterSize")
    keys: Keys = {"size": layer.options.at("filterSize", size), "stdev": layer.options.at("stdev", stdev)}
    return layer.add("blur", shape, inputs=source, **keys)


def href(layer: FileLayer) -> Output:
    """Mirrored left to right."""
    source, shape = layer.image()
    return layer.add("flip", shape, inputs=source)


def resize(layer: FileLayer) -> Output:
    """Bilinear, by a factor."""
    scale = _scale(layer, "scale", 0.5, 2)
    source, shape = layer.image()
    return layer.add("resize", _resized(shape, scale), inputs=source, scale=layer.options.at("scale", scale))


def rscale(layer: FileLayer) -> Output:
    """At test: of 2012 the centre, of 2014 the whole picture."""
    scale, side = _scale(layer, "maxScale", 1, 2), layer.options.integer("tgtSize", least=1)
    source, shape = layer.image()
    layer.dropped("rscale", "pictures are scaled at random in training there, and as at test here", "maxScale")
    if side > shape.height:
        layer.refuse(f"`tgtSize` is more than the {shape.height} pixels of the image", "tgtSize", "a smaller one")
    maps = Maps(shape.channels, side, side)
    if layer.net.dialect == "2012":
        start = (shape.height - side) // 2
        layer.meaning("rscale", f"at test it takes the {side} pixels in the middle, as in 2012", "tgtSize")
        return layer.add("crop", maps, inputs=source, start=start, size=layer.options.at("tgtSize", side))
    return _scaled(layer, source, shape, scale, side)


def _scaled(layer: FileLayer, source: str, shape: Maps, scale: float, side: int) -> Output:
    """The middle of the whole picture, made smaller; pixels lie on one grid where the rest can be halved."""
    maps, whole, at = Maps(shape.channels, side, side), floor(shape.height / scale), layer.options.at
    if side > whole:
        message = f"{shape.height} pixels at a scale of {scale:g} are {whole}, fewer than `tgtSize`"
        layer.refuse(message, "tgtSize", f"at most {whole}")
    text = "at test it scales the whole picture, as in 2014"
    if side == whole:
        layer.meaning("rscale", text, "tgtSize")
        return layer.add("resize", maps, inputs=source, scale=at("maxScale", scale))
    layer.meaning("rscale", f"{text}, and takes {side} of {whole} pixels in the middle", "tgtSize")
    if (whole - side) % 2:
        layer.lost("rscale", f"the middle {side} of {whole} pixels begin at half a pixel", "tgtSize")
    small = layer.part("whole", "resize", inputs=source, scale=at("maxScale", scale))
    return layer.add("crop", maps, inputs=small, start=(whole - side) // 2, size=at("tgtSize", side))


def crop(layer: FileLayer) -> Output:
    """A fixed square."""
    left, side = layer.options.integer("startX", least=0), layer.options.integer("sizeX", least=1)
    top = layer.options.integer("startY", left, least=0)
    source, shape = layer.image()
    if max(left, top) + side > shape.height:
        message = f"the crop ends at pixel {max(left, top) + side:,} of {shape.height}"
        layer.refuse(message, "sizeX", "a smaller `sizeX`, or an earlier start")
    keys: Keys = {"start": layer.options.at("startX", [top, left]), "size": layer.options.at("sizeX", side)}
    return layer.add("crop", Maps(shape.channels, side, side), inputs=source, **keys)


def rgb2yuv(layer: FileLayer) -> Output:
    """The three colours as brightness and two colours."""
    source, shape = layer.image(0, _COLOURS)
    return layer.add("rgb2yuv", shape, inputs=source)


def rgb2lab(layer: FileLayer) -> Output:
    """The three colours, from 0 to 1, as CIE L*a*b*."""
    center = layer.options.boolean("center", False)
    source, shape = layer.image(0, _COLOURS)
    layer.meaning("colours", "red, green and blue are taken to be from 0 to 1, as in the original")
    keys: Keys = {"center": layer.options.at("center", True)} if center else {}
    return layer.add("rgb2lab", shape, inputs=source, **keys)


def _scale(layer: FileLayer, name: str, least: float, most: float) -> float:
    scale = layer.options.number(name)
    if not least <= scale <= most:
        layer.options.find("NS802", name, f"`{name}` is {scale:g}", f"a number from {least:g} to {most:g}")
    return scale


def _resized(shape: Maps, scale: float) -> Maps:
    side = floor(shape.height / scale)
    return Maps(shape.channels, side, side)
