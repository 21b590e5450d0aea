"""`netspec summary`: the table and its JSON, and overrides."""

from __future__ import annotations

import json

import typer
from typer.testing import CliRunner

from netspec.cli.summary import summary

app = typer.Typer()
app.command()(summary)


def test_it_prints_the_published_totals() -> None:
    done = CliRunner().invoke(app, ["alexnet"])
    assert done.exit_code == 0, done.output
    assert "60,965,224 parameters" in done.stdout
    assert "58,624" in done.stdout
    assert "frameworks" not in done.stdout


def test_json_and_overrides() -> None:
    done = CliRunner().invoke(
        app, ["alexnet", "--json", "--set", "layers.conv1.filters=64", "--set", "layers.fc8.gpu=1"]
    )
    document = json.loads(done.stdout)
    assert document["layers"][0]["shape"] == [64, 55, 55]
    assert [layer["devices"] for layer in document["layers"] if layer["name"] == "fc8"] == [[1]]


def test_verbose_adds_what_frameworks_do_differently() -> None:
    done = CliRunner().invoke(app, ["alexnet", "--verbose"])
    assert "bottom 3, right 3" in done.stdout
