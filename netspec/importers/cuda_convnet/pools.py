"""cuda-convnet's pooling: pool over windows of a map, cmpool over windows of channels, nailbed.

Source: reference/cuda-convnet.md 1.1, 1.2.
"""

from __future__ import annotations

from netspec.importers.cuda_convnet.layer import FileLayer, Output
from netspec.importers.cuda_convnet.weights import Keys
from netspec.ir.shape import Maps

_KINDS = ("max", "avg", "maxabs", "rand")


def pool(layer: FileLayer) -> Output:
    """Windows are clipped to the image; there are so many that they reach its end, or `outputsX`."""
    options = layer.options
    kind = _kind(layer)
    size, stride = options.integer("sizeX", least=1), options.integer("stride", least=1)
    start, wanted = options.integer("start", 0), options.integer("outputsX", 0, least=0)
    source, shape = layer.image()
    image = shape.height
    if size > image:
        layer.refuse(f"a window of {size:,} pixels is larger than the {image} of the image", "sizeX", "a smaller one")
    if stride > size:
        options.refuse("NS802", "stride", f"`stride` is {stride:,}, more than `sizeX`", f"at most {size}")
    keys: Keys = {"pool": options.at("pool", kind), "size": options.at("sizeX", size)}
    keys["stride"] = options.at("stride", stride)
    if start:
        keys["start"] = options.at("start", start)
    room = image - start - size
    fitting = 1 - (-room // stride)
    if fitting < 1:
        layer.refuse(f"no window fits behind the {start:,} pixels that are skipped", "start", "a smaller `start`")
    _note_edge(layer, room, stride, fitting, kind)
    _note_ties(layer, kind)
    return _counted(layer, source, shape, keys, fitting, wanted or fitting, start + size - image)


def cmpool(layer: FileLayer) -> Output:
    """The largest of each window of channels."""
    options = layer.options
    size, stride = options.integer("size", least=1), options.integer("stride", least=1)
    start, outputs = options.integer("start", 0), options.integer("outputs", least=1)
    options.choice("pool", ("max",), "max")
    source, shape = layer.image()
    keys: Keys = {"size": options.at("size", size), "stride": options.at("stride", stride)}
    if start:
        keys["start"] = options.at("start", start)
    keys["outputs"] = options.at("outputs", outputs)
    return layer.add("cmpool", shape.with_channels(outputs), inputs=source, **keys)


def nailbed(layer: FileLayer) -> Output:
    """Every n-th pixel."""
    stride = layer.options.integer("stride", least=2)
    source, shape = layer.image()
    side = -(-shape.height // stride)
    at = (shape.height - stride * (side - 1)) // 2
    layer.meaning("nailbed", f"the first pixel that is kept is number {at}: the grid is centred", "stride")
    keys: Keys = {"stride": layer.options.at("stride", stride)}
    return layer.add("nailbed", Maps(shape.channels, side, side), inputs=source, **keys)


def _kind(layer: FileLayer) -> str:
    kind = layer.options.choice("pool", _KINDS)
    if kind == "avg" and layer.net.dialect != "2012" and layer.options.boolean("sum", False):
        return "sum"
    if kind != "rand":
        return kind
    if layer.params.boolean("doMax", False):
        text = "`doMax` makes the random pooling a pooling of maxima, also while training"
        layer.net.remarks.meaning("pool", text, layer.params.place("doMax"), layer.section.name)
    else:
        text = "random pooling is random at test too, and its source is lost; `doMax=true` makes it `max`"
        layer.lost("pool", text, "pool")
    return "max"


def _note_edge(layer: FileLayer, room: int, stride: int, count: int, kind: str) -> None:
    if room % stride:
        divided = ", and averages divide by the pixels inside" if kind == "avg" else ""
        text = f"sizes round up: 1 + ceil({room} / {stride}) = {count}; the last windows are cut at the edge{divided}"
        layer.meaning("rounding", text, "stride")


def _note_ties(layer: FileLayer, kind: str) -> None:
    if kind == "max" and "ties" not in layer.net.told:
        layer.net.told.add("ties")
        text = (
            "where pixels of a window are equal, cuda-convnet gives the gradient to each of them, netspec to the first"
        )
        layer.dropped("ties", text, "pool")


def _counted(layer: FileLayer, source: str, shape: Maps, keys: Keys, fitting: int, wanted: int, reach: int) -> Output:
    """The pool with as many windows as `outputsX` says; ``reach``: how far the first goes beyond the image's end."""
    options = layer.options
    maps = Maps(shape.channels, wanted, wanted)
    if wanted < fitting:
        text = f"the last of {fitting} windows are left out, as `outputsX` says"
        layer.meaning("outputsX", text, "outputsX")
        whole = layer.part("windows", "pool", inputs=source, **keys)
        return layer.add("crop", maps, inputs=whole, size=options.at("outputsX", wanted))
    size, stride = options.integer("sizeX", least=1), options.integer("stride", least=1)
    after = reach + (wanted - 1) * stride
    if wanted > fitting and after < size:
        keys["pad"] = options.at("outputsX", [0, 0, after, after])
    start = options.integer("start", 0)
    if -start >= size or (wanted > fitting and after >= size) or start >= shape.height:
        layer.lost(
            "pool",
            "some windows hold no pixel: what they give is no number",
            "outputsX" if wanted > fitting else "start",
        )
    return layer.add("pool", maps, inputs=source, **keys)
