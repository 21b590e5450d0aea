"""Diagnostics as text: the place, the source line, a caret, the causes and the fix."""

from __future__ import annotations

from collections.abc import Iterable

from netspec.diagnostics.diagnostic import Diagnostic
from netspec.source import Span

WIDTH = 120


def render(diagnostics: Iterable[Diagnostic]) -> str:
    """All of them, a blank line between two."""
    return "\n".join(render_one(d) for d in diagnostics)


def render_one(d: Diagnostic) -> str:
    """``error[NS302]: message`` with its place; lines end with a newline."""
    gutter = len(str(d.span.line + 1))
    lines = [f"{d.severity}[{d.code}]: {printable(d.message)}", f"{' ' * gutter}--> {printable(d.span.where)}"]
    lines += _excerpt(d.span, "^", d.label, gutter)
    for other in d.others:
        lines += [f"{' ' * gutter}::: {printable(other.span.where)}", *_excerpt(other.span, "-", other.text, gutter)]
    lines += [f"{' ' * gutter} = because {printable(note)}" for note in d.notes]
    if d.help:
        lines.append(f"{' ' * gutter} = help: {printable(d.help)}")
    return "\n".join(lines) + "\n"


def printable(text: str) -> str:
    """Terminal-safe: control and non-printing characters as escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def _excerpt(span: Span, mark: str, label: str, gutter: int) -> list[str]:
    line = span.source.line(span.line)
    if not line.strip():
        return []
    start = max(0, span.column - WIDTH // 2) if len(line) > WIDTH else 0
    shown = printable(line[start : start + WIDTH].replace("\t", " "))
    end = span.end_column if span.end_line == span.line else len(line)
    before = len(printable(line[start : span.column].replace("\t", " ")))
    carets = max(1, min(len(printable(line[span.column : end].replace("\t", " "))), WIDTH - before))
    number = str(span.line + 1).rjust(gutter)
    pad = " " * gutter
    pointer = f"{pad} | {' ' * before}{mark * carets} {printable(label)}".rstrip()
    return [f"{pad} |", f"{number} | {shown}".rstrip(), pointer]
