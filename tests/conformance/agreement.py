"""When two runs of a net agree: the largest difference over the largest magnitude, NaN and inf in the same places.

Some numbers have no digits to compare: the root of nearly 0, the difference of equals. Where float32 itself strays from
float64, a few numbers of a layer are left out; if it strays in many, two runs may differ a little more than it strays.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tests.conformance.forms import Floats, Values

TOLERANCE = 1e-4
STRAY = 1e-5
MOST_LEFT_OUT = 0.1
MORE_THAN_STRAY = 16
LEAST = 1e-3  # onnxruntime's logistic is right to 5e-8, which is much of one that is 1e-6 everywhere


def first_difference(found: Values, wanted: Values, exact: Values, tolerance: float = TOLERANCE) -> str:
    """The first layer where ``found`` is not ``wanted``, in words; empty where all agree.

    ``exact`` are the same layers in float64; it only says which numbers are too ill-conditioned to compare.
    """
    for name, value in wanted.items():
        if found[name].shape != value.shape:
            return f"`{name}` has the shape {found[name].shape}, not {value.shape}"
        usable = _conditioned(value, exact[name])
        if usable.mean() < 1 - MOST_LEFT_OUT:
            usable = np.isfinite(value) == np.isfinite(exact[name])
        stray = largest_difference(value[usable], exact[name][usable])
        error = largest_difference(found[name][usable], value[usable])
        if not error <= max(tolerance, MORE_THAN_STRAY * stray):
            return f"`{name}` differs by {error:.1e} of {_largest(value):.2e}"
    return ""


def largest_difference(found: Floats, wanted: Floats) -> float:
    """Over the largest magnitude, or LEAST; inf where one is NaN or infinite and the other is something else."""
    special = ~np.isfinite(wanted)
    if not np.array_equal(found[special], wanted[special], equal_nan=True) or not np.isfinite(found[~special]).all():
        return float("inf")
    apart = np.abs(found[~special].astype(np.float64) - wanted[~special]).max(initial=0.0)
    return float(apart) / max(_largest(wanted), LEAST)


def _conditioned(value: Floats, exact: Floats) -> Floats:
    same_kind = np.isfinite(value) == np.isfinite(exact)
    with np.errstate(invalid="ignore"):
        near = np.abs(value - exact) <= STRAY * max(_largest(exact), 1e-30)
    usable: Floats = same_kind & (near | ~np.isfinite(value))
    return usable


def _largest(value: Floats) -> float:
    return float(np.abs(value[np.isfinite(value)]).max(initial=0.0))


def exact_difference(found: Mapping[str, Floats], wanted: Mapping[str, Floats]) -> str:
    """The first array of another type, shape or byte; empty where there is none."""
    if list(found) != list(wanted):
        return f"the names are {list(found)}, not {list(wanted)}"
    for name, value in wanted.items():
        same = found[name].dtype == value.dtype and found[name].shape == value.shape
        if not same or found[name].tobytes() != value.tobytes():
            return f"`{name}` differs"
    return ""
