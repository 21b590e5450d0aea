"""A diagnostic is data: a code, a place, a sentence, its causes and a fix. Rendering is elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from netspec.source import Span

Severity = Literal["error", "warning"]

MOST_FINDINGS = 20


@dataclass(frozen=True)
class Label:
    """A second place that helps to understand the first, with a few words."""

    span: Span
    text: str


@dataclass(frozen=True)
class Diagnostic:
    """One finding. ``notes`` are the causes, nearest first; ``help`` is the fix."""

    code: str
    message: str
    span: Span
    severity: Severity = "error"
    label: str = ""
    notes: tuple[str, ...] = ()
    help: str = ""
    others: tuple[Label, ...] = ()


class SpecError(Exception):
    """The spec is wrong: every error of one stage, in the order of the text. Exit code 1."""

    exit_code = 1

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = in_order(diagnostics)
        super().__init__("; ".join(f"{d.span.where}: {d.message} [{d.code}]" for d in self.diagnostics))


@dataclass
class Findings:
    """Collects what a stage finds, so that one run reports all of it: each thing once, and not too many."""

    items: list[Diagnostic] = field(default_factory=list)
    most: int = MOST_FINDINGS

    def add(self, diagnostic: Diagnostic) -> None:
        """Raises SpecError with all that was found when there are more than ``most`` errors; warnings past it go."""
        if diagnostic in self.items:
            return
        known = sum(found.severity == diagnostic.severity for found in self.items)
        if known == self.most and diagnostic.severity == "warning":
            return
        self.items.append(diagnostic)
        if known == self.most:
            message = f"more than {self.most} findings; the rest of the file was not checked"
            self.items[-1] = Diagnostic("NS112", message, diagnostic.span, help="mend those above first")
            raise SpecError(self.items)

    @property
    def errors(self) -> bool:
        return any(d.severity == "error" for d in self.items)

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        return in_order(d for d in self.items if d.severity == "warning")

    def stop_on_errors(self) -> None:
        """Raise all that was found if any of it is an error."""
        if self.errors:
            raise SpecError(self.items)


def in_order(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """By place in the text, then by code."""
    return tuple(sorted(diagnostics, key=lambda d: (d.span.source.name, d.span.line, d.span.column, d.code)))
