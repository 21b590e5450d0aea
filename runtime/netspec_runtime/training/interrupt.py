"""The wish to stop, a signal: the first finishes the step, a second ends it at once. It saves nothing itself."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Final, Self

from netspec_runtime.streams import leave_terminal

HANGUP: Final[signal.Signals | None] = getattr(signal, "SIGHUP", None)  # of a terminal that is lost; Windows has none
SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, *filter(None, (HANGUP,)))

# A terminal's Ctrl-C reaches torchrun and its processes, and torchrun sends them a signal too: that is one wish.
_SAME_WISH: Final = 1.0  # seconds


class Interrupt:
    """Within ``with``, a first signal only sets ``wanted``; a second one, later than a second, ends the process.

    A SIGHUP that is ignored stays so, as `nohup` has it. Handlers are put back at the end. Outside the main thread,
    where Python has no handlers, it never wants to stop.
    """

    def __init__(self) -> None:
        self._signal: int | None = None
        self._asked = 0.0
        self._before: dict[int, Callable[[int, FrameType | None], Any] | int | None] = {}

    @property
    def wanted(self) -> bool:
        """Whether someone asked to stop."""
        return self._signal is not None

    @property
    def exit_code(self) -> int:
        """What the process should end with: 128 and the signal's number, as shells have it; 0 without a signal."""
        return 0 if self._signal is None else 128 + self._signal

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                if number == HANGUP and signal.getsignal(number) is signal.SIG_IGN:
                    continue
                self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            # None: it was set by C code, and Python cannot put that back.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        self._before.clear()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if number == HANGUP:
            leave_terminal()
        now = time.monotonic()
        if self._signal is None:
            self._signal, self._asked = number, now
        elif now - self._asked > _SAME_WISH:
            signal.signal(number, signal.SIG_DFL)  # files are whole at any moment, so nothing has to be tidied up
            os.kill(os.getpid(), number)
