"""The report as text and as JSON."""

from __future__ import annotations

import json

import pytest

from netspec.ledger import LedgerReport, RowReport, Verdict, render_report, report_as_json
from tests.ledger.ledgers import report


def row(
    verdict: Verdict, expected: str = "1", found: str = "2", reasons: tuple[str, ...] = (), why: str = ""
) -> RowReport:
    return RowReport("r", "3.5", "conv1 has one filter", verdict, expected, found, reasons, why, "l.yaml:1:1")


def test_the_table_is_aligned_and_a_failure_has_its_reasons() -> None:
    checked = LedgerReport(
        "l", "", "a paper", "net", (row("holds", "1", "1"), row("FAILS", reasons=("because",), why="so"))
    )
    assert render_report(checked) == (
        "ledger l: a paper\n"
        "verdict  where  claim                 expected  found\n"
        "holds    3.5    conv1 has one filter  1         1\n"
        "FAILS    3.5    conv1 has one filter  1         2\n"
        "    - because\n"
        "    - the ledger notes: so\n"
        "net against l: 2 rows: 1 holds, 1 FAILS"
    )


@pytest.mark.parametrize("width", [80, 120])
def test_no_line_is_wider_than_asked(width: int) -> None:
    text = render_report(report("alexnet", "second-hand"), width)
    assert max(map(len, text.splitlines())) <= width


def test_a_long_list_is_not_repeated() -> None:
    long = " / ".join(["96x55x55"] * 9)
    checked = LedgerReport("l", "", "", "net", (row("holds", long, long),))
    assert render_report(checked).count("the same") == 1
    assert render_report(checked).count("96x55x55") == 9


def test_every_row_of_a_real_report_is_in_the_table() -> None:
    checked = report("alexnet", "paper")
    text = render_report(checked, width=1000)
    lines = text.splitlines()
    assert len(lines) == len(checked.rows) + 3
    assert all(row.claim in text and row.expected in text for row in checked.rows)
    assert lines[-1] == checked.summary()


def test_json_has_everything_and_is_plain() -> None:
    checked = report("alexnet", "second-hand")
    data = json.loads(json.dumps(report_as_json(checked)))
    assert data["failed"] is True
    assert data["counts"] == {"FAILS": 7}
    first = data["rows"][0]
    assert (first["id"], first["verdict"], first["found"]) == ("conv2-3-million", "FAILS", "307,456")
    assert first["reasons"] == ["`conv2` has 256x48x5x5 weights and 256 biases"]
    assert first["place"].startswith("specs/ledgers/second-hand.yaml:")


def test_a_row_is_found_by_its_id() -> None:
    with pytest.raises(KeyError):
        report("alexnet", "paper").row("no-such-row")
