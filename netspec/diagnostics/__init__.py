"""Diagnostics: what is wrong, where, why and how to mend it."""

from netspec.diagnostics.diagnostic import Diagnostic, Findings, Label, Severity, SpecError, in_order
from netspec.diagnostics.suggest import did_you_mean

__all__ = ["Diagnostic", "Findings", "Label", "Severity", "SpecError", "did_you_mean", "in_order"]
