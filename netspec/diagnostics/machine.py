"""Diagnostics for machines: JSON, GitHub annotations and SARIF 2.1.0."""

from __future__ import annotations

import json
from collections.abc import Iterable

from netspec.diagnostics.diagnostic import Diagnostic
from netspec.source import Span


def render_json(diagnostics: Iterable[Diagnostic]) -> str:
    """A JSON list; lines and columns are counted from 1."""
    return json.dumps([_as_json(d) for d in diagnostics], indent=2) + "\n"


def render_github(diagnostics: Iterable[Diagnostic]) -> str:
    """Workflow commands that GitHub shows beside the changed line."""
    return "".join(_as_github(d) + "\n" for d in diagnostics)


def render_sarif(diagnostics: Iterable[Diagnostic], version: str) -> str:
    """One SARIF run, as code-scanning tools read it."""
    driver = {"name": "netspec", "version": version}
    results = [_as_sarif(d) for d in diagnostics]
    document = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": results}],
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
        "notes": list(d.notes),
        "help": d.help,
        "others": [{**_place(o.span), "text": o.text} for o in d.others],
    }


def _as_github(d: Diagnostic) -> str:
    message = d.message + "".join(f"\n{note}" for note in d.notes) + (f"\nhelp: {d.help}" if d.help else "")
    escaped = message.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    file = d.span.source.name.replace("%", "%25").replace(":", "%3A").replace(",", "%2C").replace("\n", "%0A")
    place = f"file={file},line={d.span.line + 1},col={d.span.column + 1}"
    return f"::{d.severity} {place},title={d.code}::{escaped}"


def _as_sarif(d: Diagnostic) -> dict[str, object]:
    region = {
        "startLine": d.span.line + 1,
        "startColumn": d.span.column + 1,
        "endLine": d.span.end_line + 1,
        "endColumn": max(d.span.end_column, d.span.column + 1) + 1,
    }
    location = {"physicalLocation": {"artifactLocation": {"uri": d.span.source.name}, "region": region}}
    return {"ruleId": d.code, "level": d.severity, "message": {"text": d.message}, "locations": [location]}
