"""`netspec build`: everything from a layer file, proven. It reads flags and prints; netspec.build does the work."""

from __future__ import annotations

import shlex
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from netspec.cli.arguments import SetOption, SpecArgument, refuse_idle
from netspec_runtime.terminal import complain

if TYPE_CHECKING:
    from netspec.pipeline import Compiled


class Lrn(StrEnum):
    """How the ONNX file writes local response normalisation."""

    AUTO = "auto"
    NATIVE = "native"
    FAST = "fast"


class Stage(StrEnum):
    """A stage of the compiler."""

    BUILD = "build"
    INFER = "infer"
    PLACE = "place"


def build(
    context: typer.Context,
    spec: SpecArgument,
    assignments: SetOption = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="The folder; build/<name> by default.")] = None,
    weights: Annotated[
        Path | None,
        typer.Option(help="A safetensors file, or a run's folder; by default the spec's initial values."),
    ] = None,
    labels: Annotated[Path | None, typer.Option(help="Class names, one a line.")] = None,
    lrn: Annotated[Lrn, typer.Option(help="The ONNX form of rnorm; auto is the fastest measured.")] = Lrn.AUTO,
    split: Annotated[bool, typer.Option("--split", help="Also write one ONNX file a device.")] = False,
    no_check: Annotated[bool, typer.Option("--no-check", help="Skip the proof.")] = False,
    against: Annotated[str | None, typer.Option(help="The ledger; by default the one that the spec names.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files that netspec did not write.")] = False,
    dump_after: Annotated[Stage | None, typer.Option(help="Print the graph after a stage, and stop.")] = None,
) -> None:
    """Build a net: the PyTorch module, the ONNX file, the proof that they agree, the ledger, a drawing and a report.

    Prints the layer table, the ledger and the proof. Exit code 1 if the spec is wrong, the ledger or the proof fails.
    """
    from netspec.build import BuildOptions, build_files, check_inputs
    from netspec.cli.ledger import check_against
    from netspec.diagnostics.text import render
    from netspec.pipeline import compile_file
    from netspec.report.table import render_table
    from netspec.spec.shipped import find_spec

    if dump_after is not None:
        refuse_idle(context, "with --dump-after, which writes nothing", but=("spec", "assignments", "dump_after"))
    path = find_spec(spec)
    compiled = compile_file(path, assignments or (), name=spec)
    if dump_after is not None:
        typer.echo(_dump(compiled, dump_after), nl=False)
        return
    folder = out or Path("build") / compiled.spec.name
    options = BuildOptions(folder, path, lrn.value, weights, labels, not no_check, split, force)
    typer.echo(render(compiled.spec.warnings), err=True, nl=False)
    options = check_inputs(compiled, options)
    typer.echo(render_table(compiled))
    ledger = check_against(compiled, against, path.parent)
    built = build_files(compiled, ledger, options)
    typer.echo(built.parity.sentence() if built.parity else "proof: skipped (--no-check)")
    typer.echo("wrote " + ", ".join(f.name for f in built.files) + f" in {folder}/")
    if weights is not None and not built.measured:
        data = compiled.spec.data
        instead = "nothing" if data.mean_color is None else "`mean_color`"
        complain(f"`mean: {data.mean}` was not measured, so {instead} is subtracted; --weights RUN knows a run's")
    failed = (built.parity is not None and not built.parity.holds) or (ledger is not None and ledger.failed)
    if failed:
        raise typer.Exit(1)
    typer.echo(f"next: netspec infer --onnx {shlex.quote(str(built.model))} IMAGE")


def _dump(compiled: Compiled, stage: Stage) -> str:
    from netspec.ir.printer import print_graph, print_placed, print_typed

    if stage is Stage.BUILD:
        return print_graph(compiled.graph)
    return print_typed(compiled.typed) if stage is Stage.INFER else print_placed(compiled.placed)
