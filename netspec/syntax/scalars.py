"""Scalars by YAML 1.2's core schema: 1e-4 is a number, ``no`` is a string. It reports nothing: a misfit is None."""

from __future__ import annotations

import math
import re

MAX_DIGITS = 40

_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
YAML_11_BOOL = frozenset({"yes", "no", "on", "off", "y", "n"})


def is_null(text: str) -> bool:
    """Whether a plain scalar says nothing."""
    return text in _NULL


def as_bool(text: str) -> bool | None:
    """``true`` and ``false``; ``yes`` is a word."""
    return _BOOL.get(text)


def as_int(text: str) -> int | None:
    """A whole number; ``0x10`` and ``0o17`` too, ``3.0`` and ``1e3`` not."""
    if len(text) > MAX_DIGITS or not _INT.fullmatch(text):
        return None
    bases = {"0x": 16, "0o": 8}
    return int(text, bases.get(text[:2], 10))


def as_float(text: str) -> float | None:
    """A finite number."""
    if len(text) > MAX_DIGITS or not _FLOAT.fullmatch(text):
        return None
    value = float(text)
    return value if math.isfinite(value) else None


def describe(text: str, plain: bool) -> str:
    """What a scalar is, in words, for a message."""
    if not plain:
        return f'the text "{shorten(text)}"'
    if is_null(text):
        return "nothing"
    if as_bool(text) is not None:
        return f"the boolean `{text}`"
    if as_int(text) is not None or as_float(text) is not None:
        return f"the number `{text}`"
    if _INT.fullmatch(text) or _FLOAT.fullmatch(text):
        return f"`{shorten(text)}`, a number too large to be meant"
    if text.lower().lstrip("+-") in (".inf", ".nan"):
        return f"`{text}`, which is no finite number"
    return f"the text `{shorten(text)}`"


def shorten(text: str, most: int = 40) -> str:
    """A user's text, short enough for a message."""
    return text if len(text) <= most else text[: most - 1] + "…"
