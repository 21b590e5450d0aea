"""Dropout in training, where only its statistics can be compared."""

from __future__ import annotations

import pytest
import torch

from tests.conformance.forms import Forms

NET = """
netspec: 1
name: net
input: {{channels: 4, size: 30}}
layers:
  drop: {{type: dropout, inputs: data, rate: {rate}, scale: {scale}}}
"""


@pytest.mark.parametrize("rate", [0.0, 0.2, 0.5, 0.9])
@pytest.mark.parametrize("scale", ["test", "train"])
def test_training_drops_at_the_rate_and_scales_where_it_says(rate: float, scale: str) -> None:
    module = Forms.of(NET.format(rate=rate, scale=scale)).merged({}).train()
    torch.manual_seed(2012)
    y = module(torch.full((10, 4, 30, 30), 3.0))["drop"]
    kept = y != 0
    assert kept.float().mean().item() == pytest.approx(1 - rate, abs=0.01)
    wanted = 3.0 if scale == "test" else 3.0 / (1 - rate)
    torch.testing.assert_close(y[kept], torch.full_like(y[kept], wanted))
