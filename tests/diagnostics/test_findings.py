"""How many findings one run reports."""

from __future__ import annotations

import pytest

from netspec.diagnostics import Diagnostic, Findings, SpecError
from netspec.source import Source, Span
from netspec.spec.load import load_text

PLACE = Span(Source("<string>", "text"), 0, 0, 0, 1)
IDLE = "  fc{0}: {{type: fc, inputs: {1}, outputs: 2, bias: false, init_b: 1, lr_b: 2}}\n"


def _finding(number: int, severity: str) -> Diagnostic:
    return Diagnostic("NS203", f"finding {number}", PLACE, "warning" if severity == "warning" else "error")


def test_many_warnings_are_no_error() -> None:
    layers = "".join(IDLE.format(n, f"fc{n - 1}" if n else "data") for n in range(30))
    spec = load_text(f"netspec: 1\nname: net\ninput: {{size: 4}}\nlayers:\n{layers}")
    assert len(spec.warnings) == 20
    assert len(spec.layers) == 30


def test_warnings_do_not_take_the_place_of_errors() -> None:
    findings = Findings(most=3)
    for number in range(5):
        findings.add(_finding(number, "warning"))
    for number in range(3):
        findings.add(_finding(number, "error"))
    assert [d.severity for d in findings.items].count("error") == 3
    with pytest.raises(SpecError) as error:
        findings.add(_finding(9, "error"))
    assert sorted(d.code for d in error.value.diagnostics if d.severity == "error") == ["NS112"] + ["NS203"] * 3
