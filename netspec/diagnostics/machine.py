"""Diagnostics for machines: JSON, GitHub annotations and SARIF 2.1.0."""

from __future__ import annotations

import json
from collections.abc import Iterable
from urllib.parse import quote

from netspec.diagnostics.codes import CODES
from netspec.diagnostics.diagnostic import Diagnostic
from netspec.source import Span


def render_json(diagnostics: Iterable[Diagnostic]) -> str:
    """A JSON list; lines and columns are counted from 1 in characters, the end is exclusive."""
    return json.dumps([_as_json(d) for d in diagnostics], indent=2) + "\n"


def render_github(diagnostics: Iterable[Diagnostic]) -> str:
    """Workflow commands that GitHub shows beside the changed line."""
    return "".join(_as_github(d) + "\n" for d in diagnostics)


def render_sarif(diagnostics: Iterable[Diagnostic], version: str) -> str:
    """One SARIF run, as code-scanning tools read it; the rules are the codes that were found."""
    found = list(diagnostics)
    rules = sorted({d.code for d in found})
    driver = {"name": "netspec", "version": version, "rules": [_rule(code) for code in rules]}
    results = [_as_sarif(d, rules.index(d.code)) for d in found]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    document = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [run],
    }
    return json.dumps(document, indent=2) + "\n"


def _place(span: Span) -> dict[str, object]:
    return {
        "file": span.source.name,
        "line": span.line + 1,
        "column": span.column + 1,
        "end_line": span.end_line + 1,
        "end_column": span.end_column + 1,
    }


def _as_json(d: Diagnostic) -> dict[str, object]:
    return {
        "code": d.code,
        "severity": d.severity,
        "message": d.message,
        **_place(d.span),
        "label": d.label,
        "notes": list(d.notes),
        "help": d.help,
        "others": [{**_place(o.span), "text": o.text} for o in d.others],
    }


def _in_full(d: Diagnostic) -> str:
    return "\n".join([d.message, *(f"because {note}" for note in d.notes), *([f"help: {d.help}"] if d.help else [])])


def _as_github(d: Diagnostic) -> str:
    span = d.span
    place = f"line={span.line + 1},endLine={span.end_line + 1}"
    if span.line == span.end_line:  # GitHub takes columns of one line only
        place += f",col={span.column + 1},endColumn={max(span.end_column, span.column + 1)}"
    file = _escaped(span.source.name).replace(":", "%3A").replace(",", "%2C")
    return f"::{d.severity} file={file},{place},title={d.code}::{_escaped(_in_full(d))}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _rule(code: str) -> dict[str, object]:
    entry = CODES[code]
    return {
        "id": code,
        "shortDescription": {"text": entry.title},
        "fullDescription": {"text": entry.why},
        "help": {"text": entry.mend},
    }


def _as_sarif(d: Diagnostic, rule: int) -> dict[str, object]:
    related = [{"id": n, **_location(o.span), "message": {"text": o.text}} for n, o in enumerate(d.others)]
    return {
        "ruleId": d.code,
        "ruleIndex": rule,
        "level": d.severity,
        "message": {"text": _in_full(d)},
        "locations": [_location(d.span)],
        **({"relatedLocations": related} if related else {}),
    }


def _location(span: Span) -> dict[str, object]:
    """A place in a file; what stands on the command line or in a string is no file, and has a name only."""
    if span.source.name.startswith(("--", "<")):
        return {"logicalLocations": [{"fullyQualifiedName": f"{span.source.name} {span.source.text}"}]}
    empty = (span.end_line, span.end_column) <= (span.line, span.column)
    region = {
        "startLine": span.line + 1,
        "startColumn": span.column + 1,
        "endLine": span.end_line + 1,
        "endColumn": span.end_column + (2 if empty else 1),
    }
    return {"physicalLocation": {"artifactLocation": {"uri": quote(span.source.name)}, "region": region}}
