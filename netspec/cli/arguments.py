"""The arguments that several commands share: SPEC and --set."""

from __future__ import annotations

from typing import Annotated

import typer

SpecArgument = Annotated[str, typer.Argument(metavar="SPEC", help="A layer file, or the name of a built-in spec.")]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PATH=VALUE", help="Override a value: layers.conv1.filters=64. Repeatable."),
]
