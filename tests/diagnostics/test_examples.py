"""Every file of specs/invalid gives exactly the findings that stand beside it. `update.py` writes them anew."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from netspec.layers import LAYER_TYPES
from netspec.source import whole
from tests.diagnostics.examples import examples, findings, rendering

EXAMPLES = examples()
PER_EXAMPLE = pytest.mark.parametrize("path", EXAMPLES, ids=[path.stem for path in EXAMPLES])


@PER_EXAMPLE
def test_an_invalid_file_is_rendered_as_expected(path: Path) -> None:
    assert rendering(path) == path.with_suffix(".txt").read_text(encoding="utf-8")


@PER_EXAMPLE
def test_an_invalid_file_says_in_its_first_line_what_is_wrong_and_shows_its_code(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert re.match(r"# [A-Z].+\.\n", text.partition("\n")[0] + "\n"), "no sentence in the first line"
    assert path.stem[:5] in {d.code for d in findings(path)}


@PER_EXAMPLE
def test_every_finding_points_at_text(path: Path) -> None:
    for d in findings(path):
        for span in (d.span, *(other.span for other in d.others)):
            nothing_written = not span.source.line(span.line)[span.column :].strip()
            assert span.text or nothing_written or span == whole(span.source), d
            assert (span.end_line, span.end_column) >= (span.line, span.column)


def test_no_rendering_names_a_folder() -> None:
    shown = "".join(path.with_suffix(".txt").read_text(encoding="utf-8") for path in EXAMPLES)
    assert re.findall(r"(?<![\w.])/\w+/", shown) == []


def test_no_rendering_is_left_over() -> None:
    folder = EXAMPLES[0].parent
    assert {path.stem for path in folder.iterdir()} == {path.stem for path in EXAMPLES}


def test_every_layer_type_has_an_invalid_example() -> None:
    shown = {d.span.source.line(d.span.line) for path in EXAMPLES for d in findings(path)}
    missing = [kind for kind in LAYER_TYPES if not any(f"type: {kind}," in line for line in shown)]
    assert missing == []
