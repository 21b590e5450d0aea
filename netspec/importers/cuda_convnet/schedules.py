"""Learning rates of cuda-convnet in all spellings from 2012 to 2014. It knows no layers.

Source: reference/cuda-convnet.md 2 (schedules), 7 (dialects D2 to D6). Named numbers may stand in any order here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from netspec.diagnostics.grammar import count, listed
from netspec.diagnostics.suggest import did_you_mean
from netspec.syntax.scalars import as_float, shorten

Curve = Literal["const", "linear", "exp", "dexp", "jdexp"]

_WORD = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)\s*(?:\[([^\[\]]*)\])?")
_BASE, _FACTOR, _NOISE, _STEPS = "base", "tgtFactor", "noiseStdev", "numSteps"
_NAMES = {name.lower(): name for name in (_BASE, _FACTOR, _NOISE, _STEPS)}
_MOST_STEPS = 1_000_000
_SMALLEST, _LARGEST = 1e-20, 1e6

_Order = tuple[str, ...]
_NEEDED: Mapping[Curve, _Order] = {
    "const": (),
    "linear": (_FACTOR,),
    "exp": (_FACTOR,),
    "dexp": (_FACTOR, _STEPS),
    "jdexp": (_FACTOR, _STEPS),
}
_NOISY: Mapping[Curve, _Order] = {
    "const": (_NOISE,),
    "linear": (_FACTOR, _NOISE),
    "exp": (_FACTOR, _NOISE),
    "dexp": (_FACTOR, _NOISE, _STEPS),
    "jdexp": (_FACTOR, _NOISE, _STEPS),
}


class ScheduleError(ValueError):
    """The text is no rate or schedule; ``help`` says what to write."""

    def __init__(self, message: str, help: str = "") -> None:
        super().__init__(message)
        self.help = help


@dataclass(frozen=True)
class Shape:
    """How a rate falls over the run: the reference's curves, with T = ``divide`` and n = ``levels``."""

    curve: Curve = "const"
    divide: float = 1.0
    levels: int = 0


@dataclass(frozen=True)
class Schedule:
    """A shape; with ``noise`` s the rate is multiplied by 1 + |N(0, 1)| s at each use."""

    shape: Shape = Shape()
    noise: float = 0.0


@dataclass(frozen=True)
class Rate:
    """A rate at the start of the run, and how it goes on."""

    base: float
    schedule: Schedule = Schedule()


def parse_rate(text: str) -> Rate:
    """``0.01``, or as from 2014 ``dexp[base=0.01;tgtFactor=250;numSteps=4]``. Raises ScheduleError."""
    number = as_float(text.strip())
    if number is None:
        curve, arguments = _split(text)
        values = _values(curve, arguments, ((_BASE, *_NEEDED[curve]), (_BASE, *_NOISY[curve])))
        if _BASE not in values:
            raise ScheduleError(f"`{shorten(text)}` does not say its `base`", f"for instance `{_example(curve, True)}`")
        number, schedule = values[_BASE], _schedule(curve, values)
    else:
        schedule = Schedule()
    if number and not _SMALLEST <= number <= _LARGEST:
        raise ScheduleError(
            f"{number:g} is no rate", f"{_SMALLEST:g} to {_LARGEST:g}, or 0 to leave the layer as it is"
        )
    return Rate(number, schedule)


def parse_schedule(text: str, old: bool = False) -> Schedule:
    """``default``, or ``dexp[tgtFactor=250,noiseStdev=0,numSteps=4]``, or the numbers alone. Raises ScheduleError.

    ``old`` is for the option ``sched`` of 2012, whose second number is the number of steps.
    """
    if text.strip().lower() == "default":
        return Schedule()
    curve, arguments = _split(text)
    orders = (_NEEDED[curve], (_FACTOR, _STEPS)) if old else (_NEEDED[curve], _NOISY[curve])
    values = _values(curve, arguments, orders)
    if _BASE in values:
        raise ScheduleError("a schedule has no `base`", "`epsW` and `epsB` are the rates at the start")
    return _schedule(curve, values)


