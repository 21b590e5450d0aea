"""What windows read, exactly: two spellings that slide over the same pixels are one. It compares nothing."""

from __future__ import annotations

from collections.abc import Callable

from netspec.difference.fact import Fact, Value, shown
from netspec.difference.written import Written
from netspec.ir.layer import maps
from netspec.ir.shape import Maps, Shape
from netspec.layers.channels import CrossMapPool
from netspec.layers.pool import Pool
from netspec.layers.window import Slide, Window, show, sides
from netspec.layers.windowed import WindowedLayer
from netspec.syntax.spans import Path

KeyPath = Callable[[str], Path]
Span = tuple[int, int]


def conv_windows(layer: WindowedLayer, number: int, shape: Shape) -> Value:
    """For height and width: where the first kernel starts, how far the next, how many, its size and dilation."""
    window, image = layer.window(number), maps(shape, layer, number)
    slides = window.slides(image, layer)
    return tuple(
        (
            -window.pad[axis],
            window.stride[axis] if slides[axis].count > 1 else 0,
            slides[axis].count,
            window.size[axis],
            window.dilation[axis] if window.size[axis] > 1 else 1,
        )
        for axis in (0, 1)
    )


def conv_facts(layer: WindowedLayer, number: int, written: Written) -> list[Fact]:
    """Size, stride, padding and dilation of one input's kernels."""
    window, image = layer.window(number), maps(written.node.input_shapes[number], layer, number)
    slides = window.slides(image, layer)

    def path(key: str) -> Path:
        return written.input_path(number, key)

    def fact(key: str, value: tuple[int, ...]) -> Fact:
        return Fact(written.named(key, number), value, show(value), path(key), windowed=True)

    return [
        fact("size", window.size),
        fact("stride", window.stride),
        _pad_fact(written.named("pad", number), window, _reached(window, slides, image), path),
        fact("dilation", window.dilation),
    ]


def _reached(window: Window, slides: tuple[Slide, Slide], image: Maps, skip: int = 0) -> tuple[int, ...]:
    """(top, left, bottom, right): how far windows read over each edge; a start inside the image is below 0."""
    after = []
    for axis, side in enumerate((image.height - skip, image.width - skip)):
        reach = window.dilation[axis] * (window.size[axis] - 1) + 1
        last = (slides[axis].count - 1) * window.stride[axis] - window.pad[axis]
        after.append(max(0, last + reach - side))
    return (window.pad[0] - skip, window.pad[1] - skip, *after)


def _pad_fact(what: str, window: Window, reached: tuple[int, ...], path: KeyPath, start: int = 0) -> Fact:
    """The padding that is read. What `round: ceil` adds to the written one is said."""
    hangs = any(r > p for r, p in zip(reached[2:], window.pad[2:], strict=True))
    text = show(window.pad) if not hangs else f"{sides(reached)} by ceil"
    text = f"{text}, start {start}" if start > 0 else text
    key = "round" if hangs else "pad"
    return Fact(what, reached, text, path(key), written=(window.pad, window.round, start), windowed=True)


def pool_windows(layer: Pool, shape: Shape) -> Value:
    """For height and width: the pixels of each window, and for a mean what it divides by."""
    image = maps(shape, layer)
    reads = tuple(tuple(_clipped(layer, image, axis)) for axis in (0, 1))
    return (reads, _divisors(layer, image, layer.count)) if layer.pool == "avg" else reads


def _starts(layer: Pool, image: Maps, axis: int) -> list[int]:
    """Where the windows start, in pixels of the image."""
    seen = layer.seen(image)
    window = layer.window(seen)
    count = window.slides(seen, layer, inside=True)[axis].count
    return [max(0, layer.start) - window.pad[axis] + n * window.stride[axis] for n in range(count)]


def _clipped(layer: Pool, image: Maps, axis: int) -> list[Span]:
    """The pixels of each window that lie in the image."""
    size, first, last = layer.window(layer.seen(image)).size[axis], max(0, layer.start), image.dims[1 + axis]
    return [(max(first, start), min(last, start + size)) for start in _starts(layer, image, axis)]


