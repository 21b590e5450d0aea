"""Real signals: the first is a wish, a later second one ends the process, torchrun's echo of one does not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from netspec.cli.ending import Ending
from netspec_runtime.training.interrupt import SIGNALS, Interrupt

pytestmark = pytest.mark.slow

LOOP = """
import sys, time
from netspec_runtime.training.interrupt import Interrupt

with Interrupt() as interrupt:
    print("begun", flush=True)
    while not interrupt.wanted:
        time.sleep(.001)
    print("wanted", flush=True)
    if sys.argv[1] == "stubborn":
        while True:
            time.sleep(.001)
    for _ in range(100):  # the step is finished
        time.sleep(.001)
    print("saved", flush=True)
sys.exit(interrupt.exit_code)
"""


@pytest.fixture(autouse=True)
def _not_under_nohup() -> Iterator[None]:
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@contextmanager
def start(manner: str) -> Iterator[subprocess.Popen[str]]:
    command = (sys.executable, "-c", LOOP, manner)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert line(process) == "begun"
            yield process
        finally:
            process.kill()  # one that did not end would hold the test


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_is_a_wish_and_handlers_come_back(number: signal.Signals) -> None:
    before = [signal.getsignal(n) for n in SIGNALS]
    with Interrupt() as interrupt:
        assert (interrupt.wanted, interrupt.exit_code) == (False, 0)
        os.kill(os.getpid(), number)
        assert (interrupt.wanted, interrupt.exit_code) == (True, 128 + number)
    assert [signal.getsignal(n) for n in SIGNALS] == before
    assert interrupt.wanted


def test_handlers_come_back_after_an_error() -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(ValueError, match="x"), Interrupt():
        raise ValueError("x")
    assert signal.getsignal(signal.SIGINT) == before


@pytest.mark.parametrize("number", SIGNALS)
def test_the_step_is_finished_and_the_exit_code_says_why(number: signal.Signals) -> None:
    with start("obedient") as process:
        process.send_signal(number)
        assert [line(process), line(process)] == ["wanted", "saved"]
        assert process.wait() == 128 + number


@pytest.mark.parametrize("number", SIGNALS)
def test_a_second_signal_ends_the_process(number: signal.Signals) -> None:
    with start("stubborn") as process:
        process.send_signal(signal.SIGINT)
        assert line(process) == "wanted"
        time.sleep(1.2)  # what comes within a second is the same wish
        process.send_signal(number)
        assert process.wait(timeout=10) == -number
        assert line(process) == ""


def test_two_signals_at_once_are_one_wish() -> None:
    with start("obedient") as process:
        process.send_signal(signal.SIGINT)
        assert line(process) == "wanted"
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGINT)
        assert line(process) == "saved"
        assert process.wait() == 130


def test_another_thread_goes_without() -> None:
    before, seen = signal.getsignal(signal.SIGINT), []

    def run() -> None:
        with Interrupt() as interrupt:
            seen.append((interrupt.wanted, signal.getsignal(signal.SIGINT) == before))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert seen == [(False, True)]


def test_a_shell_sees_the_codes_it_knows(tmp_path: Path) -> None:
    script = tmp_path / "loop.py"
    script.write_text(LOOP)
    command = f'"{sys.executable}" "{script}" obedient > out & pid=$!'
    shell = f"{command}; until grep -q begun out; do sleep .05; done; kill -TERM $pid; wait $pid; echo code $?"
    done = subprocess.run(("sh", "-c", shell), cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "code 143"


@pytest.mark.parametrize("handler", [Interrupt().__enter__, Ending])
def test_a_hangup_that_is_ignored_stays_so(handler: Callable[[], object]) -> None:
    before = [signal.getsignal(n) for n in SIGNALS]
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    handler()
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    for number, one in zip(SIGNALS, before, strict=True):
        signal.signal(number, one)


def test_a_terminal_that_hangs_up_is_not_written_to(tmp_path: Path) -> None:
    """As a lost ssh session: the step is finished, though each write to that terminal fails."""
    begin = "import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0)"
    script = tmp_path / "loop.py"
    script.write_text(f"{begin}\n{LOOP}".replace("sys.exit", "open('done', 'w').close()\nsys.exit"))
    ours, its = os.openpty()
    process = subprocess.Popen(
        (sys.executable, str(script), "obedient"),
        cwd=tmp_path,
        stdin=its,
        stdout=its,
        stderr=its,
        start_new_session=True,
    )
    os.close(its)
    assert os.read(ours, 5) == b"begun"
    os.close(ours)
    try:
        assert process.wait(timeout=60) == 129
    finally:
        process.kill()
    assert (tmp_path / "done").exists()
