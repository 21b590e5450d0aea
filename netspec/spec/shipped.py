"""The specs and ledgers that come with netspec, found in a checkout and in an installed wheel alike."""

from __future__ import annotations

from pathlib import Path

from netspec.diagnostics import Diagnostic, SpecError
from netspec.diagnostics.suggest import said, suggestion
from netspec.source import Source, whole

_PACKAGE = Path(__file__).resolve().parent.parent


def shipped_folder() -> Path:
    """The folder of the built-in specs: beside the package in a checkout, inside it in a wheel."""
    inside = _PACKAGE / "specs"
    return inside if inside.is_dir() else _PACKAGE.parent / "specs"


def shipped_specs() -> dict[str, Path]:
    """Built-in spec files by name."""
    return {path.stem: path for path in sorted(shipped_folder().glob("*.yaml"))}


def find_spec(argument: str) -> Path:
    """The file that a command's SPEC means: a path, or else the name of a built-in spec.

    Raises SpecError NS101 where it is neither.
    """
    path, shipped = Path(argument), shipped_specs()
    if argument in shipped and not path.is_file():  # a folder may have the name by chance
        return shipped[argument]
    if "\0" not in argument and not path.exists():
        raise SpecError([_missing(argument, tuple(sorted(shipped)))])
    return path


def _missing(argument: str, shipped: tuple[str, ...]) -> Diagnostic:
    """What to say of a file that is not there; a word without a suffix is probably meant as a name."""
    help = "check the path, or name a spec that comes with netspec"
    if Path(argument).name == argument:
        near = suggestion(argument.removesuffix(".yaml"), shipped)
        help = said(near) or f"the specs that come with netspec are {', '.join(shipped)}"
    message = f"cannot read `{argument}`: No such file or directory"
    return Diagnostic("NS101", message, whole(Source(argument, "")), help=help)
