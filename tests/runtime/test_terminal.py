"""How a command ends: one line and a code, with nothing behind it."""

from __future__ import annotations

import io
import sys

import pytest

from netspec_runtime.errors import DataError, EnvironmentProblem
from netspec_runtime.terminal import clean_exit


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (DataError("a.jpg", "no file", "look"), 4, "netspec: a.jpg: no file; look\n"),
        (
            EnvironmentProblem("--device cuda", "no driver", "get one"),
            3,
            "netspec: --device cuda: no driver; get one\n",
        ),
        (KeyboardInterrupt(), 130, "netspec: interrupted\n"),
    ],
)
def test_errors_become_a_line_and_a_code(
    error: BaseException, code: int, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught, clean_exit():
        raise error
    assert (caught.value.code, capsys.readouterr().err) == (code, line)


def test_bugs_pass_through() -> None:
    with pytest.raises(ZeroDivisionError), clean_exit():
        raise ZeroDivisionError


def test_any_name_can_be_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    with clean_exit():
        sys.stdout.write("größe \udcff")
    assert raw.getvalue() == b"gr\\xf6\\xdfe \\udcff"
