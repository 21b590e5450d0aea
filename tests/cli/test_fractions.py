"""Options that take a fraction, and numbers that are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run


@pytest.mark.parametrize("command", ["prepare raw --max-bad", "prepare raw --holdout", "train --until-error"])
@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1.5"])
def test_what_is_no_fraction_is_refused(
    command: str, value: str, netspec: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    *words, option = command.split()
    done = netspec(*words, f"{option}={value}")
    said = " ".join(done.err.replace("│", " ").split())
    assert (done.code, done.out) == (2, "")
    assert f"'{option}': {value} is" in said
    assert list(tmp_path.iterdir()) == []
