"""One line, whatever the names in it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from netspec_runtime.errors import DataError, EnvironmentProblem, printable


def test_exit_codes() -> None:
    assert (DataError.exit_code, EnvironmentProblem.exit_code) == (4, 3)


def test_parts_are_kept_and_joined() -> None:
    error = DataError("a.jpg", "no such file", "check the path")
    assert (error.where, error.reason, str(error)) == ("a.jpg", "no such file", "a.jpg: no such file; check the path")


@given(st.text(), st.text())
def test_one_printable_line(where: str, reason: str) -> None:
    line = str(DataError(where, reason, "fix"))
    assert line.isprintable()
    line.encode("utf-8")


def test_terminal_escapes_are_shown_not_sent() -> None:
    assert printable("a\x1b[31m\nb\udcff é") == r"a\x1b[31m\nb\udcff é"
