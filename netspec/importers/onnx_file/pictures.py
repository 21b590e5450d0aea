"""Guesses at layers that move or pool pixels in more than one operator: pool, blur, resize, cmpool, colours.

A guess reads the numbers off the graph; whether it is right is for `candidate.fit` to say.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import log, sqrt

from netspec.importers.draft import Value
from netspec.importers.onnx_file.axes import pad_sides
from netspec.importers.onnx_file.candidate import Candidate
from netspec.importers.onnx_file.graph import Node
from netspec.importers.onnx_file.sliding import Sliding, Unclear, sliding
from netspec.importers.onnx_file.values import Values
from netspec.importers.onnx_file.windows import plain_keys, window_keys

_DIGITS = range(1, 13)


def guess_sum(values: Values, node: Node) -> Iterator[Candidate]:
    """An average times the size of its window."""
    for name in node.inputs:
        if (mean := values.graph.producer(name, "AveragePool")) is not None:
            yield from _pools(values, mean, "sum")


def guess_maxabs(values: Values, node: Node) -> Iterator[Candidate]:
    """The larger of the maximum of x and of -x, with its sign."""
    if (high := values.graph.producer(node.input(2), "MaxPool")) is not None:
        yield from _pools(values, high, "maxabs")


def guess_max(values: Values, node: Node) -> Iterator[Candidate]:
    """A maximum that skips the first pixels."""
    for candidate in _pools(values, node, "max"):
        if "start" in candidate.keys:
            yield candidate


def guess_mean(values: Values, node: Node) -> Iterator[Candidate]:
    """An average that skips the first pixels, or that counts zeros laid around the image before."""
    included = bool(node.integer("count_include_pad", 0))
    for candidate in _pools(values, node, "avg"):
        if "start" in candidate.keys:
            yield Candidate("pool", {**candidate.keys, **({"count": "window"} if included else {})}, candidate.reads)
    pad = values.graph.producer(node.input(0), "Pad")
    if pad is None or included:
        return
    try:
        sides, image = pad_sides(values, pad), values.maps(pad)[1:]
        windows = sliding(node, (), image)
    except Unclear:
        return
    whole = Sliding(windows.size, windows.stride, sides, (1, 1))
    for rounding in ("floor", "ceil"):
        keys = {**plain_keys(whole, sides), "pool": "avg", "count": "padded", "round": rounding}
        yield Candidate("pool", keys, (pad.input(0),))


def guess_whole(values: Values, node: Node) -> Iterator[Candidate]:
    """Pooling over the whole map from some pixel on, in a file of ours."""
    cut = values.graph.producer(node.input(0), "Slice")
    starts = values.integers(cut.input(1)) if cut else None
    if cut is not None and starts and values.graph.ours:
        kind = "max" if node.op == "GlobalMaxPool" else "avg"
        yield Candidate("pool", {"pool": kind, "size": "global", "start": starts[0]}, (cut.input(0),))


def _pools(values: Values, node: Node, kind: str) -> Iterator[Candidate]:
    """With the plainest keys for the windows, and with those that say all pads as they are."""
    try:
        _, height, width = values.maps(node)
        windows = sliding(node, (), (height, width))
        spellings = [pool_keys(values, node), {**plain_keys(windows, windows.pads), "round": "floor"}]
    except Unclear:
        return
    cut = values.graph.producer(node.input(0), "Slice")
    starts = values.integers(cut.input(1)) if cut else None
    for spelling in spellings:
        keys: dict[str, Value] = {"pool": kind, **spelling}
        if cut is not None and starts and starts[0] > 0 and values.graph.ours:
            yield Candidate("pool", {**keys, "start": starts[0]}, (cut.input(0),))
        yield Candidate("pool", keys, (node.input(0),))


def pool_keys(values: Values, node: Node) -> dict[str, Value]:
    """The window of a MaxPool or AveragePool. Raises Unclear."""
    _, height, width = values.maps(node)
    windows = sliding(node, (), (height, width))
    if windows.dilation != (1, 1):
        raise Unclear("its windows are dilated")
    return window_keys(windows, (height, width), "ceil", clipped=True)


def guess_blur(values: Values, node: Node) -> Iterator[Candidate]:
    """A row of Gaussian taps, then a column of them."""
    row = values.graph.producer(node.input(0), "Conv")
    taps = values.constant(row.input(1)) if row else None
    if row is None or taps is None or taps.ndim != 4 or taps.shape[1:3] != (1, 1) or not taps.size:
        return
    line = [float(tap) for tap in taps[0, 0, 0]]
    middle = len(line) // 2
    for stdev in _decimals(_stdev(line, middle)):
        yield Candidate("blur", {"size": len(line), "stdev": stdev}, (row.input(0),))


def _stdev(taps: list[float], middle: int) -> float:
    """From the outermost tap that has all its digits, or any: exp(-d^2 / 2 s^2) = tap / middle tap."""
    for least in (1e-30, 0.0):
        for distance in range(middle, 0, -1):
            if least < taps[middle - distance] < taps[middle]:
                return distance / sqrt(2 * log(taps[middle] / taps[middle - distance]))
    return 1000.0 if middle and taps[0] == taps[middle] else 0.05


def guess_resize(values: Values, node: Node) -> Iterator[Candidate]:
    """Rows, then columns, between two neighbours each."""
    graph = values.graph
    low = graph.producer(node.input(0), "Gather")
    rows = graph.producer(low.input(0), "Add") if low else None
    first = graph.producer(rows.input(0), "Gather") if rows else None
    if low is None or rows is None or first is None:
        return
    places = _places(values, rows, first), _places(values, node, low)
    image = values.dims.get(first.input(0))
    for place, size in zip(places, (image or (0, 0, 0))[1:], strict=True):
        if place:
            for scale in _decimals(_scale(place, size)):
                yield Candidate("resize", {"scale": scale}, (first.input(0),))


def _places(values: Values, added: Node, low: Node) -> list[float]:
    """Where each output pixel lies in the input."""
    step = values.graph.producer(added.input(1), "Mul")
    whole, part = values.constant(low.input(1)), values.constant(step.input(1)) if step else None
    if whole is None or part is None or whole.size != part.size:
        return []
    return [float(a) + float(b) for a, b in zip(whole.reshape(-1), part.reshape(-1), strict=True)]


def _scale(places: list[float], image: int) -> float:
    """From two places that are not at an edge, or one: place = p scale + (image - places scale) / 2."""
    inner = [(n, place) for n, place in enumerate(places) if 0 < place < image - 1.02]
    if len(inner) > 1:
        return (inner[-1][1] - inner[0][1]) / (inner[-1][0] - inner[0][0])
    middle = len(places) / 2
    off_centre = [(n - middle, place - image / 2) for n, place in inner if n != middle]
    return off_centre[0][1] / off_centre[0][0] if off_centre else image / len(places)


def guess_cross_map(values: Values, node: Node) -> Iterator[Candidate]:
    """A maximum down a plane whose rows are channels."""
    pool = values.graph.producer(node.input(0), "MaxPool")
    plane = values.graph.producer(pool.input(0), "Reshape") if pool else None
    if pool is None or plane is None:
        return
    size, stride = pool.integers("kernel_shape") or (1,), pool.integers("strides") or (1,)
    pads = pool.integers("pads") or (0,)
    windows = (values.dims.get(pool.output) or (0, 0))[1]
    keys: dict[str, Value] = {"size": size[0], "stride": stride[0], "start": -pads[0], "outputs": windows}
    yield Candidate("cmpool", {k: v for k, v in keys.items() if k != "outputs"}, (plane.input(0),))
    yield Candidate("cmpool", keys, (plane.input(0),))


def guess_colours(values: Values, node: Node) -> Iterator[Candidate]:
    """The fixed sums of three channels."""
    weight = values.constant(node.input(1))
    if weight is None or weight.shape != (3, 3, 1, 1):
        return
    yield Candidate("rgb2yuv", {}, (node.input(0),))
    where = values.graph.producer(node.input(0), "Where")
    above = values.graph.producer(where.input(0), "Greater") if where else None
    xyz = values.graph.producer(above.input(0), "Conv") if above else None
    if xyz is not None:
        yield Candidate("rgb2lab", {}, (xyz.input(0),))
        yield Candidate("rgb2lab", {"center": True}, (xyz.input(0),))


def _decimals(value: float) -> Iterator[float]:
    """The value with more and more digits: what somebody wrote has few."""
    seen = set()
    for digits in _DIGITS:
        near = float(f"{value:.{digits}g}")
        if near not in seen:
            seen.add(near)
            yield near
