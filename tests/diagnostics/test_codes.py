"""The registry of codes against the code that raises them: each is explained, each is raised, each has an example."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from netspec.diagnostics.codes import CODES, registry
from netspec.diagnostics.explain import examples, explain_code


@pytest.fixture(scope="module")
def raised(root: Path) -> set[str]:
    """The codes in quotes anywhere in the compiler but in the catalogue."""
    files = [f for f in (root / "netspec").rglob("*.py") if "catalogue" not in f.parts]
    return {code for f in files for code in re.findall(r'"(NS\d{3})"', f.read_text(encoding="utf-8"))}


def test_every_code_that_is_raised_is_registered(raised: set[str]) -> None:
    assert raised - set(CODES) == set(), "add it to netspec/diagnostics/catalogue, and a file to specs/invalid"


def test_every_registered_code_is_raised(raised: set[str]) -> None:
    assert set(CODES) - raised == set()


def test_every_code_has_an_example() -> None:
    assert [code for code in CODES if not examples(code)] == []


def test_there_are_at_least_forty() -> None:
    assert len(CODES) >= 40


def test_titles_tell_codes_apart_and_fit_a_line() -> None:
    titles = [code.title for code in CODES.values()]
    assert len(set(titles)) == len(titles)
    assert [t for t in titles if len(t) > 60 or t.endswith(".") or t[0].isupper()] == []


def test_a_code_cannot_be_registered_twice() -> None:
    code = next(iter(CODES.values()))
    with pytest.raises(ValueError, match="registered twice"):
        registry([[code], [replace(code, title="another")]])


@pytest.mark.parametrize("code", CODES)
def test_an_explanation_says_why_and_shows_the_example_with_its_findings(code: str) -> None:
    text = explain_code(code)
    assert text.startswith(f"{code}: {CODES[code].title}\n")
    assert "To mend it: " in text
    assert f"[{code}]" in text.partition("gives:")[2]


def test_a_code_that_is_none_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        explain_code("NS999")
