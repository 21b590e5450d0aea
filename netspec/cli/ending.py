"""Signals as they end a command: by an exception, so that what is half-written is removed on the way out.

It is not how training stops, which finishes its step.
"""

from __future__ import annotations

import signal
import sys

from netspec_runtime.streams import leave_terminal
from netspec_runtime.terminal import clean_exit
from netspec_runtime.training.interrupt import HANGUP, SIGNALS


class Ending:
    """Handles them from now on, and remembers which came.

    An import of C code may swallow the exception (torch's of numpy does) and leave a module half made, which fails
    somewhere else later: what fails after a signal is no bug.
    """

    def __init__(self) -> None:
        self._signal: int | None = None
        for number in SIGNALS:
            ignored = signal.getsignal(number) is signal.SIG_IGN  # SIGINT by shells behind `&`, SIGHUP by nohup
            if number == signal.SIGTERM or not ignored:
                signal.signal(number, self._end)

    def exit_if_asked(self) -> None:
        """Raises SystemExit with 128 and the signal's number, as shells have it, if one came."""
        if self._signal is not None:
            with clean_exit():
                self._end(self._signal, None)

    def _end(self, number: int, _: object) -> None:
        self._signal = number
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        if number == HANGUP:
            leave_terminal()
        sys.exit(128 + number)
