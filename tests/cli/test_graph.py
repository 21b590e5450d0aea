"""`netspec graph`: what it writes where."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from netspec.cli.graph import graph
from netspec_runtime.errors import DataError

app = typer.Typer()
app.command()(graph)


@pytest.mark.parametrize(("form", "start"), [("svg", "<svg "), ("mermaid", "---\n"), ("dot", 'digraph "alexnet"')])
def test_each_format_goes_to_stdout(form: str, start: str) -> None:
    done = CliRunner().invoke(app, ["alexnet", "--format", form])
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith(start)


@pytest.mark.parametrize("option", ["-o", "--out", "--output"])
def test_a_file_is_written_and_named_on_stderr(option: str, tmp_path: Path) -> None:
    path = tmp_path / "net.svg"
    done = CliRunner().invoke(app, ["alexnet", option, str(path), "--set", "layers.fc8.gpu=1"])
    assert done.exit_code == 0
    assert done.stdout == ""
    assert "gpu 1" in path.read_text(encoding="utf-8")
    assert str(path) in done.stderr


def test_a_folder_that_is_not_there_is_one_line_with_its_reason(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["alexnet", "-o", str(tmp_path / "none" / "net.svg")])
    assert isinstance(done.exception, DataError)
    assert "No such file" in str(done.exception)
