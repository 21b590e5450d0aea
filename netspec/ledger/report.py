"""What a checked ledger came to, as data and as a table. It computes no verdict."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

Verdict = Literal["holds", "rounds", "erratum", "differs", "FAILS", "experiment", "needs data", "not recorded"]
VERDICTS: tuple[Verdict, ...] = (
    "holds",
    "rounds",
    "erratum",
    "differs",
    "experiment",
    "needs data",
    "not recorded",
    "FAILS",
)
_TITLES = ("verdict", "where", "claim", "expected", "found")
_LEAST = 12  # characters of a narrow column
LONG = 60


@dataclass(frozen=True)
class RowReport:
    """One row: both numbers as text; ``reasons`` say why a row fails, ``why`` is the ledger's own background.

    ``place`` is the row's file:line:column in the ledger.
    """

    id: str
    where: str
    claim: str
    verdict: Verdict
    expected: str
    found: str
    reasons: tuple[str, ...]
    why: str
    place: str


@dataclass(frozen=True)
class LedgerReport:
    """A ledger checked against the net ``spec``."""

    ledger: str
    about: str
    source: str
    spec: str
    rows: tuple[RowReport, ...]

    @property
    def failed(self) -> bool:
        return any(row.verdict == "FAILS" for row in self.rows)

    @property
    def counts(self) -> dict[str, int]:
        """How many rows have each verdict, those that occur."""
        counted = Counter(row.verdict for row in self.rows)
        return {verdict: counted[verdict] for verdict in VERDICTS if counted[verdict]}

    def row(self, name: str) -> RowReport:
        """The row with that id. Raises KeyError."""
        return {row.id: row for row in self.rows}[name]

    def summary(self) -> str:
        """``alexnet against krizhevsky2012: 60 rows: 40 holds, 3 rounds``."""
        counts = ", ".join(f"{count} {verdict}" for verdict, count in self.counts.items())
        return f"{self.spec} against {self.ledger}: {len(self.rows)} rows: {counts}"


def report_as_json(report: LedgerReport) -> dict[str, object]:
    """The report as plain dicts and lists."""
    return {
        "ledger": report.ledger,
        "source": report.source,
        "spec": report.spec,
        "failed": report.failed,
        "counts": report.counts,
        "rows": [{**asdict(row), "reasons": list(row.reasons)} for row in report.rows],
    }


def render_report(report: LedgerReport, width: int = 120) -> str:
    """An aligned table, ``width`` characters wide where the numbers allow; below a failed row its reasons."""
    rows = [(row.verdict, row.where, row.claim, row.expected, _found(row)) for row in report.rows]
    widths = _widths([_TITLES, *rows], width)
    lines = [f"ledger {report.ledger}" + (f": {report.source}" if report.source else "")]
    lines += _cells(_TITLES, widths)
    for row, cells in zip(report.rows, rows, strict=True):
        lines += _cells(cells, widths)
        lines += [line for reason in row.reasons for line in _indented(f"- {reason}", width)]
        if row.verdict == "FAILS" and row.why:
            lines += _indented(f"- the ledger notes: {row.why}", width)
    return "\n".join([*lines, report.summary()])


def _found(row: RowReport) -> str:
    """What was found; a long list is not repeated where it is what was expected."""
    return "the same" if row.found == row.expected and len(row.found) > LONG else row.found


def _widths(rows: Sequence[Sequence[str]], width: int) -> list[int]:
    """Verdict and place as wide as they are; the rest shares what is left: 4 parts claim, 3 expected, 3 found."""
    longest = [max(len(row[n]) for row in rows) for n in range(len(_TITLES))]
    narrow = [longest[0], min(longest[1], 16)]
    left = max(3 * _LEAST, width - sum(narrow) - 2 * (len(_TITLES) - 1))
    shares = [left * part // 10 for part in (4, 3, 3)]
    return [*narrow, *(min(most, share) for most, share in zip(longest[2:], shares, strict=True))]


def _cells(cells: Sequence[str], widths: Sequence[int]) -> list[str]:
    """One row of the table; a cell that is too long goes on below."""
    wrapped = [
        textwrap.wrap(cell, size, break_on_hyphens=False) or [""] for cell, size in zip(cells, widths, strict=True)
    ]
    height = max(map(len, wrapped))
    padded = [column + [""] * (height - len(column)) for column in wrapped]
    lines = zip(*padded, strict=True)
    return ["  ".join(part.ljust(size) for part, size in zip(line, widths, strict=True)).rstrip() for line in lines]


def _indented(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, initial_indent="    ", subsequent_indent="      ", break_on_hyphens=False)
