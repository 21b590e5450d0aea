"""Rows that fail as diagnostics, for editors and code review. The table is for people: `netspec.ledger.report`."""

from __future__ import annotations

from netspec.diagnostics import Diagnostic
from netspec.ledger.report import LedgerReport
from netspec.source import Span


def failures(report: LedgerReport, place: Span) -> tuple[Diagnostic, ...]:
    """A diagnostic for each row that FAILS, at ``place``, where the spec names its ledger."""
    return tuple(
        Diagnostic(
            "NS509",
            f"`{report.ledger}` claims: {row.claim} ({row.where}): expected {row.expected}, found {row.found}",
            place,
            notes=row.reasons,
            help=f"change the spec, or the claim at {row.place}",
        )
        for row in report.rows
        if row.verdict == "FAILS"
    )
