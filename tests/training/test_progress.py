"""On a terminal one line that changes, elsewhere one a minute and an epoch; a real pseudo-terminal reads along."""

from __future__ import annotations

import fcntl
import io
import os
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from netspec_runtime.training.progress import Bar, Plain, Silent, duration, epoch_line, numbers, open_progress
from tests.training.records import epochs, train

RUN = """
import sys
from netspec_runtime.training.progress import open_progress
from tests.training.records import epochs, train
with open_progress(sys.stderr, 3, 10, first=0) as progress:
    progress.say("a sentence with [bold] and a \\x1b[31m code")
    for end in epochs(3):
        for step in range(end.step - 9, end.step + 1):
            progress.step(step, train(step) if step % 5 == 0 else None)
        progress.testing(500, 1000)
        progress.testing(1000, 1000)
        progress.epoch(end)
"""


def on_a_terminal(root: Path, width: int = 100, **variables: str) -> str:
    """All that RUN writes to a terminal of this width, on standard error; nothing goes to standard output."""
    here, there = os.openpty()
    fcntl.ioctl(there, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "COLUMNS"}}
    environment |= {"TERM": "xterm-256color", "COLUMNS": str(width), **variables}
    with subprocess.Popen(
        (sys.executable, "-c", RUN), cwd=root, env=environment, stdout=subprocess.PIPE, stderr=there
    ) as process:
        os.close(there)
        written = b""
        try:
            while data := os.read(here, 1 << 16):
                written += data
        except OSError:  # how Linux says that the other end is closed
            pass
        assert process.stdout is not None
        assert process.stdout.read() == b""
    os.close(here)
    assert process.returncode == 0
    return written.decode()


def rows(written: str) -> list[str]:
    """The screen at the end, without colours: a carriage return or an erased line begins a row anew."""
    screen = [re.split(r"\r|\x1b\[2K", row) for row in written.replace("\r\n", "\n").split("\n")]
    plain = [[re.sub(r"\x1b\[[?\d;]*[a-zA-Z]", "", text) for text in parts] for parts in screen]
    return [next((text for text in reversed(parts) if text.strip()), "") for parts in plain]


def shown(written: str) -> list[str]:
    """Every state that the line had."""
    return [re.sub(r"\x1b\[[?\d;]*[a-zA-Z]", "", text) for text in re.split(r"[\r\n]|\x1b\[2K", written)]


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_a_terminal_has_one_line_that_changes(root: Path, width: int) -> None:
    states = [text for text in shown(on_a_terminal(root, width)) if "left" in text]
    assert any(f"epoch {n}/3" in text for text in states for n in (1, 2, 3))
    assert all(len(text.rstrip()) <= width for text in states)  # a longer one would leave rows behind
    if width == 120:
        for part in ("loss 0.200", "top-1 50.0%", "top-5 25.0%", "812/s", "rate 0.01"):
            assert any(part in text for text in states)
    measured = [text for text in states if "loss" in text]  # without numbers there is room, if a slow machine shows it
    assert any("━" in text for text in measured) == (width >= 80)  # the bar is the first thing to give way


def test_what_is_said_stays_above_the_line(root: Path) -> None:
    written = on_a_terminal(root)
    found = [row for row in rows(written) if row.strip()]
    assert found[0] == r"a sentence with [bold] and a \x1b[31m code"
    assert [row.rstrip() for row in found if ": loss" in row] == [epoch_line(end, 3) for end in epochs(3)]
    assert "testing 1,000 of 1,000" in written


def test_the_cursor_is_there_again_at_once(root: Path) -> None:
    """A second Ctrl-C ends the process without a chance to show it."""
    written = on_a_terminal(root)
    assert written.index("\x1b[?25h") < written.index("epoch 1/3")


def test_colours_can_be_refused(root: Path) -> None:
    assert re.search(r"\x1b\[[\d;]*m", on_a_terminal(root))
    assert not re.search(r"\x1b\[[\d;]+m", on_a_terminal(root, NO_COLOR="1"))


def test_a_terminal_that_cannot_move_its_cursor_gets_lines(root: Path) -> None:
    written = on_a_terminal(root, TERM="dumb")
    assert "\x1b" not in written
    assert written.replace("\r\n", "\n").splitlines()[1:] == [epoch_line(end, 3) for end in epochs(3)]


def test_a_file_gets_a_line_an_epoch(root: Path) -> None:
    done = subprocess.run((sys.executable, "-c", RUN), cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout == ""
    assert done.stderr.splitlines()[1:] == [epoch_line(end, 3) for end in epochs(3)]


def test_the_time_that_is_left_counts_the_steps_of_this_process() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    now, stream = [0.0], Terminal()
    with Bar(stream, epochs=10, steps_per_epoch=100, first=500, clock=lambda: now[0]) as bar:
        for step in range(501, 601):
            now[0] += 2
            bar.step(step)
    assert "6/10 13:20 left" in stream.getvalue()  # 400 steps of 2 s
    assert "6/10 16:38 left" in stream.getvalue()  # after the first


def test_a_log_hears_of_a_long_epoch_every_minute() -> None:
    now, stream = [0.0], io.StringIO()
    with Plain(stream, epochs=2, steps_per_epoch=100, first=50, clock=lambda: now[0]) as log:
        for step in range(51, 101):
            now[0] += 2.5
            log.step(step, train(step) if step % 20 == 0 else None)
        log.testing(0, 900)
        now[0] += 60
        log.testing(600, 900)
        now[0] += 30
        log.epoch(epochs(1)[0])
        now[0] += 59
        log.step(101)
    lines = stream.getvalue().splitlines()
    assert lines[0].startswith("step 74, epoch 1/2 5:15 left loss ")  # 24 of 150 steps in a minute
    assert "812/s" in lines[0]
    assert [line.split(" ")[:2] for line in lines[1:3]] == [["step", "98,"], ["testing", "600"]]
    assert lines[3:] == [epoch_line(epochs(1)[0], 2)]


def test_of_few_classes_there_is_no_top_5_error() -> None:
    stream = io.StringIO()
    with open_progress(stream, 1, 10, top5=False) as log:
        log.epoch(epochs(1)[0])
    assert "test error 11.47%, rate" in stream.getvalue()
    assert "top-5" not in stream.getvalue() + numbers(train(1), top5=False)
    assert "(top-5 4.59%)" in epoch_line(epochs(1)[0], 1)


def test_the_stream_decides() -> None:
    assert isinstance(open_progress(io.StringIO(), 1, 1), Plain)
    with Silent() as progress:
        progress.step(1, train(1))
        progress.say("nothing")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00"), (59.6, "1:00"), (245, "4:05"), (3723, "1:02:03"), (360000, "100:00:00"), (-1, "0:00")],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text
