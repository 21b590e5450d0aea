"""A comparison as a table: what differs, in either net with file and line, and the sizes that follow."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import PurePath

from netspec.diagnostics.grammar import count
from netspec.diagnostics.text import printable
from netspec.difference.result import Difference, Row, Side, Total

_GAP = "  "
_MOST_LAYERS = 5  # in one row
_MOST_LINES = 3
_NONE = "none"
_SIZES = ("output", "parameters", "MACs")


def render(difference: Difference) -> str:
    """The whole comparison; lines end with a newline."""
    a, b = printable(difference.a), printable(difference.b)
    if difference.equal:
        layers, total = count(len(difference.pairs), "layer"), difference.totals[0].a
        return f"{a} and {b} are equal in meaning: {layers}, {total:,} parameters\n"
    grouped = _grouped(difference.rows)
    blocks = [[f"{a} and {b} differ{_count(grouped)}"], _table(grouped, *_short(a, b)), _sizes(difference)]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _short(a: str, b: str) -> tuple[str, str]:
    """Names of files without their folders, where that is enough to tell them apart."""
    short = PurePath(a).name, PurePath(b).name
    return (a, b) if short[0] == short[1] else short


def _count(grouped: Sequence[Sequence[Row]]) -> str:
    return f": {count(len(grouped), 'difference')}" if grouped else ""


def _grouped(rows: Sequence[Row]) -> list[list[Row]]:
    """Rows that say the same of several layers together, where the first of them stands."""
    found: dict[object, list[Row]] = {}
    for row in rows:
        texts = tuple(side.text if side else None for side in (row.a, row.b))
        alone = row.kind in ("order", "wiring")
        found.setdefault((row.kind, row.what, *texts, (_layer(row),) if alone else ()), []).append(row)
    return list(found.values())


def _layer(row: Row) -> str:
    """The layer's name; where the nets call it differently, both."""
    names = dict.fromkeys(side.layer for side in (row.a, row.b) if side)
    return " / ".join(names)


def _layers(rows: Sequence[Row]) -> str:
    names = list(dict.fromkeys(map(_layer, rows)))
    more = [f"+{len(names) - _MOST_LAYERS + 1}"] if len(names) > _MOST_LAYERS else []
    return ", ".join([*(names[: _MOST_LAYERS - 1] if more else names), *more])


def _table(grouped: Sequence[Sequence[Row]], a: str, b: str) -> list[str]:
    if not grouped:
        return []
    cells = [("layer", "what", a, "", b, "")]
    for rows in grouped:
        ours, theirs = ([side for row in rows if (side := pick(row))] for pick in (_a, _b))
        cells.append((_layers(rows), rows[0].what, *_cells(ours), *_cells(theirs)))
    return _aligned(cells)


def _a(row: Row) -> Side | None:
    return row.a


def _b(row: Row) -> Side | None:
    return row.b


def _cells(sides: Sequence[Side]) -> tuple[str, str]:
    """What a net has, and where."""
    return (printable(sides[0].text), printable(_places(sides))) if sides else (_NONE, "")


def _places(sides: Sequence[Side]) -> str:
    """``net.yaml:12, 14``."""
    known = sorted({(PurePath(side.source).name, side.line) for side in sides if side.line})
    texts = []
    for source, places in groupby(known, key=lambda place: place[0]):
        lines = [str(line) for _, line in places]
        more = ", ..." if len(lines) > _MOST_LINES else ""
        texts.append(f"{source}:{', '.join(lines[:_MOST_LINES])}{more}")
    return "; ".join(texts)


def _sizes(difference: Difference) -> list[str]:
    """A line for each layer whose output or costs differ, and the totals."""
    rows = [_size_row(list(group)) for _, group in groupby(difference.sizes, key=_layer)]
    totals = {total.what: total for total in difference.totals if total.a != total.b}
    if totals:
        rows.append(("total", *(cell for what in _SIZES for cell in _total(totals.get(what)))))
    shown = [0, *(n for n in range(1, 7) if any(row[n] for row in rows))]
    head = ("sizes", *(f"{what} of {name}" for what in _SIZES for name in ("A", "B")))
    return _aligned([[row[n] for n in shown] for row in (head, *rows)], right=range(1, len(shown))) if rows else []


def _size_row(rows: Sequence[Row]) -> tuple[str, ...]:
    texts = {row.what: tuple(side.text if side else "" for side in (row.a, row.b)) for row in rows}
    return (_layer(rows[0]), *(cell for what in _SIZES for cell in texts.get(what, ("", ""))))


def _total(total: Total | None) -> tuple[str, str]:
    return (f"{total.a:,}", f"{total.b:,}") if total else ("", "")


def _aligned(rows: Sequence[Sequence[str]], right: Iterable[int] = ()) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    ends = set(right)
    padded = (
        [
            cell.rjust(width) if n in ends else cell.ljust(width)
            for n, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        for row in rows
    )
    return [_GAP.join(row).rstrip() for row in padded]
