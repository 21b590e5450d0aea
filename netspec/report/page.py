"""The report page as data: facts and tables of finished strings. It knows no tags."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from netspec import __version__
from netspec.ir.graph import FLOAT_BYTES
from netspec.ledger import LedgerReport, RowReport
from netspec.pipeline import Compiled
from netspec.proof.parity import TOLERANCE, LayerParity, Parity
from netspec.report.rows import Row, Table, layer_table
from netspec.report.units import count, size

_GOOD = ("holds", "rounds")
T = TypeVar("T")


@dataclass(frozen=True)
class Fact:
    """A number in large type and what it counts."""

    number: str
    what: str


@dataclass(frozen=True)
class Column:
    """A heading; numbers stand at the right."""

    title: str
    number: bool = False


@dataclass(frozen=True)
class Cell:
    """Text, its style, and lines in small type below it."""

    text: str
    cls: str = ""
    more: tuple[str, ...] = ()


@dataclass(frozen=True)
class PageTable:
    """A table under a heading; ``verdict`` is the style of its sentence."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    foot: tuple[Cell, ...] = ()
    sentence: str = ""
    verdict: str = ""


@dataclass(frozen=True)
class Page:
    """All of it, the drawing apart."""

    name: str
    about: str
    hash: str
    version: str
    facts: tuple[Fact, ...]
    tables: tuple[PageTable, ...]


def page_of(compiled: Compiled, ledger: LedgerReport | None, parity: Parity | None) -> Page:
    """The page of a net; the ledger's and the proof's tables stand there where they were made."""
    table = layer_table(compiled)
    tables = [_layers(table)]
    tables += [_devices(table), _crossings(table)] if len(table.devices) > 1 else []
    tables += [_ledger(ledger)] if ledger else []
    tables += [_parity(parity)] if parity else []
    tables += [_effective(table)]
    return Page(table.name, table.about, table.hash, __version__, _facts(table), tuple(tables))


def _facts(table: Table) -> tuple[Fact, ...]:
    facts = [
        Fact(f"{table.parameters:,}", f"parameters, {size(table.parameters * FLOAT_BYTES)}"),
        Fact(f"{table.macs:,}", "multiply-adds an image"),
        Fact(f"{table.units:,}", "units in layers with weights"),
    ]
    if len(table.devices) > 1:
        floats = table.crossing_floats
        what = f"floats an image between {len(table.devices)} devices, {size(floats * FLOAT_BYTES)}"
        facts.append(Fact(f"{floats:,}", what))
    return tuple(facts)


def _number(text: str) -> Cell:
    return Cell(text, "number")


def _columns(texts: str, numbers: str) -> tuple[Column, ...]:
    """Headings, separated by `|`: those of text, then those of numbers."""
    return (*map(Column, texts.split("|")), *(Column(title, number=True) for title in numbers.split("|")))


def _layers(table: Table) -> PageTable:
    columns = _columns("layer|type|gpu|reads|output|on each gpu", "weights|biases|parameters|MACs|output in memory")
    total = [_number(f"{n:,}") for n in (table.weights, table.biases, table.parameters, table.macs)]
    foot = (Cell("total"), *[Cell("")] * 5, *total, _number(size(table.activation_bytes)))
    rows = tuple(map(_layer, (table.input, *table.rows)))
    if len(table.devices) > 1:
        return PageTable("Layers", columns, rows, foot)
    return PageTable("Layers", _placeless(columns), tuple(map(_placeless, rows)), _placeless(foot))


def _placeless(row: tuple[T, ...]) -> tuple[T, ...]:
    """Without the columns about devices, which a net on one has no use for."""
    return (*row[:2], *row[3:5], *row[6:])


def _layer(row: Row) -> tuple[Cell, ...]:
    parts = str(row.parts[0]) if len(row.parts) > 1 and row.type != "input" else ""
    devices = ", ".join(map(str, row.devices))
    texts = (row.name, row.type, devices, ", ".join(row.reads), str(row.shape), parts)
    numbers = (row.weights, row.biases, row.parameters, row.macs)
    return (*map(Cell, texts), *(_number(count(n)) for n in numbers), _number(size(row.activation_bytes)))


def _devices(table: Table) -> PageTable:
    rows = []
    for d in table.devices:
        held = (f"{d.parameters:,}", size(d.parameter_bytes), f"{d.macs:,}", size(d.activation_bytes))
        rows.append((Cell(f"gpu {d.device}"), *map(_number, held)))
    columns = _columns("device", "parameters|in memory|MACs|activations an image")
    return PageTable("Devices", columns, tuple(rows))


def _crossings(table: Table) -> PageTable:
    rows = []
    for c in table.crossings:
        texts = (c.source, f"gpu {c.start}", f"gpu {c.end}", ", ".join(c.readers) or "the output")
        both = size(c.forward_bytes)
        rows.append((*map(Cell, texts), *map(_number, (f"{c.floats:,}", both, both))))
    total = size(table.crossing_floats * FLOAT_BYTES)
    foot = (Cell("total"), *[Cell("")] * 3, *map(_number, (f"{table.crossing_floats:,}", total, total)))
    columns = _columns("output of|from|to|for", "floats an image|bytes forward|bytes backward")
    return PageTable("Between devices", columns, tuple(rows), foot)


def _ledger(report: LedgerReport) -> PageTable:
    columns = tuple(map(Column, ("verdict", "where", "claim", "expected", "found")))
    source = f" Source: {report.source}." if report.source else ""
    title = "Claims of the ledger"
    rows = tuple(map(_claim, report.rows))
    return PageTable(title, columns, rows, (), report.summary() + "." + source, "bad" if report.failed else "")


def _claim(row: RowReport) -> tuple[Cell, ...]:
    style = "good" if row.verdict in _GOOD else ("bad" if row.verdict == "FAILS" else "note")
    more = (*row.reasons, *((row.why,) if row.why else ()))
    return (
        Cell(row.verdict, style),
        Cell(row.where),
        Cell(row.claim, "claim", more),
        Cell(row.expected),
        Cell(row.found),
    )


def _parity(parity: Parity) -> PageTable:
    columns = _columns("layer|shape", "largest value|onnxruntime|split module|tolerance")
    rows = tuple(map(_equal, parity.layers))
    verdict = "good" if parity.holds else "bad"
    return PageTable("PyTorch against onnxruntime", columns, rows, (), parity.sentence(), verdict)


def _equal(layer: LayerParity) -> tuple[Cell, ...]:
    split = "" if layer.split is None else f"{layer.split:.1e}"
    errors = (f"{layer.magnitude:.4g}", f"{layer.onnx:.1e}", split, f"{TOLERANCE:g}")
    name = Cell(layer.layer, "" if layer.holds else "bad")
    return name, Cell("x".join(map(str, layer.shape))), *map(_number, errors)


def _effective(table: Table) -> PageTable:
    """What frameworks do differently, as both backends get it."""
    rows = []
    for row in table.rows:
        facts = [f"{what}: {value}" for what, value in row.effective]
        if facts or row.reason:
            rows.append((Cell(row.name), Cell("; ".join(facts)), Cell(row.reason)))
    columns = tuple(map(Column, ("layer", "as both backends get it", "height")))
    return PageTable("What frameworks do differently", columns, tuple(rows))
