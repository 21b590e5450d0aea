"""`netspec diff`: what differs in meaning between two nets. It prints; netspec.difference compares."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from netspec_runtime.errors import printable

if TYPE_CHECKING:
    from netspec.importing import Opened

_KINDS = "a spec or its name, cuda-convnet files (layers.cfg,params.cfg), a .prototxt, a .caffemodel or an .onnx"


def diff(
    a: Annotated[str, typer.Argument(metavar="A", help=f"A net: {_KINDS}.")],
    b: Annotated[str, typer.Argument(metavar="B", help="Another net, of the same kind or of another.")],
    train: Annotated[bool, typer.Option("--train", help="Compare rates, schedules, decay and batch too.")] = False,
    placement: Annotated[bool, typer.Option("--placement", help="Compare the devices of layers too.")] = False,
    no_start: Annotated[
        bool, typer.Option("--no-start", help="Leave out how weights start, as for nets that have their weights.")
    ] = False,
    size: Annotated[
        int | None, typer.Option(min=1, max=16384, help="The input's height and width, where a file does not say it.")
    ] = None,
    merge_towers: Annotated[
        bool, typer.Option("--merge-towers", help="Read mirrored towers (conv1a, conv1b) as one layer with groups.")
    ] = False,
    graph: Annotated[
        bool, typer.Option("--graph", help="ONNX: read the graph, not the spec that netspec's own files carry.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Print what two nets compute differently, and how a picture becomes their input. Names never count.

    Exit code 0 if they are equal in meaning, 1 if they differ or a file is wrong.
    """
    from netspec.difference import Scope, compare
    from netspec.difference.document import difference_as_json
    from netspec.difference.text import render
    from netspec.importing import ImportOptions, open_nets

    one, other = open_nets((a, b), ImportOptions(size=size, merge_towers=merge_towers, carried=not graph))
    scope = Scope(train, placement, not no_start and one.imported.starts and other.imported.starts)
    difference = compare(one.compiled, other.compiled, scope)
    if as_json:
        typer.echo(json.dumps(difference_as_json(difference), indent=2, ensure_ascii=False))
    else:
        typer.echo(render(difference), nl=False)
    nets = {a: one, b: other}
    notes = [] if no_start else _no_start(nets)
    if not (difference.equal or merge_towers):
        notes += _one_in_towers(nets)
    for note in notes:
        typer.echo(f"note: {printable(note)}", err=True)
    if not difference.equal:
        raise typer.Exit(1)


def _no_start(nets: Mapping[str, Opened]) -> list[str]:
    said = "a graph does not say how weights start, so that is not compared"
    return [f"{argument}: {said}" for argument, net in nets.items() if not net.imported.starts]


def _one_in_towers(nets: Mapping[str, Opened]) -> list[str]:
    """Layers of towers have no counterparts in a merged net."""
    from netspec.importers.towers import has_towers

    found = [argument for argument, net in nets.items() if has_towers(net.compiled.spec)]
    return [f"{found[0]} looks written in towers: try --merge-towers"] if len(found) == 1 else []
