"""Values of claims and measures: how they are compared, rounded as printed, and shown. It measures nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import floor, isclose, log10
from typing import Literal

Plain = bool | int | float | str
Relation = Literal["equals", "at_most", "at_least"]

_RELATIONS = {"equals": "", "at_most": "at most ", "at_least": "at least "}
_SLACK = 1e-9  # of floating-point arithmetic, relative


@dataclass(frozen=True)
class Missing:
    """Stands for a value that the net does not have, and says why."""

    why: str


@dataclass(frozen=True)
class Item:
    """One measured value; ``label`` is the layer's name, or empty for the net's."""

    label: str
    value: Plain | Missing


@dataclass(frozen=True)
class Precision:
    """How exactly a claim is meant: rounded to multiples of ``unit`` or to ``digits``, or within ``tolerance``."""

    unit: float | None = None
    digits: int | None = None
    tolerance: float = 0.0
    relation: Relation = "equals"

    @property
    def as_equality(self) -> Precision:
        return replace(self, relation="equals")

    def step(self, claimed: float) -> float:
        """What one unit in the last printed place is worth; 0 where nothing is rounded."""
        if self.unit is not None:
            return self.unit
        if self.digits is None or claimed == 0:
            return 0.0
        return float(10.0 ** (floor(log10(abs(claimed))) - self.digits + 1))


class Agreement:
    """How a measured value stands to a claimed one, from best to worst."""

    EXACT = 0
    ROUNDED = 1
    NONE = 2


def agree(found: Plain | Missing, claimed: Plain, precision: Precision) -> int:
    """An Agreement. Numbers equal numbers, also 1 and 1.0; true is no number; a shape ``4096`` may be said as 4096."""
    if isinstance(found, Missing):
        return Agreement.NONE
    if isinstance(found, str) and is_number(claimed):
        return Agreement.EXACT if found == str(claimed) else Agreement.NONE
    if not is_number(found) or not is_number(claimed):
        same = isinstance(found, bool) == isinstance(claimed, bool) and found == claimed
        return Agreement.EXACT if same else Agreement.NONE
    return _agree_numbers(float(found), float(claimed), precision)


def _agree_numbers(found: float, claimed: float, precision: Precision) -> int:
    if precision.relation == "at_most" and found <= claimed + precision.tolerance:
        return Agreement.EXACT
    if precision.relation == "at_least" and found >= claimed - precision.tolerance:
        return Agreement.EXACT
    if precision.relation != "equals":
        return Agreement.NONE
    if isclose(found, claimed, rel_tol=_SLACK, abs_tol=precision.tolerance):
        return Agreement.EXACT
    rounded = abs(found - claimed) <= precision.step(claimed) / 2 * (1 + _SLACK)
    return Agreement.ROUNDED if rounded else Agreement.NONE


def agree_all(found: Sequence[Item], claimed: Sequence[Plain], precision: Precision) -> int:
    """The worst Agreement of all pairs; none where the counts differ."""
    if len(found) != len(claimed):
        return Agreement.NONE
    pairs = zip(found, claimed, strict=True)
    return max((agree(item.value, value, precision) for item, value in pairs), default=Agreement.EXACT)


def is_number(value: object) -> bool:
    """Whether it is an int or float; a bool is none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


@dataclass(frozen=True)
class Style:
    """How values are shown: the unit, the significant digits of fractions, and what stands between two values."""

    unit: str = ""
    digits: int = 6
    between: str = " / "


PLAIN = Style()


def show(value: Plain | Missing, style: Style = PLAIN) -> str:
    """``60,965,224``, ``0.0005``, ``1.45 %``, ``true``."""
    if isinstance(value, Missing):
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return value
    text = f"{value:,}" if isinstance(value, int) else _show_float(value, style.digits)
    return f"{text} {style.unit}".rstrip()


def show_all(values: Sequence[Plain | Missing], style: Style = PLAIN, relation: Relation = "equals") -> str:
    """Several values, `` / `` between two; a value that all share once: ``0.5 each``."""
    if not values:
        return "none"
    texts = [show(value, style) for value in values]
    shared = len(texts) > 1 and len(set(texts)) == 1
    return _RELATIONS[relation] + (f"{texts[0]} each" if shared else style.between.join(texts))


def _show_float(value: float, digits: int) -> str:
    return f"{int(value):,}" if abs(value) < 1e15 and value == int(value) else f"{value:.{digits}g}"
