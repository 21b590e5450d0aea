"""The ledgers' page: it is the committed one, and its example holds for a net that keeps it."""

from __future__ import annotations

import re
from pathlib import Path

from typer.testing import CliRunner

from netspec.cli import app
from netspec.ledger import check_ledger, load_ledger_text
from netspec.pipeline import compile_spec
from netspec.spec import load_text

NET = """
netspec: 1
name: mine
input: {size: 24}
layers:
  conv1: {type: conv, inputs: data, filters: 8, size: 5, pad: 2}
  pool1: {type: pool, inputs: conv1, pool: max, size: 3, stride: 2}
  fc2: {type: fc, inputs: pool1, outputs: 10}
"""


def page() -> str:
    return CliRunner().invoke(app, ["schema", "--format", "ledgers"]).stdout


def test_the_committed_page_is_up_to_date(root: Path) -> None:
    assert (root / "docs" / "ledgers.md").read_text(encoding="utf-8") == page(), "run: make docs"


def test_its_example_is_a_ledger() -> None:
    (example,) = re.findall(r"```yaml\n(ledger: 1.*?)```", page(), re.DOTALL)
    report = check_ledger(load_ledger_text(example), compile_spec(load_text(NET)))
    assert [row.verdict for row in report.rows] == ["rounds", "holds"]
