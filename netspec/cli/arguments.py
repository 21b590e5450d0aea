"""The arguments that several commands share: SPEC and --set."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

SpecArgument = Annotated[str, typer.Argument(metavar="SPEC", help="A layer file, or the name of a built-in spec.")]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PATH=VALUE", help="Override a value: layers.conv1.filters=64. Repeatable."),
]

DATA_CACHE: Final = Path("data")  # raw data are prepared below it
