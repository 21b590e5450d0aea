"""How far each pixel lies inside a figure or a texture, by sums, products, quotients and square roots only.

Those are rounded the same way on every machine (IEEE 754); sines are not. It chooses no colours and draws no lots.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_SIDES: Final = (  # unit vectors at 0, 72, ... 288 degrees from straight up: the sides of a pentagon face them
    (0.0, 1.0),
    (0.9510565162951535, 0.30901699437494745),
    (0.5877852522924731, -0.8090169943749475),
    (-0.5877852522924731, -0.8090169943749475),
    (-0.9510565162951535, 0.30901699437494745),
)
_HALF_ROOT_3: Final = 0.8660254037844386


@dataclass(frozen=True)
class Place:
    """Pixels as the figure sees them, and the figure's measures, for n pictures at once.

    ``u`` and ``v`` are [n, rows, columns]: the distance in pixels from the figure's middle along its own two axes.
    ``radius`` is how far it reaches, ``period`` the distance of a texture's repeats, in pixels, [n, 1, 1]; ``shift``
    (0 to 1) is by how much of a period a texture is moved, ``width`` (0 to 1) how thick a thin figure is.
    """

    u: Floats
    v: Floats
    radius: Floats
    period: Floats
    shift: Floats
    width: Floats


Figure = Callable[[Place], Floats]  # pixels outside (above 0) or inside (below 0), [n, rows, columns]


def disc(p: Place) -> Floats:
    """A filled circle."""
    return _length(p.u, p.v) - 0.9 * p.radius


def ring(p: Place) -> Floats:
    """A thin circle."""
    half = p.radius * (0.1 + 0.06 * p.width)
    return np.abs(_length(p.u, p.v) - (p.radius - half)) - half


def square(p: Place) -> Floats:
    """Four equal sides."""
    return np.maximum(np.abs(p.u), np.abs(p.v)) - 0.78 * p.radius


def triangle(p: Place) -> Floats:
    """Equilateral, its corners at ``radius``."""
    return np.maximum(_HALF_ROOT_3 * np.abs(p.u) - 0.5 * p.v, p.v) - 0.5 * p.radius


def cross(p: Place) -> Floats:
    """Two bars of equal length, thin enough to leave corners."""
    u, v = np.abs(p.u), np.abs(p.v)
    half = p.radius * (0.2 + 0.1 * p.width)
    return np.minimum(np.maximum(u - p.radius, v - half), np.maximum(u - half, v - p.radius))


def star(p: Place) -> Floats:
    """A pentagram: every point of it lies beyond one side at most of the pentagon in its middle."""
    sides = np.stack([a * p.u + b * p.v for a, b in _SIDES])
    second: Floats = np.sort(sides, axis=0)[-2]
    return second - 0.36 * p.radius


def stripes(p: Place) -> Floats:
    """Parallel bands."""
    return _bands(p.u, p.period, p.shift)


def checkers(p: Place) -> Floats:
    """A chessboard."""
    u, v = _bands(p.u, 1.4 * p.period, p.shift), _bands(p.v, 1.4 * p.period, p.shift)
    return np.where((u < 0) == (v < 0), 1.0, -1.0) * np.minimum(np.abs(u), np.abs(v))


def dots(p: Place) -> Floats:
    """Small discs on a square lattice."""
    u, v = _within(p.u, p.period, p.shift), _within(p.v, p.period, p.shift)
    return _length(u, v) - p.period * (0.2 + 0.06 * p.width)


def ripples(p: Place) -> Floats:
    """Bands around a point."""
    return _bands(_length(p.u, p.v), p.period, p.shift)


FIGURES: Final[dict[str, Figure]] = {
    "disc": disc,
    "ring": ring,
    "square": square,
    "triangle": triangle,
    "cross": cross,
    "star": star,
    "stripes": stripes,
    "checkers": checkers,
    "dots": dots,
    "ripples": ripples,
}


def _length(u: Floats, v: Floats) -> Floats:
    return np.sqrt(u * u + v * v)


def _within(u: Floats, period: Floats, shift: Floats) -> Floats:
    """The distance from the middle of the repeat that a pixel lies in."""
    turns = u / period + shift
    return (turns - np.floor(turns) - 0.5) * period


def _bands(u: Floats, period: Floats, shift: Floats) -> Floats:
    """Bands as wide as the gaps between them."""
    return np.abs(_within(u, period, shift)) - 0.25 * period
