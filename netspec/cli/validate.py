"""`netspec validate`: diagnostics and the ledger, nothing written. It imports neither torch nor onnx."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from netspec.cli.arguments import SetOption

if TYPE_CHECKING:
    from netspec.diagnostics import Diagnostic


class Format(StrEnum):
    """How diagnostics are printed."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"
    SARIF = "sarif"


def validate(
    specs: Annotated[list[str], typer.Argument(metavar="SPEC...", help="Layer files, or names of built-in specs.")],
    assignments: SetOption = None,
    against: Annotated[
        str | None, typer.Option(help="A ledger: paper, source2012, caffe, torchvision, or a file.")
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="How diagnostics are printed.")] = Format.TEXT,
) -> None:
    """Check layer files: the language, shapes, placement, and the ledger that a spec names or `--against` gives.

    Exit code 1 if a spec is wrong or a row of the ledger FAILS.
    """
    found: list[Diagnostic] = []
    failed = False
    for spec in specs:
        diagnostics, kept = _validate(spec, assignments or [], against, quiet=form is not Format.TEXT)
        found += diagnostics
        failed = failed or not kept
    _print(found, form)
    if failed:
        raise typer.Exit(1)


def _validate(
    spec: str, assignments: list[str], against: str | None, quiet: bool
) -> tuple[tuple[Diagnostic, ...], bool]:
    """What is wrong with one file, or probably is, and whether it passes. ``quiet``: diagnostics are the data."""
    from netspec.cli.ledger import check_against
    from netspec.diagnostics import SpecError
    from netspec.labels import read_labels
    from netspec.ledger import failures
    from netspec.pipeline import compile_file
    from netspec.spec.shipped import find_spec

    try:
        path = find_spec(spec)
        compiled = compile_file(path, assignments, name=spec)
        read_labels(compiled, path.parent, None)
        report = check_against(compiled, against, path.parent, aside=quiet)
    except SpecError as error:
        return error.diagnostics, False
    if not quiet:
        totals = f"{compiled.typed.parameter_count:,} parameters, {compiled.typed.macs:,} multiply-adds"
        typer.echo(f"{spec}: {len(compiled.typed.nodes)} layers, {totals}")
    failed = failures(report, compiled.spec.spans.value("ledger")) if report and quiet else ()
    return (*compiled.spec.warnings, *failed), report is None or not report.failed


def _print(found: list[Diagnostic], form: Format) -> None:
    from netspec import __version__
    from netspec.diagnostics import machine, text

    if form is Format.TEXT:
        typer.echo(text.render(found), err=True, nl=False)
    elif form is Format.GITHUB:
        typer.echo(machine.render_github(found), nl=False)
    elif form is Format.SARIF:
        typer.echo(machine.render_sarif(found, __version__), nl=False)
    else:
        typer.echo(machine.render_json(found), nl=False)
