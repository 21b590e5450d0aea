"""`netspec summary`: the layer table of a spec. It prints; netspec.report counts."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from netspec.cli.arguments import SetOption, SpecArgument


def summary(
    spec: SpecArgument,
    assignments: SetOption = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Add the effective rounding, pads, LRN constants and dropout scale.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Print each layer's shape, device, parameters and multiply-adds, and what crosses between devices."""
    from netspec.pipeline import compile_file
    from netspec.report.table import render_table, table_as_json
    from netspec.spec.shipped import find_spec

    compiled = compile_file(find_spec(spec), assignments or (), name=spec)
    if as_json:
        typer.echo(json.dumps(table_as_json(compiled), indent=2, ensure_ascii=False))
    else:
        typer.echo(render_table(compiled, verbose), nl=False)
