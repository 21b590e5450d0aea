"""Text that is no YAML: the fault is named in the same words at the same place by either parser."""

from __future__ import annotations

import pytest

from netspec.diagnostics import SpecError
from netspec.source import Source
from netspec.syntax.reader import read_tree

pytestmark = pytest.mark.usefixtures("parser")


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("a: b: c", "x:1:5", "a `:` cannot stand here"),
        ("a: [1, 2", "x:1:4", "this `[` is never closed"),
        ("a: {x: 1, y: 2", "x:1:4", "this `{` is never closed"),
        ("a: 'abc", "x:1:4", "this quote is never closed"),
        ("a: {b: c]", "x:1:9", "expected `,` or `}`"),
        ("a: {b: c d: e}", "x:1:11", "expected `,` or `}`"),
        ("a: {b: tanh[1, 2]}", "x:1:12", "a `[` cannot follow a word in braces"),
        ("a:\n\tb: 1", "x:2:1", "a tab cannot indent"),
        ("a:\n  b: 1\n c: 2", "x:3:2", "this does not belong to the mapping above"),
        ("- a\nb: 1", "x:2:1", "this does not belong to the list above"),
        ("a: 1\nb\nc: 2", "x:2:1", "this line has no `:`"),
        ("a: @x", "x:1:4", "no value starts with this character"),
        ("a: }", "x:1:4", "a value is missing before this"),
        ("a: - b", "x:1:4", "a `-` cannot stand here"),
        ("a: |x\n", "x:1:5", "only a line break may follow `|` or `>`"),
        ("{a: b}}", "x:1:7", "the spec has ended before this"),
        ("%YAML 3.0\n--- a", "x:1:1", "no such version of YAML"),
        ("%YAML 1.1\n%YAML 1.1\n---\na", "x:2:1", "no such directive"),
        ("a: !<b", "x:1:7", "this is not YAML"),
        ("a: &", "x:1:5", "this is not YAML"),
    ],
)
def test_a_fault_is_named_where_it_is(text: str, place: str, message: str) -> None:
    with pytest.raises(SpecError) as error:
        read_tree(Source("x", text))
    found = error.value.diagnostics[0]
    assert (found.code, found.span.where, found.message) == ("NS104", place, f"not valid YAML: {message}")
    assert found.help


@pytest.mark.parametrize("text", ['a: "\\q"', 'a: "\\xzz"', 'a: "\\U00110000"', 'a: "\\ud800"'])
def test_an_escape_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(SpecError) as error:
        read_tree(Source("x", text))
    assert error.value.diagnostics[0].code in ("NS102", "NS104")


def test_an_open_bracket_is_shown_beside_the_place_where_reading_stopped() -> None:
    with pytest.raises(SpecError) as error:
        read_tree(Source("x", "a: {b: 1\nc: 2\n"))
    found = error.value.diagnostics[0]
    assert [(label.span.where, label.text) for label in found.others] == [("x:1:4", "this `{` is still open")]
