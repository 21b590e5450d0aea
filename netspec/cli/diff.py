"""`netspec diff`: what differs in meaning between two nets. It prints; netspec.difference compares."""

from __future__ import annotations

import json
from typing import Annotated

import typer

_KINDS = "a spec or its name, cuda-convnet files (layers.cfg,params.cfg), a .prototxt, a .caffemodel or an .onnx"


def diff(
    a: Annotated[str, typer.Argument(metavar="A", help=f"A net: {_KINDS}.")],
    b: Annotated[str, typer.Argument(metavar="B", help="Another net, of the same kind or of another.")],
    train: Annotated[bool, typer.Option("--train", help="Compare rates, schedules, decay and batch too.")] = False,
    placement: Annotated[bool, typer.Option("--placement", help="Compare the devices of layers too.")] = False,
    size: Annotated[
        int | None, typer.Option(min=1, max=16384, help="The input's height and width, where a file does not say it.")
    ] = None,
    merge_towers: Annotated[
        bool, typer.Option("--merge-towers", help="Read mirrored towers (conv1a, conv1b) as one layer with groups.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Print what two nets compute differently, and how a picture becomes their input. Names never count.

    Exit code 0 if they are equal in meaning, 1 if they differ or a file is wrong.
    """
    from netspec.difference import Scope, compare
    from netspec.difference.document import difference_as_json
    from netspec.difference.text import render
    from netspec.importing import ImportOptions, open_net

    options = ImportOptions(size=size, merge_towers=merge_towers)
    difference = compare(open_net(a, options), open_net(b, options), Scope(train, placement))
    if as_json:
        typer.echo(json.dumps(difference_as_json(difference), indent=2, ensure_ascii=False))
    else:
        typer.echo(render(difference), nl=False)
    if not difference.equal:
        raise typer.Exit(1)
