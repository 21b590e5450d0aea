"""`netspec graph`: the drawing of a spec. It writes text; netspec.report draws."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from netspec.cli.arguments import SetOption, SpecArgument, refuse_idle

if TYPE_CHECKING:
    from netspec.pipeline import Compiled


class GraphFormat(StrEnum):
    """What a net is drawn as."""

    SVG = "svg"
    MERMAID = "mermaid"
    DOT = "dot"


def graph(
    context: typer.Context,
    spec: SpecArgument,
    form: Annotated[
        GraphFormat, typer.Option("--format", help="svg: a picture. mermaid: for Markdown. dot: for Graphviz.")
    ] = GraphFormat.SVG,
    output: Annotated[
        Path | None, typer.Option("--out", "--output", "-o", metavar="FILE", help="Write a file instead of stdout.")
    ] = None,
    assignments: SetOption = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it exists.")] = False,
) -> None:
    """Draw the net with a lane for each device, and what crosses between them with its size."""
    from netspec.pipeline import compile_file
    from netspec.spec.shipped import find_spec

    if output is None:
        refuse_idle(context, "without --out", ("force",))
    text = _drawn(compile_file(find_spec(spec), assignments or (), name=spec), form)
    if output is None:
        typer.echo(text, nl=False)
        return
    _write(output, text, force=force)
    typer.echo(f"wrote {output}", err=True)


def _drawn(compiled: Compiled, form: GraphFormat) -> str:
    if form is GraphFormat.MERMAID:
        from netspec.report.mermaid import render_mermaid

        return render_mermaid(compiled.placed)
    if form is GraphFormat.DOT:
        from netspec.report.dot import render_dot

        return render_dot(compiled.placed)
    from netspec.report.svg import render_svg

    return render_svg(compiled.placed, compiled.spec.about)


def _write(path: Path, text: str, *, force: bool) -> None:
    from netspec_runtime.errors import DataError

    try:
        with path.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise DataError(str(path), "it exists already", "name another file, or add --force") from None
    except OSError as error:
        reason = f"cannot write the drawing: {error.strerror}"
        raise DataError(str(path), reason, "name a file in a folder that you may write to") from None
