"""A YAML file to a Ledger: finds, reads, decodes, and refuses rows that say nothing checkable. It knows no net."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from netspec.diagnostics import Diagnostic, Findings, SpecError, did_you_mean
from netspec.layers import LAYER_TYPES
from netspec.ledger.measure import Measure
from netspec.ledger.model import LANGUAGE, UNCHECKED, Claimed, Ledger, LedgerHeader, Row
from netspec.ledger.value import is_number
from netspec.source import Source, Span, whole
from netspec.spec.shipped import shipped_folder
from netspec.syntax.decode import Decoder
from netspec.syntax.reader import read_source, read_tree
from netspec.syntax.spans import SpanTable

ALIASES = {"paper": "krizhevsky2012"}


def shipped_ledgers() -> dict[str, Path]:
    """The built-in ledgers by name, aliases included."""
    files = {path.stem: path for path in sorted((shipped_folder() / "ledgers").glob("*.yaml"))}
    return files | {alias: files[name] for alias, name in ALIASES.items() if name in files}


def find_ledger(name: str, folder: Path | None = None, place: Span | None = None) -> Path:
    """The file that a ledger's name means: beside the spec (in ``folder``), here, or built in.

    ``place`` is where the name stands. Raises SpecError NS501 where there is none.
    """
    beside = [base / name for base in (folder, Path()) if base is not None]
    found = next((path for path in beside if path.is_file()), None) or shipped_ledgers().get(name)
    if found is not None:
        return found
    help = did_you_mean(name, shipped_ledgers())
    where = place or whole(Source(name, ""))
    raise SpecError([Diagnostic("NS501", f"there is no ledger `{name}`", where, help=help)])


def load_ledger(path: Path, name: str | None = None) -> Ledger:
    """The ledger in a file. Raises SpecError with all that is wrong with it.

    ``name`` is what messages call the file: by default its path, for a built-in ledger one that is the same everywhere.
    """
    shipped = f"specs/ledgers/{path.name}" if path.parent == shipped_folder() / "ledgers" else str(path)
    return load_ledger_source(read_source(path, name or shipped))


def load_ledger_text(text: str, name: str = "<string>") -> Ledger:
    """The ledger in a string. Raises SpecError."""
    return load_ledger_source(Source(name, text))


def load_ledger_source(source: Source) -> Ledger:
    """The ledger in a source. Raises SpecError."""
    findings = Findings()
    spans = SpanTable(source)
    header = Decoder(spans, findings).decode(read_tree(source), LedgerHeader, ())
    if isinstance(header, LedgerHeader):
        _Check(header, spans, findings).run()
    findings.stop_on_errors()
    values = {
        f.name: getattr(header, f.name) for f in fields(LedgerHeader)
    }  # what was refused has findings, so this is a header
    return Ledger(**values, spans=spans)


class _Check:
    """What no annotation can say about a ledger."""

    def __init__(self, ledger: LedgerHeader, spans: SpanTable, findings: Findings) -> None:
        self.ledger, self.spans, self.findings = ledger, spans, findings
        self.names = {names[0]: names for names in ledger.layers}

    def run(self) -> None:
        if self.ledger.ledger != LANGUAGE:
            message = f"version {self.ledger.ledger} of the ledger's language is not known"
            self._refuse("NS508", self.spans.value("ledger"), message, f"this netspec reads `ledger: {LANGUAGE}`")
        if not self.ledger.rows:
            self._refuse("NS508", self.spans.value("rows"), "a ledger without rows checks nothing", "add a row")
        first: dict[str, int] = {}
        for number, row in enumerate(self.ledger.rows):
            if row.id in first:
                message = f"the row `{row.id}` stands here twice"
                self._refuse("NS506", self._at(number, "id"), message, "give one of them another id")
            first.setdefault(row.id, number)
            self._row(number, row)

    def _row(self, number: int, row: Row) -> None:
        if row.measure is None or row.status in UNCHECKED:
            self._unchecked(number, row)
            return
        before = len(self.findings.items)
        self._status(number, row)
        self._layers(number, row, row.measure.measure)
        self._options(number, row, row.measure.measure)
        if len(self.findings.items) == before:
            self._values(number, row, row.measure.measure)

    def _unchecked(self, number: int, row: Row) -> None:
        if row.measure is None and row.status not in UNCHECKED:
            words = ", ".join(f"`{status}`" for status in UNCHECKED)
            help = f"name one, or say why nothing is computed: `status:` {words}"
            self._refuse("NS505", self._at(number), f"the row `{row.id}` has no `measure`", help)
        elif row.measure is not None:
            message = f"a row with `status: {row.status}` is not checked, so it has no `measure`"
            self._refuse("NS505", self._at(number, "measure"), message, "remove one of them")

    def _status(self, number: int, row: Row) -> None:
        if row.expected is None:
            message = f"the row `{row.id}` has no `expected`"
            self._refuse("NS505", self._at(number), message, "`expected`: what the source says")
        for status, name, value in (("erratum", "actual", row.actual), ("differs", "source", row.source)):
            if row.status == status and value is None:
                self._refuse("NS505", self._at(number, "status"), f"`status: {status}` needs the key `{name}`")
            if row.status != status and value is not None:
                message = f"`{name}` belongs to `status: {status}`, and this is `{row.status}`"
                self._refuse("NS505", self._at(number, name), message)
        rounded = (row.rounds is not None) + (row.digits is not None)
        if rounded == 2 or (row.status == "rounds" and not rounded):
            at = self._at(number, "digits" if rounded else "status")
            self._refuse("NS505", at, "expected either `rounds` or `digits`", "`rounds: 1000`, or `digits: 2`")

    def _layers(self, number: int, row: Row, measure: Measure) -> None:
        least, most = {"net": (0, 0), "layers": (1, None), "either": (0, None), "two": (2, 2)}[measure.takes]
        if len(row.of) < least or (most is not None and len(row.of) > most):
            wanted = {
                "net": "no layers",
                "layers": "layers in `of`",
                "two": "two layers in `of`, the first and the last",
            }
            message = f"`{measure.name}` takes {wanted[measure.takes]}, found {len(row.of)}"
            self._refuse("NS504", self._at(number, "of" if row.of else "measure"), message)
        for n, name in enumerate(row.of):
            if name not in self.names:
                place = self.spans.value("rows", number, "of", n)
                help = did_you_mean(name, self.names) or "list it in the ledger's `layers`"
                self._refuse("NS503", place, f"`{name}` is not among the ledger's `layers`", help)

    def _options(self, number: int, row: Row, measure: Measure) -> None:
        given = {"device": row.device is not None, "type": row.type != "", "together": row.together}
        given |= {"recorded": row.recorded != (), "baseline": row.baseline != ()}
        allowed = set(measure.options) | ({"baseline"} if "recorded" in measure.options else set())
        for name, present in given.items():
            if present and name not in allowed:
                self._refuse("NS504", self._at(number, name), f"`{measure.name}` takes no `{name}`")
        for name in ("type", "recorded"):
            if name in measure.options and not given[name]:
                self._refuse("NS504", self._at(number, "measure"), f"`{measure.name}` needs the key `{name}`")
        if row.type and row.type not in LAYER_TYPES:
            help = did_you_mean(row.type, LAYER_TYPES)
            self._refuse("NS206", self._at(number, "type"), f"there is no layer type `{row.type}`", help)
        if row.baseline and len(row.baseline) != len(row.recorded):
            message = f"{len(row.baseline)} numbers to subtract from {len(row.recorded)}"
            self._refuse("NS507", self._at(number, "baseline"), message, "one for each")

    def _values(self, number: int, row: Row, measure: Measure) -> None:
        for name, claimed in (("expected", row.expected), ("actual", row.actual), ("source", row.source)):
            if claimed is not None:
                self._value(self._at(number, name), row, measure, claimed)

    def _value(self, place: Span, row: Row, measure: Measure, claimed: Claimed) -> None:
        values = row.values(claimed)
        count = len(row.recorded) or (1 if row.together or not row.of else len(row.of))
        free = measure.takes == "two" or measure.name == "layers"
        if not free and len(values) != count:
            each = f" for {count} layers" if row.of and not row.together else f" where `{measure.name}` has {count}"
            self._refuse("NS507", place, f"{len(values)} values{each}", "one value for all, or one for each")
        wrong = next((value for value in values if measure.numeric and not is_number(value)), None)
        if wrong is not None:
            self._refuse("NS507", place, f"`{measure.name}` is a number, and `{wrong}` is none")
        numbers = all(is_number(value) for value in values)
        if not numbers and (row.rounds or row.digits or row.tolerance or row.relation != "equals"):
            self._refuse("NS507", place, "only numbers are rounded, or at most or at least another")

    def _at(self, number: int, *path: str) -> Span:
        return self.spans.value("rows", number, *path) if path else self.spans.values["rows", number]

    def _refuse(self, code: str, place: Span, message: str, help: str = "") -> None:
        self.findings.add(Diagnostic(code, message, place, help=help))
