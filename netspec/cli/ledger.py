"""The ledger on the command line: find it, check it, print its rows. `build` and `validate` share it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from netspec.ledger import LedgerReport
    from netspec.pipeline import Compiled


def check_against(compiled: Compiled, wanted: str | None, folder: Path, *, aside: bool = False) -> LedgerReport | None:
    """Check and print the ledger that was asked for, or the one that the spec names; None where there is none.

    It is printed on stderr if ``aside``: where something else is the data.
    """
    from netspec.ledger import check_ledger, find_ledger, load_ledger, render_report

    name = wanted or compiled.spec.ledger
    if not name:
        return None
    place = None if wanted else compiled.spec.spans.value("ledger")
    report = check_ledger(load_ledger(find_ledger(name, folder, place)), compiled)
    typer.echo(render_report(report), err=aside)
    return report
