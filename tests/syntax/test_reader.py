"""Reading: places are exact in any script, limits hold, and what makes bombs is refused, with either YAML parser."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from netspec.diagnostics import SpecError
from netspec.source import Source
from netspec.syntax.reader import MAX_BYTES, MAX_DEPTH, MAX_LINE, MAX_NODES, read_source, read_tree
from netspec.syntax.tree import Mapping, Scalar, Sequence, Tree

pytestmark = pytest.mark.usefixtures("parser")

Plain = str | list["Plain"] | dict[str, "Plain"]
_TEXT = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), max_size=12)
_TREES = st.recursive(
    _TEXT, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4), max_leaves=12
)


@dataclass
class Writer:
    """Writes a tree as YAML in flow style over several lines, and notes where each scalar stands."""

    lines: list[str] = field(default_factory=lambda: [""])
    places: list[tuple[str, int, int, str]] = field(default_factory=list)

    def put(self, text: str) -> None:
        self.lines[-1] += text

    def scalar(self, text: str) -> None:
        shown = text if text.isalpha() and text.isascii() else json.dumps(text, ensure_ascii=False)
        self.places.append((text, len(self.lines) - 1, len(self.lines[-1]), shown))
        self.put(shown)

    def write(self, tree: Plain) -> None:
        if isinstance(tree, str):
            self.scalar(tree)
        elif isinstance(tree, dict):
            self.put("{")
            for key, value in tree.items():
                self.scalar(key)
                self.put(": ")
                self.write(value)
                self.put(",")
                self.lines.append(" ")
            self.put("}")
        else:
            self.put("[")
            for value in tree:
                self.write(value)
                self.put(", ")
            self.put("]")


def scalars(tree: Tree) -> Iterator[Scalar]:
    """All scalars, in the order of the text."""
    if isinstance(tree, Scalar):
        yield tree
    elif isinstance(tree, Sequence):
        for item in tree.items:
            yield from scalars(item)
    else:
        for entry in tree.entries:
            yield entry.key
            yield from scalars(entry.value)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(_TREES)
def test_the_text_at_a_span_is_the_scalar_as_written(tree: Plain) -> None:
    writer = Writer()
    writer.write({"top": tree})
    text = "\n".join(writer.lines)
    read = [(s.text, s.span.line, s.span.column, s.span.text) for s in scalars(read_tree(Source("x", text)))]
    assert read == writer.places


def test_columns_count_characters_in_any_script() -> None:
    text = 'näme: "日本 é"  # c\n日本: {é: [ä, "ö 𐎀", x]}\n'
    found = [(s.span.line, s.span.column, s.span.text) for s in scalars(read_tree(Source("x", text)))]
    expected = [
        (0, 0, "näme"),
        (0, 6, '"日本 é"'),
        (1, 0, "日本"),
        (1, 5, "é"),
        (1, 9, "ä"),
        (1, 12, '"ö 𐎀"'),
        (1, 19, "x"),
    ]
    assert found == expected


def test_windows_line_ends_are_line_ends(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n")
    source = read_source(tmp_path / "a.yaml")
    assert source.text == "a: 1\nb: 2\n"
    typed = read_tree(Source("x", "a: 1\r\nb: 2\r\n"))
    assert [(s.text, s.span.line, s.span.column) for s in scalars(typed)][2:] == [("b", 1, 0), ("2", 1, 3)]


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("a: 1\rb: 2", "NS102", (0, 4)),
        ("a: \x00", "NS102", (0, 3)),
        ("a: \ud800", "NS102", (0, 3)),
        ("a: b\u200bc", "NS102", (0, 4)),
        ("a: b\u2028c", "NS102", (0, 4)),
        ("a: \x1b[31mred", "NS102", (0, 3)),
        ('a: "\\u202e"', "NS102", (0, 3)),
        ('a: "\\0"', "NS102", (0, 3)),
        ("#" * (MAX_BYTES + 1), "NS103", (0, 0)),
        ("[" * MAX_LINE, "NS105", (0, MAX_DEPTH)),
        ("\n".join("[" * 100 for _ in range(5000)), "NS105", (0, MAX_DEPTH)),
        ("{a: " * 5000, "NS105", (0, MAX_DEPTH * 4)),
        ("a: &x [1]", "NS106", (0, 3)),
        ("a: *x", "NS106", (0, 3)),
        ("<<: {a: 1}", "NS106", (0, 0)),
        ("a: !!str 1", "NS107", (0, 3)),
        ("a: 1\nb: 2\na: 3", "NS108", (2, 0)),
        ("", "NS109", (0, 0)),
        ("# nothing", "NS109", (0, 0)),
        ("---\n...\n", "NS109", (0, 0)),
        ("a: 1\n---\nb: 2", "NS109", (1, 0)),
        ("[a, b]: 1", "NS110", (0, 0)),
        ("? {a: b}\n: 1", "NS110", (0, 2)),
        ("a: " + "x" * MAX_LINE, "NS111", (0, 0)),
        ("\n".join("- a" for _ in range(MAX_NODES)), "NS111", (MAX_NODES - 1, 2)),
    ],
)
def test_what_is_refused_and_where(text: str, code: str, place: tuple[int, int]) -> None:
    with pytest.raises(SpecError) as error:
        read_tree(Source("x", text))
    first = error.value.diagnostics[0]
    assert (first.code, (first.span.line, first.span.column)) == (code, place)


def test_a_quoted_merge_key_is_a_key() -> None:
    tree = read_tree(Source("x", '"<<": 1'))
    assert isinstance(tree, Mapping)
    assert tree.entries[0].key.text == "<<"


def test_ten_megabytes_of_brackets_are_not_even_parsed(tmp_path: Path) -> None:
    (tmp_path / "big.yaml").write_bytes(b"[" * 10_000_000)
    with pytest.raises(SpecError) as error:
        read_source(tmp_path / "big.yaml")
    assert error.value.diagnostics[0].code == "NS103"


def test_a_bomb_of_aliases_is_never_expanded() -> None:
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 40)]
    with pytest.raises(SpecError) as error:
        read_tree(Source("x", "\n".join(lines)))
    assert {d.code for d in error.value.diagnostics} <= {"NS106", "NS112"}


def test_all_that_is_not_allowed_is_found_in_one_run() -> None:
    with pytest.raises(SpecError) as error:
        read_tree(Source("x", "a: &x 1\nb: *x\nb: !!str 2\n[c]: {<<: 1}\n"))
    assert [d.code for d in error.value.diagnostics] == ["NS106", "NS106", "NS108", "NS107", "NS110", "NS106"]


@pytest.mark.parametrize("name", ["missing.yaml", "."])
def test_a_path_that_is_no_file_is_one_finding(tmp_path: Path, name: str) -> None:
    with pytest.raises(SpecError) as error:
        read_source(tmp_path / name, name)
    assert [d.code for d in error.value.diagnostics] == ["NS101"]


def test_a_name_with_a_nul_is_one_finding() -> None:
    with pytest.raises(SpecError) as error:
        read_source(Path("a\0b"))
    assert [d.code for d in error.value.diagnostics] == ["NS101"]


def test_a_byte_that_is_no_text_has_its_line_and_column(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes("é: 1\nb: x".encode() + b"\xe9\n")
    with pytest.raises(SpecError) as error:
        read_source(tmp_path / "a.yaml", "a.yaml")
    first = error.value.diagnostics[0]
    assert (first.code, first.span.where) == ("NS102", "a.yaml:2:5")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=300)
@given(st.text(st.sampled_from("ab:-[]{},&*!|>'\"%@`#? \n\t\\0~.é")))
def test_any_text_is_a_tree_or_findings_inside_of_it(text: str) -> None:
    source = Source("x", text)
    try:
        tree = read_tree(source)
    except SpecError as error:
        spans = [d.span for d in error.diagnostics]
    else:
        spans = [tree.span]
    for span in spans:
        assert 0 <= span.line <= len(source.lines)
        assert 0 <= span.column <= len(source.line(span.line)) + 1
