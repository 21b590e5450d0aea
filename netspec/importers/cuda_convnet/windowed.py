"""cuda-convnet's conv and local layers. It draws no weights.

Source: reference/cuda-convnet.md 1.1, 1.2, 3.
"""

from __future__ import annotations

from dataclasses import dataclass

from netspec.diagnostics.grammar import count as amount
from netspec.importers.cuda_convnet.layer import FileLayer, Output
from netspec.importers.cuda_convnet.sharing import connections, shared_weights
from netspec.importers.cuda_convnet.weights import Keys, bias_keys, joined, weight_keys
from netspec.importers.draft import Value
from netspec.ir.shape import Maps


@dataclass(frozen=True)
class _Options:
    """What the options say of one input; ``filter_channels`` is 0 where they do not."""

    channels: int
    filters: int
    size: int
    stride: int
    padding: int
    groups: int
    sparse: bool
    filter_channels: int


@dataclass(frozen=True)
class _Windows:
    """How the windows lie over one input; ``after`` is the padding on the right and below."""

    source: str
    filters: int
    count: int
    after: int
    connections: tuple[int, ...]


def conv(layer: FileLayer) -> Output:
    """Weights are shared by all positions, and biases too unless `sharedBiases=0`."""
    shared = layer.options.boolean("sharedBiases", True)
    return _windowed(layer, "conv", {} if shared else {"shared_biases": layer.options.at("sharedBiases", False)})


def local(layer: FileLayer) -> Output:
    """Every position has its own weights and biases."""
    return _windowed(layer, "local", {})


def _windowed(layer: FileLayer, type: str, keys: Keys) -> Output:
    own, inputs = _read(layer), range(len(layer.inputs))
    spreads, shared = layer.options.numbers("initW", len(inputs)), shared_weights(layer)
    modules, start = _modules(layer), bias_keys(layer)
    windows = [_windows(layer, number, own[number], modules) for number in inputs]
    _check_agreement(layer, windows)
    rows = [_keys(layer, o, w) for o, w in zip(own, windows, strict=True)]
    weights = [_connected(layer, windows[number]) | weight_keys(layer, number, spreads, shared) for number in inputs]
    keys |= {"filters": layer.options.at("filters", windows[0].filters)}
    keys |= _short(joined(rows, weights), own[0], windows[0])
    if any(one.stride > 1 for one in own):
        keys["round"] = "ceil"
    keys |= start
    sources: list[Value] = [one.source for one in windows]
    shape = Maps(windows[0].filters, windows[0].count, windows[0].count)
    return layer.add(type, shape, inputs=sources if len(sources) > 1 else sources[0], **keys)


def _modules(layer: FileLayer) -> int:
    """How many windows there are along a side where the file says so, else 0; before 2014 it cannot."""
    return 0 if layer.net.dialect == "2012" else layer.options.integer("modulesX", 0, least=0)


def _read(layer: FileLayer) -> tuple[_Options, ...]:
    options, count = layer.options, len(layer.inputs)
    sparse = options.booleans("randSparse", count)
    filter_channels = options.integers("filterChannels", count, 0, least=0)
    if layer.net.dialect == "2014" and any(sparse):
        layer.dropped("connections", "the source of 2014 ignores `randSparse`, and so is it here", "randSparse")
        sparse = (False,) * count
    columns = (
        options.integers("channels", count, least=1),
        options.integers("filters", count, least=1),
        options.integers("filterSize", count, least=1),
        options.integers("stride", count, 1, least=1),
        options.integers("padding", count, 0, least=0),
        options.integers("groups", count, 1, least=1),
        sparse,
        filter_channels,
    )
    return tuple(_Options(*row) for row in zip(*columns, strict=True))


def _windows(layer: FileLayer, number: int, own: _Options, modules: int) -> _Windows:
    source, maps = layer.image(number, own.channels)
    if own.channels % own.groups:
        layer.refuse(f"{own.groups:,} groups do not divide {own.channels:,} channels", "groups", "a divisor")
    picked = connections(layer, number, maps, own.groups, own.filter_channels) if own.sparse else []
    _note_filter_channels(layer, own)
    count, after = _positions(layer, number, maps.height, own, modules)
    if own.groups > 1:
        text = f"`filters` counts those of one of the {own.groups} groups: there are {own.filters * own.groups} in all"
        layer.meaning("groups", text, "filters")
    return _Windows(source, own.filters * own.groups, count, after, tuple(picked))


def _note_filter_channels(layer: FileLayer, own: _Options) -> None:
    read = own.channels // own.groups
    if not own.sparse and own.filter_channels not in (0, read):
        text = f"`filterChannels` is for `randSparse` layers: each group reads its {amount(read, 'channel')}"
        layer.dropped("connections", text, "filterChannels")


def _positions(layer: FileLayer, number: int, image: int, own: _Options, modules: int) -> tuple[int, int]:
    """How many windows there are along a side, and the padding behind the image."""
    room = image + 2 * own.padding - own.size
    if room < 0:
        name, pixels = layer.inputs[number].layer, image + 2 * own.padding
        message = f"a filter of {own.size:,} pixels is larger than `{name}`, {pixels:,} pixels with padding"
        layer.refuse(message, "filterSize", "a smaller `filterSize`, or more `padding`")
    count = 1 + -(-room // own.stride)
    if modules in (0, count):
        if room % own.stride:
            zeros = amount(own.stride - room % own.stride, "row")
            text = f"sizes round up: 1 + ceil({room} / {own.stride}) = {count}; the last windows read {zeros} of zeros"
            layer.meaning("rounding", f"{text} beyond the edge", "stride")
        return count, own.padding
    after = (modules - 1) * own.stride + own.size - own.padding - image
    if after < 0:
        layer.refuse(f"{modules:,} windows leave {-after:,} pixels out", "modulesX", f"`modulesX={count}`, or 0")
    return modules, after


def _check_agreement(layer: FileLayer, windows: list[_Windows]) -> None:
    first = windows[0]
    for number, one in enumerate(windows):
        names = f"`{layer.inputs[number].layer}`", f"`{layer.inputs[0].layer}`"
        if one.filters != first.filters:
            message = f"{one.filters:,} filters over {names[0]}, {first.filters:,} over {names[1]}"
            layer.refuse(message, "filters", "as many in all for each input: `filters` times `groups`")
        if one.count != first.count:
            message = f"{one.count} windows along a side of {names[0]}, {first.count} along one of {names[1]}"
            layer.refuse(message, "stride", "strides or paddings that agree")


def _keys(layer: FileLayer, own: _Options, windows: _Windows) -> Keys:
    """One input's keys as the language has them, with those that are its defaults."""
    sides = [own.padding, own.padding, windows.after, windows.after]
    pad: int | list[int] = own.padding if windows.after == own.padding else sides
    return {
        "size": layer.options.at("filterSize", own.size),
        "stride": layer.options.at("stride", own.stride),
        "pad": layer.options.at("padding" if windows.after == own.padding else "modulesX", pad),
        "groups": layer.options.at("groups", own.groups),
    }


def _connected(layer: FileLayer, windows: _Windows) -> Keys:
    return {"connections": layer.options.at("randSparse", windows.connections)} if windows.connections else {}


def _short(keys: Keys, first: _Options, windows: _Windows) -> Keys:
    """The keys without those of the layer that are the language's defaults."""
    plain = {"stride": first.stride == 1, "pad": first.padding == windows.after == 0, "groups": first.groups == 1}
    return {name: value for name, value in keys.items() if not plain.get(name)}
