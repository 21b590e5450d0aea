"""How wide texts are, about: drawings are laid out without a font at hand, so it errs to the wide side."""

from __future__ import annotations

_NARROW = frozenset("ijlt.,:;'|!()[] fr/·-")
_WIDE = frozenset("mwMWO%@")


def text_width(text: str, size: float, bold: bool = False) -> float:
    """Pixels of a sans-serif text of a font size."""
    ems = sum(_ems(char) for char in text)
    return ems * size * (1.08 if bold else 1.0)


def fitted(text: str, width: float, size: float, bold: bool = False) -> str:
    """The text, or its beginning and an ellipsis where it is wider."""
    if text_width(text, size, bold) <= width:
        return text
    while text and text_width(text + "…", size, bold) > width:
        text = text[:-1]
    return text.rstrip(" ,") + "…"


def _ems(char: str) -> float:
    if char in _NARROW:
        return 0.36
    if char in _WIDE:
        return 0.92
    if ord(char) > 0x2000:
        return 1.05
    return 0.7 if char.isupper() else 0.61
