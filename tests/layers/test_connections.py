"""Convolutions whose groups read listed channels (cuda-convnet's randSparse), on one device and on several."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn.functional import conv2d

from netspec.diagnostics import SpecError
from netspec.ir.placed import Slice
from netspec.pipeline import compile_spec
from netspec.spec.dump import dump
from netspec.spec.load import load_text
from tests.conformance.forms import Forms, run_torch
from tests.conformance.rules import problems
from tests.property.equality import differences

NET = """
netspec: 1
name: net
input: {{channels: 6, size: [7, 6]}}
layers:
  layer: {{type: {kind}, inputs: {inputs}, filters: 8, size: 3, pad: 1, {keys}}}
"""

KEYS = (
    "groups: 2, connections: [5, 0, 3, 1, 2, 4]",
    "groups: 4, connections: [5, 0, 3, 1, 0, 5, 2, 2]",
    "groups: 2, connections: [1, 4]",
    "connections: [4, 4, 1]",
    "groups: 8, connections: [0, 1, 2, 3, 4, 5, 0, 1]",
    "per_input: [{groups: 2, connections: [3, 1, 2, 0]}]",
    "connections: [0, 1, 2, 3], per_input: [{groups: 4}]",
)


def _text(keys: str, kind: str = "conv", inputs: str = "data") -> str:
    return NET.format(kind=kind, keys=keys, inputs=inputs)


@pytest.mark.parametrize("kind", ["conv", "local"])
@pytest.mark.parametrize("keys", KEYS)
def test_every_promise(keys: str, kind: str) -> None:
    assert not problems(_text(keys, kind))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["conv", "local"])
@pytest.mark.parametrize("devices", ["[0, 1]", "[2, 0, 1, 3]"])
@pytest.mark.parametrize("keys", KEYS)
def test_parts_compute_the_same(keys: str, kind: str, devices: str) -> None:
    text = _text(f"{keys}, gpu: {devices}", kind)
    assert not differences(text, "native")


def test_several_inputs_on_two_devices() -> None:
    own = "groups: 2, per_input: [{connections: [5, 0, 3, 1]}, {groups: 4}, {connections: [1, 0, 0, 2], groups: 1}]"
    text = """
netspec: 1
name: net
input: {channels: 6, size: [7, 6]}
layers:
  first: {type: conv, inputs: data, filters: 4, size: 3, pad: 1, gpu: [1, 0]}
  layer: {type: conv, inputs: [data, first, first], filters: 8, size: 3, pad: 1, gpu: [0, 1], OWN}
""".replace("OWN", own)
    assert not problems(text)
    assert not differences(text, "fast")


def test_against_one_convolution_a_group() -> None:
    """Group i reads entries [i n, (i + 1) n) of the list: reference/cuda-convnet.md 3."""
    connections = [5, 0, 3, 1, 2, 2]
    forms = Forms.of(_text(f"groups: 2, connections: {connections}"))
    weights, batch = forms.weights(), forms.inputs()
    assert weights["layer.weight"].shape == (8, 3, 3, 3)
    found = run_torch(forms.merged(weights), batch)["layer"]
    x, kernels = torch.from_numpy(batch), torch.from_numpy(weights["layer.weight"])
    parts = [conv2d(x[:, connections[3 * g : 3 * g + 3]], kernels[4 * g : 4 * g + 4], padding=1) for g in (0, 1)]
    wanted = torch.cat(parts, dim=1).numpy() + weights["layer.bias"][:, None, None]
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)


def test_a_part_reads_only_what_covers_its_channels() -> None:
    net = compile_spec(load_text(_text("groups: 2, connections: [1, 3, 4, 5], gpu: [0, 1]")))
    starts = [(step.start, step.output.shape.channels) for step in net.placed.steps if isinstance(step, Slice)]
    assert starts == [(1, 3), (4, 2)]
    assert net.typed.macs == 8 * 2 * 9 * 42


def test_the_list_survives_writing() -> None:
    spec = load_text(_text("groups: 2, connections: [2, 2]"))
    assert load_text(dump(spec)).layers == spec.layers


@pytest.mark.parametrize(
    ("keys", "code"),
    [
        ("connections: [6]", "NS319"),
        ("connections: []", "NS319"),
        ("connections: [-1]", "NS204"),
        ("groups: 2, connections: [0, 1, 2]", "NS306"),
    ],
)
def test_wrong_lists_are_refused(keys: str, code: str) -> None:
    with pytest.raises(SpecError) as error:
        compile_spec(load_text(_text(keys)))
    assert {d.code for d in error.value.diagnostics} == {code}