def _divisors(layer: Pool, image: Maps, count: str) -> Value:
    """How many pixels a mean counts, for each window along the height and along the width."""
    window = layer.window(layer.seen(image))
    found = []
    for axis in (0, 1):
        first, last = max(0, layer.start), image.dims[1 + axis]
        if count == "padded":
            first, last = first - window.pad[axis], last + window.pad[axis + 2]
        whole, size = count == "window" or layer.size == "global", window.size[axis]
        starts = _starts(layer, image, axis)
        found.append(tuple(size if whole else min(last, s + size) - max(first, s) for s in starts))
    return tuple(found)


def pool_facts(layer: Pool, written: Written) -> list[Fact]:
    """The kind, and size, stride, padding and divisor of the windows; of a global one its size and start."""
    path, image = written.path, maps(written.node.input_shapes[0], layer)
    size: Value = "global" if _is_whole(layer, image) else layer.size
    facts = [
        Fact("pool", layer.pool, layer.pool, path("pool")),
        Fact("size", size, _size_text(layer), path("size"), written=layer.size, windowed=True),
    ]
    if layer.size == "global":
        skipped = max(0, layer.start)
        return [*facts, Fact("start", skipped, shown(layer.start), path("start"), windowed=True)]
    return [*facts, *_step_facts(layer, image, path)]


def _is_whole(layer: Pool, image: Maps) -> bool:
    """Whether there is one window, all of the map, and a mean divides by its pixels."""
    dims = image.dims[1:]
    reads = all(_clipped(layer, image, axis) == [(0, side)] for axis, side in enumerate(dims))
    return reads and (layer.pool != "avg" or _divisors(layer, image, layer.count) == tuple((side,) for side in dims))


def _step_facts(layer: Pool, image: Maps, path: KeyPath) -> list[Fact]:
    """Stride, padding and divisor."""
    seen = layer.seen(image)
    window = layer.window(seen)
    slides = window.slides(seen, layer, inside=True)
    pads = _reached(window, slides, image, max(0, layer.start))
    facts = [
        Fact("stride", window.stride, show(window.stride), path("stride"), windowed=True),
        _pad_fact("pad", window, pads, lambda key: path("start" if key == "pad" and layer.start else key), layer.start),
    ]
    return [*facts, _count_fact(layer, image, path)] if layer.pool == "avg" else facts


def _size_text(layer: Pool) -> str:
    return "global" if isinstance(layer.size, str) else show(layer.size)


def _count_fact(layer: Pool, image: Maps, path: KeyPath) -> Fact:
    """What a mean divides by; the first of the words that come to the same here."""
    own = _divisors(layer, image, layer.count)
    value = next(word for word in ("window", "image", "padded") if _divisors(layer, image, word) == own)
    return Fact("count", value, layer.count, path("count"), written=layer.count, windowed=True)


def channel_windows(layer: CrossMapPool, channels: int) -> Value:
    """The channels of each window."""
    starts = [layer.start + n * layer.stride for n in range(layer.windows(channels))]
    return tuple((max(0, start), min(channels, start + layer.size)) for start in starts)


def channel_facts(layer: CrossMapPool, written: Written) -> list[Fact]:
    """Size, stride, start and number of the windows over channels."""
    path, windows = written.path, layer.windows(written.node.input_shapes[0].channels)
    return [
        Fact("size", layer.size, shown(layer.size), path("size"), windowed=True),
        Fact("stride", layer.stride, shown(layer.stride), path("stride"), windowed=True),
        Fact("start", layer.start, shown(layer.start), path("start"), windowed=True),
        Fact("outputs", windows, shown(windows), path("outputs"), written=layer.outputs or 0, windowed=True),
    ]


def trivial(windows: Value, shape: Shape) -> bool:
    """Whether each window of a pooling layer is one pixel, in its place."""
    if not isinstance(windows, tuple) or not isinstance(shape, Maps):
        return False
    pixels = tuple(tuple((n, n + 1) for n in range(side)) for side in (shape.height, shape.width))
    ones = tuple((1,) * side for side in (shape.height, shape.width))
    return windows in (pixels, (pixels, ones))
