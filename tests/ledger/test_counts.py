"""Counts where it matters whose they are: running statistics, shared weights, and values that several layers read."""

from __future__ import annotations

import pytest

from netspec.ledger import check_ledger, load_ledger_text
from netspec.pipeline import compile_spec
from netspec.spec.load import load_text

SPEC = """\
netspec: 1
name: shared
input: {size: 8}
outputs: [left, right]
layers:
  stem:  {type: conv, inputs: data, filters: 4, size: 3, gpu: [0, 1]}
  norm:  {type: batchnorm, inputs: stem}
  twin:  {type: conv, inputs: data, filters: 4, size: 3, share_weights: stem, gpu: [0, 1]}
  both:  {type: eltsum, inputs: [norm, twin]}
  left:  {type: fc, inputs: both, outputs: 2, gpu: 0}
  right: {type: fc, inputs: both, outputs: 2, gpu: 1}
"""
LAYERS = "ledger: 1\nname: t\nlayers: [stem, norm, twin, left, right]\nrows:\n"


@pytest.mark.parametrize(
    ("claim", "found"),
    [
        ("measure: parameters, of: [stem, norm, twin], expected: 0", "112 / 8 / 4"),
        ("measure: parameters, of: [stem, norm, twin], device: 1, expected: 0", "56 / 4 / 2"),
        ("measure: weights, of: [stem, norm, twin, left], expected: 0", "108 / 4 / 0 / 288"),
        ("measure: biases, of: [stem, norm, twin, left], expected: 0", "4 / 4 / 4 / 2"),
        ("measure: parameters, expected: 0", "704"),
        ("measure: parameters, device: 0, expected: 0", "352"),
        ("measure: weights, expected: 0", "688"),
        ("measure: share, of: [left, right], together: true, expected: 0", "82.39 %"),
        ("measure: cross_device_floats, of: [twin, left, right], expected: 1", "0 / 72 / 72"),
        ("measure: cross_device_floats, expected: 0", "144"),
        ("measure: macs, of: [left, right], device: 1, expected: 1", "0 / 288"),
    ],
)
def test_counts(claim: str, found: str) -> None:
    net = compile_spec(load_text(SPEC))
    ledger = load_ledger_text(f'{LAYERS}  - {{id: a, where: "1", claim: c, {claim}}}\n')
    assert check_ledger(ledger, net).row("a").found == found
