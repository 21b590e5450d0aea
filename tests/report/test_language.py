"""The language reference: it is the committed page, it leaves no key out, and its example compiles."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from netspec.ir.neuron import KINDS
from netspec.layers import LAYER_TYPES
from netspec.pipeline import compile_spec
from netspec.report.keys import key_docs
from netspec.report.language import language_markdown
from netspec.spec import load_text
from netspec.spec.model import DataSpec, Header, InputSpec, RateSpec, TrainSpec
from netspec.syntax.decode import keys_of


def test_the_committed_page_is_up_to_date(root: Path) -> None:
    page = (root / "docs" / "language.md").read_text(encoding="utf-8")
    assert page == language_markdown(), "run: netspec schema --format markdown > docs/language.md"


def test_its_example_compiles() -> None:
    (example,) = re.findall(r"```yaml\n(# yaml-language-server.*?)```", language_markdown(), re.DOTALL)
    assert compile_spec(load_text(example)).typed.parameter_count == 84_362


@pytest.mark.parametrize("cls", [Header, InputSpec, DataSpec, TrainSpec, RateSpec, *LAYER_TYPES.values()])
def test_no_key_is_left_out(cls: type[Any]) -> None:
    page = language_markdown()
    missing = [name for name in keys_of(cls) if f"| `{name}` |" not in page]
    assert missing == []


def test_every_layer_type_and_neuron_has_its_place() -> None:
    page = language_markdown()
    assert re.findall(r"^### ([a-z0-9]+)$", page, re.MULTILINE) != []
    assert set(LAYER_TYPES) <= set(re.findall(r"^### ([a-z0-9]+)$", page, re.MULTILINE))
    assert all(f"| `{name}" in page for name in KINDS)
    assert all(cls.example in page for cls in LAYER_TYPES.values())


def test_tables_have_four_cells_a_row() -> None:
    keys = language_markdown().split("## Neurons")[0]
    rows = [line for line in keys.split("\n") if line.startswith("| `")]
    assert len(rows) > 60
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {5}


def test_keys_in_words() -> None:
    docs = {doc.name: doc for doc in key_docs(LAYER_TYPES["conv"])}
    assert docs["filters"].required
    assert docs["filters"].bounds == "1 to 1,048,576"
    assert docs["pad"].values == "whole number, or [top, left, bottom, right]"
    assert docs["stride"].default == "1"
    assert docs["round"].values == "`floor` or `ceil`"
    assert docs["round"].default == "floor"
    assert docs["init_w"].default == "0.01"
    assert docs["decay"].default == ""
    assert {doc.name: doc.bounds for doc in key_docs(Header)}["seed"] == "0 to 2^63 - 1"
