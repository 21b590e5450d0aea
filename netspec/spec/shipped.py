"""The specs and ledgers that come with netspec, found in a checkout and in an installed wheel alike."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent


def shipped_folder() -> Path:
    """The folder of the built-in specs: beside the package in a checkout, inside it in a wheel."""
    inside = _PACKAGE / "specs"
    return inside if inside.is_dir() else _PACKAGE.parent / "specs"


def shipped_specs() -> dict[str, Path]:
    """Built-in spec files by name."""
    return {path.stem: path for path in sorted(shipped_folder().glob("*.yaml"))}


def find_spec(argument: str) -> Path:
    """The file that a command's SPEC means: a path, or else the name of a built-in spec."""
    path = Path(argument)
    return path if path.exists() else shipped_specs().get(argument, path)
