"""What a template draws: texts, rectangles and paths as finished strings. It lays nothing out."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Text:
    """One line of text; ``cls`` is its style, ``anchor`` start, middle or end, ``beside`` a note that follows it."""

    x: str
    y: str
    cls: str
    text: str
    anchor: str = "start"
    beside: str = ""


@dataclass(frozen=True)
class Rect:
    """A rectangle with round corners, a tooltip and texts in it."""

    x: str
    y: str
    width: str
    height: str
    cls: str
    tip: str
    texts: tuple[Text, ...]
    family: str = ""


@dataclass(frozen=True)
class Path:
    """A line's outline and, if any, its arrow heads."""

    cls: str
    lines: tuple[str, ...]
    heads: tuple[str, ...]


def number(value: float) -> str:
    """A coordinate to a tenth of a pixel."""
    return f"{round(value, 1):g}"
