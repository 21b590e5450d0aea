"""What can be said of a layer, as values that two nets are compared by. It knows no layer type."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import isclose
from typing import Literal, TypeAlias

from netspec.syntax.spans import Path

Value: TypeAlias = "bool | int | float | str | tuple[Value, ...] | None"

# What a fact is about: what is computed, how weights start, how a net is trained, on which device, and what follows
# from other facts alone (sizes and counts).
Aspect = Literal["net", "start", "train", "placement", "size"]

_PRECISION = 1e-6  # relative: what other tools keep in float32 is the same number


@dataclass(frozen=True)
class Fact:
    """One property: ``what`` it is called, the ``value`` that counts, and the ``text`` that is shown.

    ``path`` is the key of the spec that says it. ``written`` is what the file says where ``value`` also depends on what
    the layer reads: facts that were written alike are no difference, whatever they come to. ``windowed`` facts say
    together what windows read: they count only where that differs.
    """

    what: str
    value: Value
    text: str
    path: Path
    aspect: Aspect = "net"
    written: Value = None
    windowed: bool = False


def same(a: Value, b: Value) -> bool:
    """Whether two values are one, numbers up to float32's precision."""
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, bool) or isinstance(b, bool) or not isinstance(a, int | float):
        return a == b
    return isinstance(b, int | float) and isclose(a, b, rel_tol=_PRECISION)


def differing(a: Iterable[Fact], b: Iterable[Fact], windows_agree: bool) -> list[tuple[Fact, Fact]]:
    """The facts that both have and that differ. A fact of one alone depends on another that differs."""
    others = {fact.what: fact for fact in b}
    pairs = [(fact, others[fact.what]) for fact in a if fact.what in others]
    return [pair for pair in pairs if not (pair[0].windowed and windows_agree) and _differ(*pair)]


def _differ(a: Fact, b: Fact) -> bool:
    as_written = a.written is not None and same(a.written, b.written)
    return not as_written and not same(a.value, b.value)


def rough(value: Value) -> Value:
    """The value with numbers as text of six digits, so that equal values have, nearly always, one hash."""
    if isinstance(value, tuple):
        return tuple(map(rough, value))
    return f"{value:.6g}" if isinstance(value, int | float) and not isinstance(value, bool) else value


def shown(value: object) -> str:
    """A key's value as people read it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.7g}"
    if isinstance(value, tuple):
        alike = len(value) > 1 and len(set(value)) == 1
        return shown(value[0]) if alike else ", ".join(map(shown, value)) or "none"
    return "none" if value is None else str(value)
