"""JSON, GitHub and SARIF: every field that their readers need, on every example."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from netspec.diagnostics import Diagnostic, Label
from netspec.diagnostics.codes import CODES
from netspec.diagnostics.machine import render_github, render_json, render_sarif
from netspec.source import Source, Span, whole
from tests.diagnostics.examples import examples, findings

SOURCE = Source("nets/my net.yaml", "a: 1\nbé: 22\n")
FOUND = Diagnostic(
    "NS204",
    "100% wrong:\nreally",
    Span(SOURCE, 1, 4, 1, 6),
    notes=("`a` is 1",),
    help="mend it",
    others=(Label(Span(SOURCE, 0, 0, 0, 1), "see here"),),
)
PER_EXAMPLE = pytest.mark.parametrize("path", examples(), ids=[path.stem for path in examples()])


def sarif(diagnostics: list[Diagnostic]) -> Any:
    return json.loads(render_sarif(diagnostics, "1.2.3"))


def test_json_has_every_field_counted_from_one() -> None:
    assert json.loads(render_json([FOUND])) == [
        {
            "code": "NS204",
            "severity": "error",
            "message": "100% wrong:\nreally",
            "file": "nets/my net.yaml",
            "line": 2,
            "column": 5,
            "end_line": 2,
            "end_column": 7,
            "label": "",
            "notes": ["`a` is 1"],
            "help": "mend it",
            "others": [
                {
                    "file": "nets/my net.yaml",
                    "line": 1,
                    "column": 1,
                    "end_line": 1,
                    "end_column": 2,
                    "text": "see here",
                }
            ],
        }
    ]


def test_nothing_found_is_an_empty_list() -> None:
    assert json.loads(render_json([])) == []
    assert render_github([]) == ""
    assert sarif([])["runs"][0]["results"] == []


def test_github_gets_one_escaped_line() -> None:
    assert render_github([FOUND]) == (
        "::error file=nets/my net.yaml,line=2,endLine=2,col=5,endColumn=6,title=NS204::"
        "100%25 wrong:%0Areally%0Abecause `a` is 1%0Ahelp: mend it\n"
    )


def test_github_properties_cannot_be_broken_out_of() -> None:
    strange = Diagnostic("NS101", "x", whole(Source("a,title=b::c\n%", "")), severity="warning")
    assert render_github([strange]).startswith("::warning file=a%2Ctitle=b%3A%3Ac%0A%25,line=1,")


def test_sarif_has_what_the_schema_requires() -> None:
    document = sarif([FOUND])
    assert document["version"] == "2.1.0"
    assert document["$schema"].endswith("sarif-2.1.0.json")
    (run,) = document["runs"]
    driver = run["tool"]["driver"]
    assert (driver["name"], driver["version"]) == ("netspec", "1.2.3")
    assert [rule["id"] for rule in driver["rules"]] == ["NS204"]
    assert driver["rules"][0]["shortDescription"]["text"] == CODES["NS204"].title
    assert run["columnKind"] == "unicodeCodePoints"
    (result,) = run["results"]
    assert (result["ruleId"], result["ruleIndex"], result["level"]) == ("NS204", 0, "error")
    assert result["message"]["text"] == "100% wrong:\nreally\nbecause `a` is 1\nhelp: mend it"
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "nets/my%20net.yaml"
    assert place["region"] == {"startLine": 2, "startColumn": 5, "endLine": 2, "endColumn": 7}
    (related,) = result["relatedLocations"]
    assert related["message"]["text"] == "see here"
    assert related["physicalLocation"]["region"]["startLine"] == 1


def test_sarif_names_an_override_that_is_in_no_file() -> None:
    found = Diagnostic("NS204", "x", Span(Source("--set", "train.batch=0"), 0, 12, 0, 13))
    (result,) = sarif([found])["runs"][0]["results"]
    assert result["locations"] == [{"logicalLocations": [{"fullyQualifiedName": "--set train.batch=0"}]}]


@PER_EXAMPLE
def test_every_example_is_legal_in_every_form(path: Path) -> None:
    found = list(findings(path))
    assert [d["code"] for d in json.loads(render_json(found))] == [d.code for d in found]
    lines = render_github(found).splitlines()
    assert len(lines) == len(found)
    assert all(
        re.match(r"::(error|warning) file=[^:,]+,line=\d+,endLine=\d+(,col=\d+,endColumn=\d+)?,title=NS\d{3}::.", s)
        for s in lines
    )
    run = sarif(found)["runs"][0]
    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        for location in (*result["locations"], *result.get("relatedLocations", [])):
            region = location.get("physicalLocation", {}).get("region")
            assert region is None or legal(region)


def legal(region: dict[str, int]) -> bool:
    """A region is not empty, and its numbers count from 1."""
    start, end = (region["startLine"], region["startColumn"]), (region["endLine"], region["endColumn"])
    return min(region.values()) >= 1 and start < end
