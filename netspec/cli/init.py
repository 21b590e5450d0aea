"""`netspec init`: start from a built-in spec. It copies a file and nothing else."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from netspec.cli.arguments import refuse_idle
from netspec_runtime.errors import DataError


def init(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="A built-in spec.")] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="The file to write; NAME.yaml by default.")] = None,
    list_all: Annotated[bool, typer.Option("--list", help="List the built-in specs.")] = False,
) -> None:
    """Copy a built-in spec to start from; `--list` shows them all."""
    from netspec.diagnostics import Diagnostic, SpecError, did_you_mean
    from netspec.source import Source, whole
    from netspec.spec.load import load_spec
    from netspec.spec.shipped import shipped_specs

    specs = shipped_specs()
    if list_all:
        refuse_idle(context, "with --list", but=("list_all",))
    if name is None:
        refuse_idle(context, "without NAME", ("out",))
    if list_all or name is None:
        width = max(map(len, specs))
        for known, path in specs.items():
            typer.echo(f"{known:<{width}}  {load_spec(path).about}")
        return
    if name not in specs:
        advice = did_you_mean(name, specs) or "see `netspec init --list`"
        message = f"there is no built-in spec `{name}`"
        raise SpecError([Diagnostic("NS101", message, whole(Source(name, "")), help=advice)])
    target = out or Path(f"{name}.yaml")
    try:
        with target.open("x", encoding="utf-8") as file:
            file.write(specs[name].read_text(encoding="utf-8"))
    except FileExistsError:
        raise DataError(str(target), "it exists already", "choose another with --out") from None
    except OSError as error:
        raise DataError(str(target), f"cannot write: {error.strerror}", "choose another with --out") from None
    typer.echo(f"wrote {target}; next: netspec build {shlex.quote(str(target))}")
