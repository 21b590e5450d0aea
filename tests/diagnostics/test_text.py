"""The text renderer: what stands where, whatever the line holds."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from netspec.diagnostics import Diagnostic, Label, SpecError
from netspec.diagnostics.text import columns, render, render_one
from netspec.source import Source, Span, whole


def at(text: str, start: int, end: int, **more: object) -> str:
    """The rendering of a finding in the first line."""
    span = Span(Source("f.yaml", text), 0, start, 0, end)
    return render_one(Diagnostic("NS204", "wrong", span, **more))  # type: ignore[arg-type]  # fields of Diagnostic


def test_the_whole_form() -> None:
    source = Source("f.yaml", "one: 1\ntwo: 2\nthree: 3\n")
    found = Diagnostic(
        "NS204",
        "three is too large",
        Span(source, 2, 7, 2, 8),
        label="too large",
        notes=("one is 1", "two is 2"),
        help="use 2",
        others=(Label(Span(source, 0, 5, 0, 6), "more than this"),),
    )
    assert render_one(found) == (
        "error[NS204]: three is too large\n"
        " --> f.yaml:3:8\n"
        "  |\n"
        "1 | one: 1\n"
        "  |      - more than this\n"
        "...\n"
        "3 | three: 3\n"
        "  |        ^ too large\n"
        "  |\n"
        "  = because one is 1\n"
        "  = because two is 2\n"
        "  = help: use 2\n"
    )


def test_two_marks_in_one_line_share_a_row_and_their_words_hang() -> None:
    source = Source("f.yaml", "a: 1, b: 2, c: 3")
    marks = tuple(Label(Span(source, 0, n, 0, n + 1), word) for n, word in ((0, "first"), (6, "second")))
    shown = render_one(Diagnostic("NS108", "wrong", Span(source, 0, 12, 0, 13), label="third", others=marks))
    assert shown.splitlines()[3:] == [
        "1 | a: 1, b: 2, c: 3",
        "  | -     -     ^ third",
        "  | |     |",
        "  | |     second",
        "  | |",
        "  | first",
    ]


def test_lines_of_several_files_are_kept_apart() -> None:
    file, argument = Source("f.yaml", "a: 1\n"), Source("--set", "a=2")
    found = Diagnostic("NS204", "wrong", Span(argument, 0, 2, 0, 3), others=(Label(Span(file, 0, 0, 0, 1), "here"),))
    shown = render_one(found).splitlines()
    assert shown[1] == " --> --set:1:3"
    assert shown[5] == " ::: f.yaml:1:1"


def test_line_numbers_are_aligned() -> None:
    source = Source("f.yaml", "\n" * 8 + "i: 9\nj: 10\n")
    found = Diagnostic("NS204", "x", Span(source, 9, 0, 9, 1), others=(Label(Span(source, 8, 0, 8, 1), "y"),))
    assert [line[:4] for line in render_one(found).splitlines()[3:7]] == [" 9 |", "   |", "10 |", "   |"]


def test_wide_and_combining_characters_keep_the_caret_below_its_text() -> None:
    assert at("日本: x", 4, 5).splitlines()[4] == "  |       ^"
    assert at("e\u0301: x", 4, 5).splitlines()[4] == "  |    ^"
    assert at("a: 日本", 3, 5).splitlines()[4] == "  |    ^^^^"


def test_tabs_are_one_column() -> None:
    assert at("\ta: x", 4, 5).splitlines()[3:] == ["1 |  a: x", "  |     ^"]


def test_a_place_past_the_end_of_the_line_has_one_caret() -> None:
    assert at("a:", 2, 2).splitlines()[4] == "  |   ^"


def test_a_span_over_several_lines_is_marked_to_the_end_of_the_first() -> None:
    source = Source("f.yaml", "a: {b: 1,\n  c: 2}\n")
    assert render_one(Diagnostic("NS204", "x", Span(source, 0, 3, 1, 7))).splitlines()[4] == "  |    ^^^^^^"


def test_a_long_line_is_cut_around_the_place() -> None:
    shown = at("x" * 500 + "HERE" + "y" * 500, 500, 504).splitlines()
    assert "HERE" in shown[3]
    assert shown[3].startswith("1 | …")
    assert shown[3].endswith("…")
    assert len(shown[3]) < 140
    assert shown[3].index("HERE") == shown[4].index("^^^^")


def test_a_text_without_lines_shows_its_name_only() -> None:
    shown = render_one(Diagnostic("NS101", "cannot read", whole(Source("f.yaml", "")), help="check it"))
    assert shown == "error[NS101]: cannot read\n --> f.yaml\n  = help: check it\n"


def test_control_characters_do_not_reach_the_terminal() -> None:
    assert "\x1b" not in at("a: \x1b[31mred", 3, 4, help="\x1b[2J", notes=("\x07",))
    assert "\\x1b" in at("a: \x1b[31mred", 3, 4)


def test_long_causes_are_wrapped_and_indented() -> None:
    shown = at("a: 1", 3, 4, help="word " * 60).splitlines()
    assert all(len(line) <= 100 for line in shown)
    assert {re.match(" *", line)[0] for line in shown[7:]} == {"          "}  # type: ignore[index]  # it matches all


def test_colours_only_when_asked_for() -> None:
    found = Diagnostic("NS204", "wrong", Span(Source("f.yaml", "a: 1"), 0, 3, 0, 4), help="mend it")
    assert "\x1b" not in render([found])
    coloured = render([found], color=True)
    assert coloured.startswith("\x1b[1;31merror[NS204]\x1b[0m: wrong")
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == render([found])


def test_findings_are_in_the_order_of_the_text() -> None:
    source = Source("f.yaml", "a\nb\nc\n")
    found = [Diagnostic("NS204", f"{n}", Span(source, n, 0, n, 1)) for n in (2, 0, 1)]
    assert [d.message for d in SpecError(found).diagnostics] == ["0", "1", "2"]


@given(st.text(max_size=200), st.integers(0, 5), st.integers(0, 250), st.integers(0, 5), st.integers(0, 250))
def test_any_span_of_any_text_is_rendered(text: str, line: int, column: int, end_line: int, end_column: int) -> None:
    source = Source("f.yaml", text)
    found = Diagnostic("NS204", text, Span(source, line, column, end_line, end_column), notes=(text,), help=text)
    shown = render_one(found)
    assert all(part.isprintable() for part in shown.split("\n"))
    assert all(columns(row) < 700 for row in shown.split("\n"))