def split_list(text: str) -> tuple[str, ...]:
    """A list at its commas, but for those in brackets: ``dexp[250,4],default`` has two entries."""
    parts, depth = [""], 0
    for char in text:
        depth += (char == "[") - (char == "]")
        if char == "," and depth <= 0:
            parts.append("")
        else:
            parts[-1] += char
    return tuple(part.strip() for part in parts)


def _split(text: str) -> tuple[Curve, tuple[str, ...]]:
    """The curve and its arguments as written, which semicolons or commas separate."""
    match = _WORD.fullmatch(text.strip())
    if text.count("[") > text.count("]"):
        help = f"`{_example('dexp', True)}` without blanks: a blank and `;` begin a comment"
        raise ScheduleError(f"`{shorten(text)}` lacks its `]`", help)
    if not match:
        help = f"a number, or for instance `{_example('dexp', True)}`"
        raise ScheduleError(f"`{shorten(text)}` is neither a rate nor a schedule", help)
    word, inside = match[1], match[2]
    curve = next((curve for curve in _NEEDED if curve == word.lower()), None)
    if curve is None:
        known = ("default", *_NEEDED)
        raise ScheduleError(f"there is no schedule `{shorten(word)}`", did_you_mean(word, known, "the schedules are"))
    written = (inside or "").replace(";", ",").strip()
    return curve, tuple(part.strip() for part in written.split(",")) if written else ()


def _values(curve: Curve, arguments: tuple[str, ...], orders: tuple[_Order, ...]) -> dict[str, float]:
    """The numbers by name. ``orders`` say what numbers without names stand for, by how many there are."""
    names = tuple(argument.rpartition("=")[0].strip() for argument in arguments)
    if not any(names):
        names = next((order for order in orders if len(order) == len(arguments)), ())
        if len(names) != len(arguments):
            message = f"`{curve}` has {count(len(arguments), 'number')} that no name explains"
            raise ScheduleError(message, f"for instance `{_example(curve, _BASE in orders[0])}`")
    values: dict[str, float] = {}
    for name, argument in zip(names, arguments, strict=True):
        known = _NAMES.get(name.lower())
        if known is None or known in values:
            fault = "needs a name" if not name else "is given twice" if known else f"is no number of `{curve}`"
            help = did_you_mean(name, _NAMES.values()) if not known else ""
            raise ScheduleError(f"`{shorten(argument)}` {fault}", help)
        values[known] = _number(argument)
    return values


def _number(argument: str) -> float:
    text = argument.rpartition("=")[2].strip()
    value = as_float(text)
    if value is None:
        raise ScheduleError(f"`{shorten(text)}` in `{shorten(argument)}` is no number", "for instance `250` or `0.01`")
    return value


def _schedule(curve: Curve, values: Mapping[str, float]) -> Schedule:
    missing = [f"`{name}`" for name in _NEEDED[curve] if name not in values]
    if missing:
        raise ScheduleError(f"`{curve}` needs {listed(missing)}", f"for instance `{_example(curve)}`")
    noise = values.get(_NOISE, 0.0)
    if noise < 0:
        raise ScheduleError(f"`{_NOISE}` is a standard deviation, and {noise:g} is below 0", "0 for none")
    return Schedule(_shape(curve, values), noise)


def _shape(curve: Curve, values: Mapping[str, float]) -> Shape:
    if curve == "const":
        return Shape()
    divide, stepped = values[_FACTOR], _STEPS in _NEEDED[curve]
    if divide <= 0:
        raise ScheduleError(f"`{_FACTOR}` is what the rate is divided by, and {divide:g} is not above 0")
    steps = values[_STEPS] if stepped else 0
    if stepped and (steps != int(steps) or not 2 <= steps <= _MOST_STEPS):
        raise ScheduleError(f"`{_STEPS}` is {steps:g}", f"a whole number, 2 to {_MOST_STEPS:,}")
    return Shape() if divide == 1 else Shape(curve, divide, int(steps))


def _example(curve: Curve, base: bool = False) -> str:
    numbers = {_BASE: "0.01", _FACTOR: "250", _STEPS: "4"}
    names = (_BASE, *_NEEDED[curve]) if base else _NEEDED[curve]
    inside = (";" if base else ",").join(f"{name}={numbers[name]}" for name in names)
    return f"{curve}[{inside}]" if inside else "default"
