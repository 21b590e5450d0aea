"""The split class of nets that are unusual."""

from __future__ import annotations

import numpy as np

from netspec.backends.torch import emit_module
from tests.conformance.forms import Forms, run_torch

WEIGHTLESS = """
netspec: 1
name: weightless
input: {channels: 4, size: [5, 4]}
layers:
  pool1: {type: pool, inputs: data, pool: max, size: 2, gpu: [0, 1]}
  flip1: {type: flip, inputs: pool1, gpu: 1}
"""


def test_a_net_without_weights_takes_and_gives_none() -> None:
    forms = Forms.of(WEIGHTLESS)
    batch = forms.inputs()
    split = forms.split({})
    assert split.merged_state() == {}  # type: ignore[operator]  # the generated class has it
    merged = run_torch(forms.merged({}), batch)
    assert all(np.array_equal(merged[name], value) for name, value in run_torch(split, batch).items())


def test_a_net_without_weights_has_an_empty_table() -> None:
    net = Forms.of(WEIGHTLESS).net
    text = emit_module(net.spec, net.merged, net.placed)
    assert "    ROWS = ()\n\n    def" in text
    assert text.endswith("}\n")
    assert not text.endswith("\n\n")
