"""The report of a build as one page: no scripts, nothing loaded from elsewhere, everything escaped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netspec.report.page import page_of
from netspec.report.svg import render_svg
from netspec.report.templates import render

if TYPE_CHECKING:
    from netspec.ledger import LedgerReport
    from netspec.pipeline import Compiled
    from netspec.proof.parity import Parity


def render_report_html(compiled: Compiled, ledger: LedgerReport | None = None, parity: Parity | None = None) -> str:
    """HTML text: the drawing, the layers, the devices, the ledger's rows and the proof. The same bytes every time."""
    from markupsafe import Markup

    drawing = Markup(render_svg(compiled.placed, compiled.spec.about))  # noqa: S704 - our own SVG, escaped where it is made
    return render("report.html.j2", page=page_of(compiled, ledger, parity), drawing=drawing)
