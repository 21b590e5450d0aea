"""What all processes of a run find alike is told by one of them. It starts no processes and catches no bugs."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import typer

from netspec.diagnostics import SpecError
from netspec_runtime.errors import OneLineError

PATIENCE: Final = 20.0  # seconds in which the first process meets what another has met
_TOLD: Final = (OneLineError, SpecError, typer.BadParameter)


@contextmanager
def told_once() -> Iterator[None]:
    """Let the first process on each machine of torchrun tell what ends all of them; another machine has other files.

    The others wait, as torchrun ends all when one has ended, and that must not be before it has spoken. One that still
    runs then has met something of its own, and tells it.
    """
    try:
        yield
    except _TOLD:
        if not _first():
            time.sleep(PATIENCE)  # torchrun's SIGTERM ends it
        raise


@contextmanager
def told_by_first(alike: tuple[type[Exception], ...] = _TOLD) -> Iterator[None]:
    """The same where all processes meet an error at the same step, and finish what they do when they get a signal.

    Raises Exit with the error's own code in those that are not the first.
    """
    try:
        yield
    except alike as error:
        if _first():
            raise
        raise typer.Exit(getattr(error, "exit_code", 1)) from None


def _first() -> bool:
    return os.environ.get("LOCAL_RANK", "0") == "0"
