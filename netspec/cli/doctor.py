"""`netspec doctor`: what is wrong with this machine. It prints rows; netspec_runtime finds them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from netspec_runtime.errors import printable
from netspec_runtime.terminal import clean_exit

if TYPE_CHECKING:
    from netspec_runtime.checks import Check


def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False) -> None:
    """Check Python, the libraries, onnxruntime and CUDA of this machine, and say how to mend what is wrong.

    Exit code 0 if everything works at least on the CPU, 3 if something is broken.
    """
    with clean_exit():
        from netspec_runtime.doctor import examine, exit_code

        checks = examine()
        code = exit_code(checks)
        typer.echo(_document(checks, works=code == 0) if as_json else _table(checks))
    if code:
        raise typer.Exit(code)


def _document(checks: Sequence[Check], *, works: bool) -> str:
    return json.dumps({"works": works, "checks": [asdict(check) for check in checks]}, indent=2)


def _table(checks: Sequence[Check]) -> str:
    """A line a row, and its fix below it."""
    width = max(len(check.name) for check in checks)
    lines: list[str] = []
    for check in checks:
        lines.append(printable(f"{check.status:<4}  {check.name:<{width}}  {check.found}"))
        if check.fix:
            lines.append(printable(f"{'':<4}  {'':<{width}}  fix: {check.fix}"))
    return "\n".join(lines)
