"""`netspec import`: a net of another tool as a spec, and its weights. It reads flags, prints, and writes two files."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from netspec.cli.arguments import refuse_idle
from netspec_runtime.errors import DataError
from netspec_runtime.terminal import complain

if TYPE_CHECKING:
    from netspec.importers.files import Files
    from netspec.importers.remark import Imported

WEIGHTS = ".safetensors"
SPECS = (".yaml", ".yml")


@dataclass(frozen=True)
class _Target:
    """Where the spec and its weights go; None: nowhere. A spec without a file is printed."""

    spec: Path | None
    weights: Path | None

    @property
    def files(self) -> tuple[Path, ...]:
        return tuple(path for path in (self.spec, self.weights) if path is not None)


def import_net(
    context: typer.Context,
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE...",
            help="The files of one net: a cuda-convnet .cfg pair; a Caffe .prototxt with .caffemodel, solver and"
            " .binaryproto; an .onnx; or a spec and .pth or .safetensors weights for it.",
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="The spec to write, weights beside it; or a .safetensors for weights alone."),
    ] = None,
    params: Annotated[Path | None, typer.Option(help="cuda-convnet: the layer-params file.")] = None,
    merge_towers: Annotated[
        bool, typer.Option("--merge-towers", help="Write mirrored towers (conv1a, conv1b) as one layer with groups.")
    ] = False,
    size: Annotated[
        int | None, typer.Option(min=1, max=16384, help="The input's height and width, where the files do not say it.")
    ] = None,
    channels: Annotated[
        int | None, typer.Option(min=1, max=4096, help="Caffe: the input's channels, where the files do not say them.")
    ] = None,
    rgb: Annotated[bool, typer.Option("--rgb", help="Caffe: turn a BGR net into an RGB one.")] = False,
    fold_batchnorm: Annotated[
        bool, typer.Option("--fold-batchnorm", help="Caffe: put batch norms into the weights before them.")
    ] = False,
    names: Annotated[
        str | None,
        typer.Option("--map", metavar="FILE|NAME", help="What a file of weights calls the layers; `ours: theirs`."),
    ] = None,
    graph: Annotated[
        bool, typer.Option("--graph", help="ONNX: read the graph, not the spec that netspec's own files carry.")
    ] = False,
    name: Annotated[str | None, typer.Option(help="What to call the net.")] = None,
    lenient: Annotated[bool, typer.Option("--lenient", help="Leave out what netspec cannot say, and go on.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace files that exist.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the report as JSON, with the spec if there is no --out.")
    ] = False,
) -> None:
    """Import a net from cuda-convnet, Caffe or ONNX files, or weights from torch, and say every decision.

    Without --out the spec is printed. Exit code 1 if the files are wrong or the net has what netspec cannot say, 4 if
    weights are damaged or do not match.
    """
    from netspec.importers.files import sort_files
    from netspec.importing import ImportOptions, renamed
    from netspec.importing import import_net as read_net

    if out is None:
        refuse_idle(context, "without --out", ("force",))
    _check_suffix(out)
    options = ImportOptions(lenient, merge_towers, rgb, fold_batchnorm, size, channels, name, names, not graph)
    with _diagnostics_as_json(wanted=as_json):
        sorted_files = sort_files(files, {"params": params})
        opened = read_net(sorted_files, options)
    imported = opened.imported
    if out is not None and name is None and out.suffix.lower() != WEIGHTS:
        imported = renamed(imported, out.stem)
    target = _target(out, imported)
    _check(target, tuple(sorted_files.by_role.values()), force=force)
    sources = tuple(sorted_files.typed[role] for role in sorted_files.by_role)
    text = _spec_text(imported, sources)
    _write(target, text, imported)
    if as_json:
        _print_json(imported, sources, target, text)
    elif target.files:
        _print_written(imported, opened.compiled.typed.parameter_count, target, _next(target, sorted_files))
    else:
        _print_spec(imported, text)
    if out is None and imported.tensors is not None:
        complain("the weights were read and not written: say with --out where they go")


def _check_suffix(out: Path | None) -> None:
    if out is not None and out.suffix.lower() not in (*SPECS, WEIGHTS):
        raise typer.BadParameter(f"`{out}` needs the suffix .yaml (a spec) or {WEIGHTS} (weights)", param_hint="--out")


@contextmanager
def _diagnostics_as_json(*, wanted: bool) -> Iterator[None]:
    """What is wrong with the files is the data that `--json` prints."""
    from netspec.diagnostics import SpecError, machine

    try:
        yield
    except SpecError as error:
        if not wanted:
            raise
        typer.echo(machine.render_json(error.diagnostics), nl=False)
        raise typer.Exit(SpecError.exit_code) from None


def _spec_text(imported: Imported, sources: Iterable[str]) -> str:
    from netspec.report.imports import head_of
    from netspec.spec.dump import dump

    return head_of(imported, (Path(source).name for source in sources)) + dump(imported.spec)


def _print_json(imported: Imported, sources: Iterable[str], target: _Target, text: str) -> None:
    from netspec.report.imports import import_document

    written = {"files": list(sources), "wrote": [str(path) for path in target.files]}
    printed = {} if target.files else {"spec": text}
    typer.echo(json.dumps({**written, **import_document(imported), **printed}, indent=2))


def _print_written(imported: Imported, count: int, target: _Target, following: str) -> None:
    from netspec.report.imports import render_remarks

    typer.echo(f"{imported.spec.name}: {len(imported.spec.layers)} layers, {count:,} parameters")
    typer.echo(render_remarks(imported.remarks), nl=False)
    typer.echo("wrote " + ", ".join(map(str, target.files)))
    typer.echo(f"next: {following}")


def _print_spec(imported: Imported, text: str) -> None:
    from netspec.report.imports import render_remarks

    typer.echo(render_remarks(imported.remarks), err=True, nl=False)
    typer.echo(text, nl=False)


def _target(out: Path | None, imported: Imported) -> _Target:
    if out is None:
        return _Target(None, None)
    if out.suffix.lower() == WEIGHTS:
        if imported.tensors is None:
            raise DataError(str(out), "these files have no weights", "name a .yaml for the spec")
        return _Target(None, out)
    return _Target(out, out.with_suffix(WEIGHTS) if imported.tensors is not None else None)


def _check(target: _Target, read: tuple[Path, ...], *, force: bool) -> None:
    """Refuse, before anything is written, to replace what was read, or without --force what is there."""
    for path in target.files:
        if path.is_dir():
            raise DataError(str(path), "there is a folder of this name", "choose another with --out")
        if any(path.exists() and other.exists() and path.samefile(other) for other in read):
            raise DataError(str(path), "this import reads that file", "choose another with --out")
        if path.exists() and not force:
            raise DataError(str(path), "it exists already", "choose another with --out, or add --force")


def _write(target: _Target, text: str, imported: Imported) -> None:
    from netspec.importers.weights import write_tensors
    from netspec_runtime.files import write_file

    if target.weights is not None and imported.tensors is not None:
        write_tensors(target.weights, imported.tensors)
    if target.spec is not None:
        write_file(target.spec, [text.encode()])


def _next(target: _Target, files: Files) -> str:
    """The command to go on with, as a shell takes it; without a spec of its own the one that the weights are for."""
    spec = str(target.spec) if target.spec else files.typed.get("spec")
    if spec is None:
        return "write the spec too: --out with the suffix .yaml"
    return shlex.join(["netspec", "build", spec, *(["--weights", str(target.weights)] if target.weights else [])])
