"""The arguments that several commands share: SPEC, --set and --device; and what is done with those that do nothing."""

from __future__ import annotations

import math
from collections.abc import Collection
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
DRAWN: Final = "shapes"  # the data that netspec draws, and the net of a bare `netspec train`


def a_number(value: float | None) -> float | None:
    """Callback of an option that takes a fraction: click's ranges let nan pass. Raises BadParameter."""
    if value is not None and math.isnan(value):
        raise typer.BadParameter("nan is no number")
    return value


def typed(context: typer.Context) -> dict[str, str]:
    """The parameters that the command line has: their names to what a user calls them."""
    found = [param for param in context.command.params if _on_command_line(context, param.name or "")]
    return {
        param.name or "": param.opts[0] if param.param_type_name == "option" else param.human_readable_name.strip("[].")
        for param in found
    }


def refuse_idle(
    context: typer.Context, where: str, idle: Collection[str] | None = None, *, but: Collection[str] = ()
) -> None:
    """Raise BadParameter for a parameter that would do nothing ``where``: one of ``idle``, or any not of ``but``."""
    for name, called in typed(context).items():
        if name not in but and (idle is None or name in idle):
            raise typer.BadParameter(f"it does nothing {where}", param_hint=called)


def _on_command_line(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"
