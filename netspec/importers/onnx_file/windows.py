"""ONNX's windows in the language's words: symmetric padding and rounding where they say the same. It makes no layer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from netspec.importers.draft import Value
from netspec.importers.onnx_file.sliding import Four, Pairs, Sliding, Unclear
from netspec.layers.window import Rounding, Window

_OTHER: Final[dict[Rounding, Rounding]] = {"floor": "ceil", "ceil": "floor"}


def window_keys(windows: Sliding, image: Pairs, usual: Rounding, *, clipped: bool = False) -> dict[str, Value]:
    """`size`, `stride`, `pad`, `dilation` and `round` of a layer whose windows are the same ones over ``image``.

    ``usual`` is the layer's own rounding, which is not written. Pads after the image that no window reads are the
    language's to choose. ``clipped``: a window that starts past the image is dropped, as pooling does. Raises Unclear.
    """
    if not all(windows.counts(image)):
        raise Unclear("its windows do not fit what it reads")
    for pads, rounding in _spellings(windows, usual):
        if _counts(windows, pads, rounding, image, clipped) == windows.counts(image):
            written = {} if rounding == usual else {"round": rounding}
            return {**plain_keys(windows, pads), **written}
    raise Unclear("its windows start past the image, where the language has none")


def plain_keys(windows: Sliding, pads: Four) -> dict[str, Value]:
    """The keys of a window that differ from the language's defaults, but for `round`."""
    keys: dict[str, Value] = {"size": _short(windows.size)}
    if windows.stride != (1, 1):
        keys["stride"] = _short(windows.stride)
    if any(pads):
        keys["pad"] = _short(pads)
    if windows.dilation != (1, 1):
        keys["dilation"] = _short(windows.dilation)
    return keys


def _short(values: tuple[int, ...]) -> Value:
    return values[0] if len(set(values)) == 1 else list(values)


def _spellings(windows: Sliding, usual: Rounding) -> Iterator[tuple[Four, Rounding]]:
    """What to try, the plainest first."""
    top, left, _, _ = windows.pads
    even = (top, left, top, left)
    yield even, usual
    yield even, _OTHER[usual]
    yield windows.pads, usual
    yield windows.pads, _OTHER[usual]


def _counts(windows: Sliding, pads: Four, rounding: Rounding, image: Pairs, clipped: bool) -> Pairs:
    window = Window(windows.size, windows.stride, pads, windows.dilation, rounding)
    rows, columns = (
        window.slide(axis, image[axis], clipped).count if window.fits(axis, image[axis]) else 0 for axis in (0, 1)
    )
    return rows, columns
