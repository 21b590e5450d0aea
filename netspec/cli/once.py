"""What all processes of a run find alike is told by one of them. It starts no processes and catches no bugs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import typer

from netspec.diagnostics import SpecError
from netspec_runtime.errors import OneLineError

_ALL: Final = (OneLineError, SpecError, typer.BadParameter)


@contextmanager
def told_once(alike: tuple[type[Exception], ...] = _ALL) -> Iterator[None]:
    """Let the errors ``alike``, by default all that users are told of, end a process without a word.

    The first process on each machine of torchrun, or the only one, tells them as ever: another machine may have other
    files. Raises Exit with the error's own code.
    """
    try:
        yield
    except alike as error:
        if os.environ.get("LOCAL_RANK", "0") == "0":
            raise
        raise typer.Exit(getattr(error, "exit_code", 1)) from None
