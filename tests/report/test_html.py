"""The report page: what it says, and that nothing of a spec or a ledger becomes markup."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import pytest

from netspec.ledger import LedgerReport, RowReport
from netspec.pipeline import Compiled, compile_file
from netspec.proof.parity import LayerParity, Parity
from netspec.report.html import render_report_html
from tests.report.nets import NAMED, compiled

EVIL = '<img src=x onerror=alert(1)> & "quotes"'
VOID = {"meta", "br", "img"}


class Page(HTMLParser):
    """Every tag, every text, and whether the tags are balanced."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in VOID and not (self.get_starttag_text() or "").endswith("/>"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data.strip())


@pytest.fixture(scope="module")
def alexnet(root: Path) -> Compiled:
    return compile_file(root / "specs" / "alexnet.yaml")


def ledger(verdict: str = "FAILS") -> LedgerReport:
    row = RowReport("a", "3.5", EVIL, verdict, "60,000,000", "1", (EVIL,), "why", "x:1:1")  # type: ignore[arg-type]  # parametrized
    return LedgerReport("book", "about", "source", "alexnet", (row,))


def parity(error: float) -> Parity:
    return Parity("alexnet", ("a",), (LayerParity("conv1", (96, 55, 55), 2.0, error, 1e-8),), (), 1, ())


def test_the_page_has_the_published_numbers(alexnet: Compiled) -> None:
    page = Page(render_report_html(alexnet, ledger("holds"), parity(1e-6)))
    assert page.open == []
    for text in (
        "60,965,224",
        "724,406,816",
        "659,272",
        "58,624",
        "223,948,800",
        "ceil((224 + 0 + 0 - 11) / 4) + 1 = 55",
    ):
        assert text in page.texts
    assert page.tags.count("svg") == 1
    assert "holds" in page.texts
    assert "1.0e-06" in page.texts


def test_it_is_one_page_that_loads_and_runs_nothing(alexnet: Compiled) -> None:
    text = render_report_html(alexnet, ledger(), parity(1.0))
    page = Page(text)
    assert not {"script", "img", "link", "iframe", "object"} & set(page.tags)
    assert text.count("http") == 1  # the name of SVG
    assert "url(" not in text
    assert EVIL in page.texts


def test_a_failure_is_marked(alexnet: Compiled) -> None:
    bad = render_report_html(alexnet, ledger(), parity(1.0))
    assert '<td class="bad">FAILS</td>' in bad
    assert '<td class="bad">conv1</td>' in bad
    good = render_report_html(alexnet, ledger("holds"), parity(1e-7))
    assert 'class="bad"' not in good


def test_without_ledger_and_proof_their_tables_are_left_out(alexnet: Compiled) -> None:
    page = Page(render_report_html(alexnet))
    assert "Claims of the ledger" not in page.texts
    assert "PyTorch against onnxruntime" not in page.texts


def test_one_device_has_no_columns_about_devices() -> None:
    page = Page(render_report_html(compiled(NAMED["inception"])))
    assert page.open == []
    assert not {"gpu", "on each gpu", "Between devices"} & set(page.texts)


def test_the_same_net_gives_the_same_bytes(alexnet: Compiled) -> None:
    assert render_report_html(alexnet, ledger(), parity(1e-6)) == render_report_html(alexnet, ledger(), parity(1e-6))
