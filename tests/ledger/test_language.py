"""A wrong ledger: every error has its code, its place and a help, and all of them come in one run."""

from __future__ import annotations

from pathlib import Path

import pytest

from netspec.diagnostics import Diagnostic, SpecError
from netspec.ledger import MEASURES, find_ledger, ledger_reference, load_ledger_text
from netspec.ledger.measure import register
from netspec.source import Source, whole

HEADER = "ledger: 1\nname: test\nlayers: [conv1, fc2]\nrows:\n"
GOOD = '{id: a, where: "1", claim: c, measure: parameters, of: conv1, expected: 1}'


def diagnostics(text: str) -> list[Diagnostic]:
    with pytest.raises(SpecError) as error:
        load_ledger_text(text, "l.yaml")
    return list(error.value.diagnostics)


def one(row: str) -> Diagnostic:
    """The only diagnostic of a ledger whose only row is in line 5, from column 5."""
    found = diagnostics(f"{HEADER}  - {row}\n")
    assert len(found) == 1, [d.message for d in found]
    return found[0]


def with_keys(keys: str) -> str:
    return f'{{id: a, where: "1", claim: c, {keys}}}'


def test_a_good_ledger_loads() -> None:
    ledger = load_ledger_text(f"{HEADER}  - {GOOD}\n")
    assert [row.id for row in ledger.rows] == ["a"]


def test_an_unknown_measure_is_named_with_its_place_and_the_nearest() -> None:
    found = one(with_keys("measure: paramters, expected: 1"))
    assert (found.code, found.span.where, found.help) == ("NS502", "l.yaml:5:44", "did you mean `parameters`?")


def test_an_unknown_setting_is_named() -> None:
    found = one(with_keys("measure: layer.strides, of: conv1, expected: 1"))
    assert (found.code, found.help) == ("NS502", "did you mean `layer.stride`?")


def test_an_unknown_layer_is_named_with_its_place_and_the_nearest() -> None:
    found = one(with_keys("measure: units, of: [fc2, conv2], expected: 1"))
    assert (found.code, found.span.where, found.help) == ("NS503", "l.yaml:5:61", "did you mean `conv1`?")
    assert "`conv2` is not among the ledger's `layers`" in found.message


@pytest.mark.parametrize(
    ("keys", "code", "message"),
    [
        ("measure: units, device: 0, of: conv1, expected: 1", "NS504", "`units` takes no `device`"),
        ("measure: shape, expected: 1x1x1", "NS504", "takes layers in `of`, found 0"),
        ("measure: train.batch, of: conv1, expected: 1", "NS504", "takes no layers, found 1"),
        ("measure: sequence, of: conv1, expected: conv", "NS504", "takes two layers in `of`"),
        ("measure: count, expected: 1", "NS504", "needs the key `type`"),
        ("measure: recorded, expected: 1", "NS504", "needs the key `recorded`"),
        ("measure: count, type: convolution, expected: 1", "NS206", "there is no layer type `convolution`"),
        ("measure: kernel, of: conv1, together: true, expected: 3", "NS504", "`kernel` takes no `together`"),
        ("status: erratum, measure: units, expected: 1", "NS505", "needs the key `actual`"),
        ("status: differs, measure: units, expected: 1", "NS505", "needs the key `source`"),
        ("measure: units, expected: 1, actual: 2", "NS505", "`actual` belongs to `status: erratum`"),
        ("status: rounds, measure: units, expected: 1", "NS505", "expected either `rounds` or `digits`"),
        ("measure: units, expected: 1, digits: 1, rounds: 1", "NS505", "expected either `rounds` or `digits`"),
        ("measure: units", "NS505", "has no `expected`"),
        ("expected: 1", "NS505", "has no `measure`"),
        ("status: experiment, measure: units", "NS505", "is not checked, so it has no `measure`"),
        ("measure: units, of: [conv1, fc2], expected: [1, 2, 3]", "NS507", "3 values for 2 layers"),
        ("measure: units, expected: [1, 2]", "NS507", "2 values where `units` has 1"),
        (
            "measure: recorded, recorded: [1, 2], baseline: [1], expected: [1, 2]",
            "NS507",
            "1 numbers to subtract from 2",
        ),
        ("measure: units, expected: many", "NS507", "`units` is a number, and `many` is none"),
        ("measure: units, expected: true", "NS507", "`units` is a number, and `True` is none"),
        ("measure: shape, of: conv1, expected: 1x1x1, rounds: 2", "NS507", "only numbers are rounded"),
        ("measure: units, expected: 1, status: hold", "NS205", "`hold`"),
        ("measure: units, expected: 1, digits: 0", "NS204", "0"),
        ("measure: units, expected: 1, expect: 1", "NS201", "`expect`"),
    ],
)
def test_a_row_that_says_nothing_checkable_is_refused(keys: str, code: str, message: str) -> None:
    found = one(with_keys(keys))
    assert found.code == code
    assert message in found.message
    assert found.span.line == 4


def test_a_section_without_quotes_is_explained() -> None:
    found = one("{id: a, where: 3.5, claim: c, measure: units, expected: 1}")
    assert (found.code, found.help) == ("NS203", 'quote it: "3.5"')


def test_a_row_twice_is_refused_at_the_second() -> None:
    found = diagnostics(f"{HEADER}  - {GOOD}\n  - {GOOD}\n")
    assert [(d.code, d.span.where) for d in found] == [("NS506", "l.yaml:6:10")]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("ledger: 2\nname: t\nrows:\n  - {id: a, where: b, claim: c, status: experiment}\n", "NS508"),
        ("ledger: 1\nname: t\nrows: []\n", "NS508"),
        ("name: t\nrows: []\n", "NS202"),
        ("- a\n", "NS203"),
    ],
)
def test_a_file_that_is_no_ledger_is_refused(text: str, code: str) -> None:
    assert code in [d.code for d in diagnostics(text)]


def test_all_errors_come_in_one_run() -> None:
    rows = [with_keys("measure: units, of: conv3, expected: 1"), with_keys("measure: units, expected: 1, actual: 1")]
    found = diagnostics(HEADER + "".join(f"  - {row}\n" for row in rows))
    assert [d.code for d in found] == ["NS503", "NS506", "NS505"]


def test_an_unknown_ledger_is_named_with_the_nearest() -> None:
    with pytest.raises(SpecError) as error:
        find_ledger("papers")
    (found,) = error.value.diagnostics
    assert (found.code, found.help) == ("NS501", "did you mean `paper`?")


def test_an_unknown_ledger_of_a_spec_has_the_specs_place() -> None:
    place = whole(Source("net.yaml", "ledger: nothing"))
    with pytest.raises(SpecError) as error:
        find_ledger("nothing", Path("no-such-folder"), place)
    assert error.value.diagnostics[0].span.where == "net.yaml:1:1"


def test_the_paper_is_an_alias() -> None:
    assert find_ledger("paper") == find_ledger("krizhevsky2012")


def test_a_file_beside_the_spec_comes_before_a_shipped_ledger(tmp_path: Path) -> None:
    (tmp_path / "paper").write_text("mine")
    assert find_ledger("paper", tmp_path) == tmp_path / "paper"


def test_the_reference_has_every_measure_and_every_measure_is_documented() -> None:
    reference = ledger_reference()
    for name, measure in MEASURES.items():
        assert f"| `{name}` |" in reference
        assert measure.doc.endswith("."), name


def test_a_measure_is_registered_once() -> None:
    with pytest.raises(ValueError, match="registered twice"):
        register(MEASURES["units"])
