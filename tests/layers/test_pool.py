"""Pooling over whole maps."""

from __future__ import annotations

import pytest

from tests.conformance.rules import problems

NET = """
netspec: 1
name: net
input: {{channels: 3, size: [5, 4]}}
layers:
  pool1: {{type: pool, inputs: data, pool: {pool}, size: global, start: {start}}}
"""


@pytest.mark.parametrize("pool", ["max", "avg", "sum", "maxabs"])
@pytest.mark.parametrize("start", [0, 1, 3])
def test_global_pooling_leaves_out_what_start_skips(pool: str, start: int) -> None:
    assert not problems(NET.format(pool=pool, start=start))
