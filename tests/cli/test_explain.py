"""`netspec explain`: which of codes, words and layers is meant."""

from __future__ import annotations

import pytest
import typer
from typer.testing import CliRunner

from netspec.cli.explain import explain
from netspec.cli.schema import schema
from netspec.report.language import language_markdown

app = typer.Typer()
app.command()(explain)
app.command()(schema)


@pytest.mark.parametrize(
    ("arguments", "start"),
    [
        (["conv"], "conv: Convolution"),
        (["relu"], "relu: a neuron"),
        (["train"], "train: "),
        (["conv3", "alexnet"], "conv3: a `conv` layer of alexnet"),
        (["conv", "alexnet"], "conv: Convolution"),
    ],
)
def test_what_is_meant(arguments: list[str], start: str) -> None:
    done = CliRunner().invoke(app, ["explain", *arguments])
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith(start)


def test_an_override_reaches_the_layer() -> None:
    done = CliRunner().invoke(app, ["explain", "conv1", "alexnet", "--set", "layers.conv1.round=floor"])
    assert "conv1 is 96x54x54: floor((224 + 0 + 0 - 11) / 4) + 1 = 54" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "near"),
    [(["convv"], "conv"), (["conv33", "alexnet"], "conv3"), (["NS999"], "NS999"), (["zzz"], "SPEC")],
)
def test_an_unknown_word_is_a_usage_error_with_the_nearest_one(arguments: list[str], near: str) -> None:
    done = CliRunner().invoke(app, ["explain", *arguments])
    assert done.exit_code == 2
    assert near in done.stderr


def test_schema_prints_json_or_the_reference() -> None:
    done = CliRunner().invoke(app, ["schema"])
    assert done.stdout.startswith('{\n  "$schema"')
    assert CliRunner().invoke(app, ["schema", "--format", "markdown"]).stdout == language_markdown()
