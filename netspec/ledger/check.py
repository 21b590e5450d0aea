"""Checks a ledger against a compiled net: a verdict for each row, with both numbers and, for a failure, its reasons."""

from __future__ import annotations

from collections.abc import Sequence

from netspec.ledger.measure import Claims, Measure
from netspec.ledger.model import UNCHECKED, Ledger, Row
from netspec.ledger.net import Net
from netspec.ledger.report import LedgerReport, RowReport, Verdict
from netspec.ledger.value import Agreement, Item, Missing, Plain, agree, agree_all, show, show_all

MOST_REASONS = 10
MOST_LISTED = 4  # layers that disagree
MOST_EXPLAINED = 2  # of these, the first ones: later layers mostly follow from them


def check_ledger(ledger: Ledger, net: Net) -> LedgerReport:
    """Every row's verdict on a compiled net (a `netspec.pipeline.Compiled`)."""
    known = frozenset(net.typed.by_name)
    rows = tuple(ledger.in_terms_of(row, known) for row in ledger.rows)
    claims = _claims(rows)
    places = (ledger.spans.values["rows", number].where for number in range(len(rows)))
    reports = tuple(_check(row, place, ledger, net, claims) for row, place in zip(rows, places, strict=True))
    return LedgerReport(ledger.name, ledger.about, ledger.source, net.spec.name, reports)


def _claims(rows: Sequence[Row]) -> Claims:
    """What the ledger says of single layers, whole and by measure."""
    values: dict[str, dict[str, Plain]] = {}
    for row in rows:
        plain = row.status in ("holds", "erratum") and row.device is None and not row.together
        if row.measure is None or not row.of or not plain or row.relation != "equals" or row.rounds or row.digits:
            continue
        said = row.values(row.actual if row.status == "erratum" else row.expected)
        if len(said) == len(row.of):
            values.setdefault(row.measure.name, {}).update(zip(row.of, said, strict=True))
    return Claims(values)


def _check(row: Row, place: str, ledger: Ledger, net: Net, claims: Claims) -> RowReport:
    if row.measure is None or row.status in UNCHECKED:
        text = "" if row.expected is None else show_all(row.values(row.expected))
        return RowReport(row.id, row.where, row.claim, UNCHECKED[row.status], text, "not checked", (), row.why, place)
    measure = row.measure.measure
    found = measure.measure(net, row.scope)
    verdict, note = _verdict(row, found, ledger.voices)
    reasons: tuple[str, ...] = ()
    if verdict == "FAILS":
        there = {item.label for item in found if not isinstance(item.value, Missing)}
        wrong = tuple(label for label in _wrong(row, found) if label in there)
        why = measure.why(net, row.scope, wrong[:MOST_EXPLAINED], claims)
        reasons = _reasons(row, found, note, why)
    shown = show_all([item.value for item in found], measure.style) + (f" ({note})" if verdict == "differs" else "")
    return RowReport(
        row.id, row.where, row.claim, verdict, _expected(row, measure, ledger), shown, reasons, row.why, place
    )


def _verdict(row: Row, found: Sequence[Item], voices: tuple[str, str]) -> tuple[Verdict, str]:
    """The verdict, and a note: which of two sources is followed, or what is special about a failure."""
    said = agree_all(found, row.values(row.expected), row.precision)
    equality = row.precision.as_equality
    if row.status == "erratum":
        if agree_all(found, row.values(row.actual), equality) != Agreement.NONE:
            return "erratum", ""
        slip = "the spec has what was printed by mistake" if said != Agreement.NONE else ""
        return "FAILS", slip
    if row.status == "differs":
        if said != Agreement.NONE:
            return "differs", f"as {voices[0]}"
        if agree_all(found, row.values(row.source), equality) != Agreement.NONE:
            return "differs", f"as {voices[1]}"
        return "FAILS", f"neither {voices[0]}'s value nor {voices[1]}'s" if len(found) == 1 else ""
    if said == Agreement.NONE:
        return "FAILS", ""
    exact = said == Agreement.EXACT or row.recorded  # a measured percentage is always printed rounded
    return ("holds" if exact else "rounds"), ""


def _expected(row: Row, measure: Measure, ledger: Ledger) -> str:
    """What was claimed, with the other value where there is one."""
    text = show_all(row.values(row.expected), measure.style, row.relation)
    if row.status == "erratum":
        return f"{text}; truly {show_all(row.values(row.actual), measure.style)}"
    if row.status == "differs":
        return f"{text}; {ledger.voices[1]}: {show_all(row.values(row.source), measure.style)}"
    return text


def _reasons(row: Row, found: Sequence[Item], note: str, why: tuple[str, ...]) -> tuple[str, ...]:
    """The values that disagree, then why they are what they are."""
    missing = [item.value.why for item in found if isinstance(item.value, Missing)]
    listed = _few(missing) + _few(_disagreements(row, found))
    unique = tuple(dict.fromkeys(line for line in (note, *listed, *why) if line))
    return unique[:MOST_REASONS]


def _few(lines: list[str]) -> list[str]:
    more = len(lines) - MOST_LISTED
    return lines if more <= 0 else [*lines[:MOST_LISTED], f"and {more} more layer{'s' * (more > 1)}"]


def _disagreements(row: Row, found: Sequence[Item]) -> list[str]:
    """Which of several layers disagree; the table itself shows what a single value is."""
    if row.measure is None or len(found) < 2 or not found[0].label:
        return []
    style = row.measure.measure.style
    wrong = _wrong(row, found)
    pairs = zip(found, _true_values(row, found), strict=True)
    there = [(i, v) for i, v in pairs if i.label in wrong and not isinstance(i.value, Missing)]
    return [f"`{item.label}`: {show(item.value, style)}, not {show(value, style)}" for item, value in there]


def _wrong(row: Row, found: Sequence[Item]) -> tuple[str, ...]:
    """The labels of the values that disagree with what should be."""
    return _unlike(row, found, _true_values(row, found))


def _true_values(row: Row, found: Sequence[Item]) -> tuple[Plain, ...]:
    """What should be: not the printed slip; of two sources the one that is nearer to what was found."""
    if row.status == "erratum":
        return row.values(row.actual)
    sides = [row.values(row.expected)] + ([row.values(row.source)] if row.status == "differs" else [])
    return min(sides, key=lambda values: len(_unlike(row, found, values)))


def _unlike(row: Row, found: Sequence[Item], values: Sequence[Plain]) -> tuple[str, ...]:
    precision = row.precision if row.status != "erratum" else row.precision.as_equality
    pairs = zip(found, values, strict=False)  # an order of operations may have another length
    return tuple(item.label for item, value in pairs if agree(item.value, value, precision) == Agreement.NONE)
