"""Source text and places in it: what every diagnostic points at. It reads no file and knows no YAML."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Source:
    """One named text. ``name`` is the path as the user typed it, or ``<string>``."""

    name: str
    text: str

    @cached_property
    def lines(self) -> list[str]:
        return self.text.split("\n")

    def line(self, number: int) -> str:
        """The text of a line, counted from 0; empty past the end."""
        return self.lines[number].rstrip("\r") if 0 <= number < len(self.lines) else ""


@dataclass(frozen=True)
class Span:
    """A stretch of a source: lines and columns are counted from 0, in characters; the end is exclusive."""

    source: Source
    line: int
    column: int
    end_line: int
    end_column: int

    @property
    def where(self) -> str:
        """``file:line:column``, counted from 1 as editors do."""
        return f"{self.source.name}:{self.line + 1}:{self.column + 1}"

    @property
    def start(self) -> Span:
        """Its first character."""
        return Span(self.source, self.line, self.column, self.line, self.column + 1)

    @property
    def text(self) -> str:
        """The characters spanned, up to the end of the first line."""
        end = self.end_column if self.end_line == self.line else None
        return self.source.line(self.line)[self.column : end]


def within(inner: Span, outer: Span) -> bool:
    """Whether ``inner`` lies in ``outer``."""
    starts = (outer.line, outer.column) <= (inner.line, inner.column)
    return (
        inner.source is outer.source
        and starts
        and (inner.end_line, inner.end_column) <= (outer.end_line, outer.end_column)
    )


def whole(source: Source) -> Span:
    """The start of a source, for what is wrong with the file itself."""
    return Span(source, 0, 0, 0, 0)
