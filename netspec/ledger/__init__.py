"""The ledger: a paper's claims as data, and the check of a compiled net against them."""

from netspec.ledger.check import check_ledger
from netspec.ledger.failures import failures
from netspec.ledger.load import find_ledger, load_ledger, load_ledger_text, shipped_ledgers
from netspec.ledger.measure import MEASURES
from netspec.ledger.model import Ledger, Row
from netspec.ledger.reference import ledger_reference
from netspec.ledger.report import LedgerReport, RowReport, Verdict, render_report, report_as_json

__all__ = [
    "MEASURES",
    "Ledger",
    "LedgerReport",
    "Row",
    "RowReport",
    "Verdict",
    "check_ledger",
    "failures",
    "find_ledger",
    "ledger_reference",
    "load_ledger",
    "load_ledger_text",
    "render_report",
    "report_as_json",
    "shipped_ledgers",
]
