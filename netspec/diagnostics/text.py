"""Diagnostics as text: the place, the source line, a caret, the causes and the fix. It guesses no colours."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from textwrap import wrap

from netspec.diagnostics.diagnostic import Diagnostic
from netspec.source import Source, Span

LINE = 120
WIDTH = 100
LONGEST_MESSAGE = 600
_COLOURS = {"error": "\x1b[1;31m", "warning": "\x1b[1;33m", "place": "\x1b[1;34m", "help": "\x1b[1;36m"}
_END = "\x1b[0m"


@dataclass(frozen=True)
class _Mark:
    """A span with the character that underlines it."""

    span: Span
    char: str
    text: str


def render(diagnostics: Iterable[Diagnostic], color: bool = False) -> str:
    """All of them, a blank line between two."""
    return "\n".join(render_one(d, color) for d in diagnostics)


def render_one(d: Diagnostic, color: bool = False) -> str:
    """``error[NS302]: message`` with its places, causes and help; lines end with a newline."""
    paint = _painter(color)
    marks = [_Mark(d.span, "^", d.label), *(_Mark(o.span, "-", o.text) for o in d.others)]
    gutter = len(str(max(m.span.line for m in marks) + 1))
    lines = [paint(d.severity, f"{d.severity}[{d.code}]") + f": {_message(d.message)}"]
    for number, (source, group) in enumerate(_by_source(marks)):
        arrow = ":::" if number else "-->"
        lines.append(f"{' ' * gutter}{paint('place', arrow)} {printable(_where(group[0].span))}")
        lines += _excerpt(source, group, gutter)
    ending = [("because", note) for note in d.notes] + ([("help:", d.help)] if d.help else [])
    if ending and len(lines) > len(_by_source(marks)) + 1:
        lines.append(f"{' ' * gutter} |")
    for word, text in ending:
        indent = gutter + len(f" = {word} ")
        rows = wrap(_message(text), WIDTH - indent, break_long_words=False, break_on_hyphens=False)
        first, *rest = rows or [""]
        lines.append(f"{' ' * gutter} = {paint('help', word)} {first}".rstrip())
        lines += [" " * indent + line for line in rest]
    return "\n".join(lines) + "\n"


def printable(text: str) -> str:
    """Terminal-safe: control and non-printing characters as escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def _where(span: Span) -> str:
    return span.where if span.source.text else span.source.name


def columns(text: str) -> int:
    """How many columns of a terminal a text takes: wide characters take two, combining ones none."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _message(text: str) -> str:
    return printable(text if len(text) <= LONGEST_MESSAGE else f"{text[:LONGEST_MESSAGE]}…")


def _painter(color: bool) -> Callable[[str, str], str]:
    return (lambda role, text: f"{_COLOURS[role]}{text}{_END}") if color else (lambda role, text: text)


def _by_source(marks: list[_Mark]) -> list[tuple[Source, list[_Mark]]]:
    """The marks of each source together, the sources in the order of their first mark."""
    sources = list(dict.fromkeys(m.span.source for m in marks))
    return [(source, [m for m in marks if m.span.source == source]) for source in sources]


def _excerpt(source: Source, marks: list[_Mark], gutter: int) -> Iterator[str]:
    """The lines with marks, in the order of the text, with ``...`` where lines are left out."""
    ordered = sorted(marks, key=lambda m: (m.span.line, m.span.column))
    last = None
    for number, group in groupby(ordered, key=lambda m: m.span.line):
        if not source.line(number).strip():
            continue
        if last is None:
            yield f"{' ' * gutter} |"
        elif number > last + 1:
            yield "..."
        last = number
        yield from _marked_line(source.line(number), list(group), str(number + 1).rjust(gutter))


def _marked_line(line: str, marks: list[_Mark], number: str) -> Iterator[str]:
    """The line, its marks below it, and their words: those of the last beside it, the others' hanging below."""
    start = max(0, min(m.span.column for m in marks) - LINE // 2) if len(line) > LINE else 0
    shown = ("…" if start else "") + _plain(line[start : start + LINE]) + ("…" if start + LINE < len(line) else "")
    margin = f"{' ' * len(number)} | "
    yield f"{number} | {shown}".rstrip()
    placed = [(_column(line, start, mark), mark) for mark in marks]
    pointer = ""
    for column, mark in placed:
        pointer = pointer.ljust(column)[:column] + mark.char * _length(line, start, mark)
    hanging = [(column, mark) for column, mark in placed[:-1] if mark.text]
    yield f"{margin}{pointer} {_message(placed[-1][1].text)}".rstrip()
    while hanging:
        column, mark = hanging.pop()
        yield margin + _strings([c for c, _ in hanging] + [column])
        yield margin + _strings([c for c, _ in hanging]).ljust(column) + _message(mark.text)


def _column(line: str, start: int, mark: _Mark) -> int:
    return columns(_plain(line[start : mark.span.column])) + (1 if start else 0)


def _length(line: str, start: int, mark: _Mark) -> int:
    span = mark.span
    end = span.end_column if span.end_line == span.line else len(line.rstrip())
    return max(1, columns(_plain(line[span.column : min(end, start + LINE)])))


def _strings(at: list[int]) -> str:
    """What the words below hang on."""
    text = ""
    for column in at:
        text = text.ljust(column) + "|"
    return text


def _plain(text: str) -> str:
    return printable(text.replace("\t", " "))
