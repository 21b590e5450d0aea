"""Decoded values of a spec as the plain values that a ledger compares: numbers, words, truths. It decodes nothing."""

from __future__ import annotations

from netspec.ir.parameter import Init
from netspec.ledger.value import Plain


def plain(value: object) -> Plain:
    """A pair of equal numbers as one, a standard deviation as a number, nothing as ``none``, others as written."""
    if isinstance(value, bool | int | float | str):
        return value
    if value is None:
        return "none"
    if isinstance(value, Init) and value.kind == "normal":
        return value.value
    if isinstance(value, tuple):
        shared = len(set(value)) == 1
        return plain(value[0]) if shared else ", ".join(plain_text(each) for each in value)
    return str(value)


def plain_text(value: object) -> str:
    """The plain value as it is written in a spec."""
    simple = plain(value)
    if isinstance(simple, bool):
        return str(simple).lower()
    return f"{simple:g}" if isinstance(simple, float) else str(simple)
