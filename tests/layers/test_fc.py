"""Fully-connected layers in groups (cuda-convnet2's sfc), on one device and on several."""

from __future__ import annotations

import numpy as np
import pytest

from netspec.diagnostics import SpecError
from netspec.pipeline import compile_spec
from netspec.spec.load import load_text
from tests.conformance.forms import Forms, run_torch
from tests.conformance.rules import problems
from tests.property.equality import differences

NET = """
netspec: 1
name: net
input: {{channels: 4, size: [3, 2]}}
layers:
  flat: {{type: fc, inputs: data, outputs: 12, gpu: [1, 0]}}
  layer: {{type: fc, inputs: {inputs}, outputs: 8, {keys}}}
"""


@pytest.mark.parametrize("inputs", ["flat", "[flat, data]", "[data, flat, data]"])
@pytest.mark.parametrize("keys", ["groups: 2, gpu: 0", "groups: 4, bias: false, gpu: [0, 1]", "groups: 2, gpu: [0, 1]"])
def test_every_promise(inputs: str, keys: str) -> None:
    outputs = "outputs: [layer]" if "flat" in inputs else "outputs: [layer, flat]"
    text = NET.format(inputs=inputs, keys=keys).replace("layers:", f"{outputs}\nlayers:")
    assert not problems(text)
    assert not differences(text, "native")


@pytest.mark.parametrize("devices", ["[0, 1, 2, 3]", "[3, 1]"])
def test_a_part_of_a_group_reads_the_group(devices: str) -> None:
    text = NET.format(inputs="flat", keys=f"groups: 2, gpu: {devices}")
    assert not problems(text)
    assert not differences(text, "native")


def test_two_towers_never_talk() -> None:
    """Two groups on the devices that hold their inputs: nothing crosses but the input's copies."""
    text = NET.format(inputs="flat", keys="groups: 2, gpu: [1, 0]").replace("channels: 4", "channels: 4, name: image")
    net = compile_spec(load_text(text.replace("inputs: data", "inputs: image")))
    assert [t.input.source for t in net.placed.transfers] == ["layer"]  # the output is one value
    assert net.typed.macs == 12 * 24 + 8 * 6


def test_against_a_block_diagonal_matrix() -> None:
    forms = Forms.of(NET.format(inputs="[data, flat]", keys="groups: 2"))
    weights, batch = forms.weights(), forms.inputs()
    values = run_torch(forms.merged(weights), batch) | {"data": batch.reshape(len(batch), -1)}
    wanted = np.zeros((len(batch), 8)) + weights["layer.0.bias"]
    for path, source in (("layer.0.weight", "data"), ("layer.1.weight", "flat")):
        own, x = weights[path], values[source]
        full = np.zeros((8, x.shape[1]))
        full[:4, : x.shape[1] // 2], full[4:, x.shape[1] // 2 :] = own[:4], own[4:]
        wanted += x @ full.T
    np.testing.assert_allclose(values["layer"], wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("keys", "code"),
    [("groups: 3", "NS306"), ("groups: 8", "NS306"), ("groups: 4, gpu: [0, 1, 2]", "NS401"), ("groups: 0", "NS204")],
)
def test_wrong_groups_are_refused(keys: str, code: str) -> None:
    with pytest.raises(SpecError) as error:
        compile_spec(load_text(NET.format(inputs="[data, flat]", keys=keys)))
    assert {d.code for d in error.value.diagnostics} == {code}
