"""A line a minute, for logs of commands that work for hours. It draws no bars."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from netspec_runtime.terminal import complain

MINUTE: Final = 60.0


class Heartbeat:
    """Says on stderr what is done and how long the rest takes: once in so many seconds, the first time after as many.

    Call ``beat`` as often as there is something new. The rest is taken to go on as since the first call.
    """

    def __init__(self, period: float | None = None) -> None:
        self._period = MINUTE if period is None else period
        self._start = self._last = time.monotonic()
        self._first: int | None = None

    def beat(self, done: int, total: int | None, line: Callable[[], str]) -> None:
        """``done`` of ``total``, if that is known, in units that ``line`` names."""
        if self._first is None:
            self._first = done
        now = time.monotonic()
        if now - self._last < self._period:
            return
        self._last = now
        new = done - self._first
        complain(line() + (_left((now - self._start) * (total - done) / new) if total and new else ""))


def _left(seconds: float) -> str:
    minutes = max(1, round(seconds / 60))
    return f", {minutes // 60} h {minutes % 60} min left" if minutes >= 60 else f", {minutes} min left"
