"""`netspec import`: a net of another tool as a spec, and its weights. It reads flags, prints, and writes two files."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from netspec_runtime.errors import DataError
from netspec_runtime.terminal import complain

if TYPE_CHECKING:
    from netspec.importers.remark import Imported

WEIGHTS = ".safetensors"


@dataclass(frozen=True)
class _Target:
    """Where the spec and its weights go; None: nowhere. A spec without a file is printed."""

    spec: Path | None
    weights: Path | None

    @property
    def files(self) -> tuple[Path, ...]:
        return tuple(path for path in (self.spec, self.weights) if path is not None)


def import_net(
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
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON; needs --out.")] = False,
) -> None:
    """Import a net from cuda-convnet, Caffe or ONNX files, or weights from torch, and say every decision.

    Without --out the spec is printed. Exit code 1 if the files are wrong or the net has what netspec cannot say, 4 if
    weights are damaged or do not match.
    """
    from netspec.importing import ImportOptions, import_net, sort_files
    from netspec.pipeline import compile_spec
    from netspec.report.imports import head_of, import_document, render_remarks
    from netspec.spec.dump import dump

    if as_json and out is None:
        raise typer.BadParameter("--json prints the report: say with --out where the spec goes")
    sorted_files = sort_files(files, {"params": params})
    options = ImportOptions(lenient, merge_towers, rgb, fold_batchnorm, size, channels, name, names, not graph)
    imported = import_net(sorted_files, options)
    sources = tuple(str(path) for path in sorted_files.by_role.values())
    target = _target(out, imported)
    _check(target, tuple(sorted_files.by_role.values()), force=force)
    text = head_of(imported, (Path(source).name for source in sources)) + dump(imported.spec)
    if out is None:
        typer.echo(render_remarks(imported.remarks), err=True, nl=False)
        typer.echo(text, nl=False)
        if imported.tensors is not None:
            complain("the weights were read and not written: say with --out where they go")
        return
    _write(target, text, imported)
    if as_json:
        document = {"files": list(sources), "wrote": [str(path) for path in target.files], **import_document(imported)}
        typer.echo(json.dumps(document, indent=2))
        return
    count = compile_spec(imported.spec).typed.parameter_count
    typer.echo(f"{imported.spec.name}: {len(imported.spec.layers)} layers, {count:,} parameters")
    typer.echo(render_remarks(imported.remarks), nl=False)
    typer.echo("wrote " + ", ".join(map(str, target.files)))
    typer.echo(f"next: {_next(target, sources)}")


def _target(out: Path | None, imported: Imported) -> _Target:
    if out is None:
        return _Target(None, None)
    if out.suffix == WEIGHTS:
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


def _next(target: _Target, sources: tuple[str, ...]) -> str:
    spec = target.spec or next(source for source in sources if Path(source).suffix not in (WEIGHTS, ".pth", ".pt"))
    return f"netspec build {spec}" + (f" --weights {target.weights}" if target.weights else "")
