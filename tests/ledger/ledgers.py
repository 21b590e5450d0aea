"""What the ledger's tests share: compiled specs and their reports. No tests."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from netspec.ledger import LedgerReport, check_ledger, find_ledger, load_ledger
from netspec.pipeline import Compiled, compile_file
from netspec.spec.shipped import shipped_folder


@cache
def compiled(spec: str, *assignments: str) -> Compiled:
    return compile_file(shipped_folder() / f"{spec}.yaml", assignments, name=f"{spec}.yaml")


@cache
def report(spec: str, ledger: str, *assignments: str) -> LedgerReport:
    return check_ledger(load_ledger(find_ledger(ledger)), compiled(spec, *assignments))


def failures(checked: LedgerReport) -> set[str]:
    return {row.id for row in checked.rows if row.verdict == "FAILS"}


def reasons(checked: LedgerReport, row: str) -> str:
    """The reasons of a row that must fail, one a line."""
    found = checked.row(row)
    assert found.verdict == "FAILS", f"{row}: {found.verdict}"
    return "\n".join(found.reasons)


def spec_folder() -> Path:
    return shipped_folder()
