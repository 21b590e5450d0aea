"""How a command ends: one line on stderr and the right exit code for what went wrong. It prints no results."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from netspec_runtime.errors import DataError, OneLineError

INTERRUPTED: Final = 130  # as shells report SIGINT
PIPE_CLOSED: Final = 141  # as shells report SIGPIPE: whoever read the output has seen enough


def complain(line: str) -> None:
    """One line on stderr, with the name of the program."""
    sys.stderr.write(f"netspec: {line}\n")


@contextmanager
def clean_exit() -> Iterator[None]:
    """Turn what may go wrong in a command into its line and exit code; bugs pass through with their traceback."""
    _print_anything()
    try:
        yield
        sys.stdout.flush()
    except OneLineError as error:
        complain(str(error))
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        complain("interrupted")
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        _drop_output()
        sys.exit(PIPE_CLOSED)
    except OSError as error:  # files report theirs as DataError: this is the output
        _drop_output()
        complain(f"standard output: {error.strerror}; make room, or write elsewhere")
        sys.exit(DataError.exit_code)


def _drop_output() -> None:
    """Python flushes stdout once more at exit, and would complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _print_anything() -> None:
    """Names of files and classes may hold what the terminal's encoding lacks: escape it instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
