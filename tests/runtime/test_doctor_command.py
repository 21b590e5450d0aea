"""`netspec doctor` as a user meets it."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from netspec.cli import app
from netspec_runtime import doctor
from netspec_runtime.checks import failed, passed


def test_json_and_text_say_the_same() -> None:
    runner = CliRunner()
    text, document = runner.invoke(app, ["doctor"]), json.loads(runner.invoke(app, ["doctor", "--json"]).stdout)
    assert text.exit_code == (0 if document["works"] else 3)
    for check in document["checks"]:
        assert check["name"] in text.stdout
        assert check["fix"] in text.stdout


def test_a_broken_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = (passed("python", "3.11.7"), failed("onnxruntime", "two wheels", "reinstall"))
    monkeypatch.setattr(doctor, "examine", lambda: rows)
    result = CliRunner().invoke(app, ["doctor"])
    assert result.exit_code == 3
    assert result.stdout.splitlines() == [
        "ok    python       3.11.7",
        "fail  onnxruntime  two wheels",
        "                   fix: reinstall",
    ]
    broken = json.loads(CliRunner().invoke(app, ["doctor", "--json"]).stdout)
    assert (broken["works"], broken["checks"][1]["status"]) == (False, "fail")
