"""The standard streams where nobody is at their other end: the null device takes their place. It prints nothing."""

from __future__ import annotations

import os
import stat
import sys
from contextlib import suppress
from pathlib import Path


def open_missing() -> None:
    """Open the null device for each standard stream that was closed when Python began, which has None there.

    A file that is opened later would get the number of a closed stream, and what C code and other processes say.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            number = os.open(os.devnull, os.O_RDWR)  # the lowest that is free: the stream's own
            os.set_inheritable(number, True)
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115 - until the end


def leave_terminal() -> None:
    """Where a terminal has hung up, let the null device take what is still said: every write there would fail."""
    with Path(os.devnull).open("r+b", buffering=0) as nothing:
        for number in range(3):
            with suppress(OSError):  # closed
                if stat.S_ISCHR(os.fstat(number).st_mode) and not os.isatty(number):
                    os.dup2(nothing.fileno(), number)
