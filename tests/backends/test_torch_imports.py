"""What a generated file imports."""

from __future__ import annotations

import ast

import pytest

from netspec.backends.torch import emit_module
from tests.conformance.forms import Forms

NET = """
netspec: 1
name: net
input: {{channels: 2, size: 4}}
layers:
  {name}: {{type: conv, inputs: data, filters: 4, size: 3, {more}}}
"""


@pytest.mark.parametrize(
    ("name", "more", "wanted"),
    [
        ("conv1", "bias: true", {"Tensor", "nn"}),
        ("convF", "bias: true", {"Tensor", "nn"}),
        ("mytorch", "bias: true", {"Tensor", "nn"}),
        ("conv1", "neuron: relu", {"Tensor", "nn", "functional"}),
        ("conv1", "neuron: square", {"Tensor", "nn", "torch"}),
        ("conv1", "gpu: [0, 1]", {"Tensor", "nn", "torch"}),
    ],
)
def test_only_what_is_used(name: str, more: str, wanted: set[str]) -> None:
    net = Forms.of(NET.format(name=name, more=more)).net
    tree = ast.parse(emit_module(net.spec, net.merged, net.placed))
    imports = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    assert {alias.name for node in imports for alias in node.names} == wanted
