"""Signals that come while a library is imported: C code may swallow their exception, and what fails then is no bug."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from tests.cli.conftest import Run

SIGNALS = [
    (signal.SIGINT, 130, "netspec: interrupted\n"),
    (signal.SIGTERM, 143, ""),
    (signal.SIGHUP, 129, ""),
]


@pytest.fixture(autouse=True)
def _not_under_nohup() -> Iterator[None]:
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize(("number", "code", "said"), SIGNALS)
def test_what_fails_after_a_signal_is_no_bug(
    number: signal.Signals, code: int, said: str, netspec: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        try:
            signal.raise_signal(number)
        except (KeyboardInterrupt, SystemExit):
            raise ImportError("cannot load module more than once per process") from None

    monkeypatch.setattr("netspec.pipeline.compile_file", fail)
    done = netspec("validate", "lenet")
    assert (done.code, done.out, done.err) == (code, "", said)


@pytest.mark.parametrize(("number", "code", "said"), SIGNALS)
def test_a_signal_ends_a_command(
    number: signal.Signals, code: int, said: str, netspec: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("netspec.pipeline.compile_file", lambda *_, **__: signal.raise_signal(number))
    done = netspec("validate", "lenet")
    assert (done.code, done.out, done.err) == (code, "", said)
