"""Response normalisation where runtimes have limits of their own."""

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
input: {{channels: 6, size: [3, 4]}}
layers:
  norm: {{type: rnorm, inputs: data, size: {size}, {keys}}}
"""


@pytest.mark.parametrize("size", [1, 2, 4, 5, 11])
@pytest.mark.parametrize(
    "keys", ["alpha: 0", "alpha: 1e-45", "alpha: 0.5, beta: 1e-39", "alpha: 0.5, groups: 3", "alpha: 2, k: 1e-5"]
)
def test_what_onnxruntimes_lrn_refuses_is_computed_otherwise(size: int, keys: str) -> None:
    assert not problems(NET.format(size=size, keys=keys))


def test_across_space_a_part_needs_no_whole_group() -> None:
    """Two groups of three channels on three devices: within a map nothing crosses, so groups are no obstacle."""
    assert not problems(NET.format(size=3, keys="across: space, groups: 2, alpha: 0.5, gpu: [0, 1, 2]"))


@pytest.mark.slow
@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 6, 9])
def test_blocks_of_channels(size: int, groups: int) -> None:
    """The last block may be smaller, and parts need not end where blocks do."""
    keys = f"alpha: 2, blocked: true, groups: {groups}"
    assert not problems(NET.format(size=size, keys=keys))
    for devices in ("[0, 1]", "[2, 0, 1]", "[0, 1, 2, 3, 4, 5]"):
        if len(devices) != 9 or groups == 1:  # three parts do not fit two groups
            assert not differences(NET.format(size=size, keys=f"{keys}, gpu: {devices}"), "fast")


def test_a_block_is_summed_and_nothing_else() -> None:
    forms = Forms.of(NET.format(size=4, keys="alpha: 0.5, alpha_over: sum, k: 1, beta: 1, blocked: true"))
    batch = forms.inputs()
    found, x = run_torch(forms.merged({}), batch)["norm"], batch.astype(np.float64)
    for block in (slice(0, 4), slice(4, 6)):
        sums = 1 + 0.5 * (x[:, block] ** 2).sum(axis=1, keepdims=True)
        np.testing.assert_allclose(found[:, block], x[:, block] / sums, rtol=1e-5)


def test_blocks_are_of_channels() -> None:
    with pytest.raises(SpecError) as error:
        compile_spec(load_text(NET.format(size=3, keys="across: space, blocked: true")))
    assert [d.code for d in error.value.diagnostics] == ["NS310"]
