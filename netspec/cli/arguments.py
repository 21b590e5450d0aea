"""The arguments that several commands share: SPEC, --set and --device."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from netspec_runtime.device import Device

SpecArgument = Annotated[str, typer.Argument(metavar="SPEC", help="A layer file, or the name of a built-in spec.")]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PATH=VALUE", help="Override a value: layers.conv1.filters=64. Repeatable."),
]
DeviceOption = Annotated[
    Device, typer.Option("--device", "--devices", help="auto: CUDA if it works. cuda: CUDA or an error.")
]

DATA_CACHE: Final = Path("data")  # raw data are prepared below it
