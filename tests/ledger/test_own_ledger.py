"""A user's ledger for a user's net, both in one folder: found beside the spec, checked, and told why it fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from netspec.ledger import LedgerReport, check_ledger, find_ledger, load_ledger
from netspec.pipeline import compile_file
from tests.ledger.ledgers import failures, reasons

SPEC = """\
netspec: 1
name: tiny
ledger: tiny-paper.yaml
input: {size: 12}
classes: 5
layers:
  first:  {type: conv, inputs: data, filters: 8, size: 3, stride: 2, gpu: [0, 1], neuron: "tanh[1.7, 0.6]"}
  norm:   {type: rnorm, inputs: first, size: 3, alpha: 3e-4, groups: 2}
  second: {type: conv, inputs: norm, filters: 4, size: 3, groups: 2}
  small:  {type: pool, inputs: second, pool: avg, size: 2, stride: 2}
  out:    {type: fc, inputs: small, outputs: 5, gpu: 0}
  probs:  {type: softmax, inputs: out}
data: {resize: 16, crop: 12}
train: {batch: 7, lr: 0.02}
"""
LEDGER = """\
ledger: 1
name: tiny-paper
source: an unpublished manuscript
voices: [the manuscript, the repository]
layers: [[conv1, first], [lrn, norm], [conv2, second], [pool, small], [fc, out]]
rows:
  - {id: shape, where: "2", claim: s, measure: shape, of: [conv1, pool, fc], expected: [8x5x5, 4x2x2, 5]}
  - {id: count, where: "2", claim: c, measure: parameters, expected: 457}
  - {id: counts, where: "2", claim: c, measure: parameters, of: [conv1, conv2, fc], expected: [224, 148, 85]}
  - {id: about, where: "1", claim: about 450, measure: parameters, expected: 450, tolerance: 20}
  - {id: most, where: "1", claim: under 500, measure: parameters, expected: 500, relation: at_most}
  - {id: least, where: "1", claim: over 400, measure: parameters, expected: 400, relation: at_least}
  - {id: round, where: "1", claim: 0.5 thousand, measure: parameters, expected: 500, digits: 1, status: rounds}
  - {id: sum, where: "2", claim: s, measure: weights, of: [conv1, conv2], together: true, expected: 360}
  - {id: kernel, where: "2", claim: k, measure: kernel, of: [conv1, conv2, fc], expected: [3x3x3, 3x3x4, 16]}
  - {id: neuron, where: "2", claim: n, measure: layer.neuron, of: conv1, expected: "tanh[1.7, 0.6]"}
  - {id: none, where: "2", claim: n, measure: layer.neuron, of: conv2, expected: none}
  - {id: alpha, where: "2", claim: a, status: differs, measure: alpha_on_sum, of: lrn, expected: 3e-4, source: 1e-4}
  - {id: slip, where: "3", claim: seven, status: erratum, measure: learned_layers, expected: 7, actual: 3}
  - id: tower
    where: "2"
    claim: t
    measure: reads
    of: [lrn, conv2, fc]
    expected: [own device, own device, all devices]
  - {id: on1, where: "2", claim: t, measure: parameters, of: [conv1, fc], device: 1, expected: [112, 0]}
  - {id: macs1, where: "2", claim: t, measure: macs, device: 1, expected: 3348}
  - {id: cross, where: "2", claim: x, measure: cross_device_floats, expected: 8}
  - {id: pools, where: "2", claim: p, measure: layers, type: pool, expected: small}
  - id: order
    where: "2"
    claim: o
    measure: sequence
    of: [conv1, fc]
    expected: [conv, tanh, rnorm, conv, avg-pool, fc]
  - {id: rate, where: "4", claim: r, measure: train.lr.start, expected: 0.02}
  - {id: never, where: "4", claim: r, measure: rate_divisions, expected: 0}
  - {id: mirror, where: "4", claim: m, measure: data.mirror, expected: false}
  - {id: patches, where: "4", claim: p, measure: patches, expected: 25}
  - {id: later, where: "5", claim: l, status: needs_data, expected: [1, 2]}
"""


def check(folder: Path, ledger: str = LEDGER, *assignments: str) -> LedgerReport:
    (folder / "tiny.yaml").write_text(SPEC)
    (folder / "tiny-paper.yaml").write_text(ledger)
    net = compile_file(folder / "tiny.yaml", assignments, name="tiny.yaml")
    return check_ledger(load_ledger(find_ledger(net.spec.ledger, folder), name="tiny-paper.yaml"), net)


def test_an_own_ledger_is_checked(tmp_path: Path) -> None:
    checked = check(tmp_path)
    assert failures(checked) == set()
    special = {row.id: row.verdict for row in checked.rows if row.verdict != "holds"}
    assert special == {"round": "rounds", "alpha": "differs", "slip": "erratum", "later": "needs data"}


def test_a_report_knows_its_places_and_names(tmp_path: Path) -> None:
    checked = check(tmp_path)
    assert (checked.ledger, checked.spec, checked.source) == ("tiny-paper", "tiny", "an unpublished manuscript")
    assert checked.row("shape").place == "tiny-paper.yaml:7:5"
    assert checked.row("alpha").found == "0.0001 (as the repository)"
    assert checked.row("later").expected == "1 / 2"


@pytest.mark.parametrize(
    ("assignment", "row", "why"),
    [
        ("layers.first.stride=3", "shape", "`first` is 8x4x4, not 8x5x5: floor((12 + 0 + 0 - 3) / 3) + 1 = 4"),
        ("layers.first.stride=3", "count", "`out` reads 4 units, not 16: `small` is 4x1x1"),
        ("layers.second.bias=false", "count", "`second`: 144, not 148"),
        ("layers.norm.alpha=6e-4", "alpha", "neither the manuscript's value nor the repository's"),
        ("layers.second.groups=1", "tower", "`second`: all devices, not own device"),
        ("layers.norm.groups=1", "tower", "`norm`: parts of other devices, not own device"),
        ("layers.first.neuron=relu", "order", "`first` (conv, relu)"),
        ("layers.small.pool=max", "order", "`small` (max-pool)"),
        ("layers.out.gpu=1", "on1", "`out` has 5x16 weights and 5 biases"),
        ("data.resize=20", "patches", "(20 - 12 + 1) x (20 - 12 + 1), without reflections"),
        ("data.resize=null", "patches", "the spec does not say `data.resize`"),
        ("train.lr={start: 0.1}", "rate", "the spec says `train.lr.start: 0.1`"),
    ],
)
def test_a_mutated_own_net_fails_and_says_why(tmp_path: Path, assignment: str, row: str, why: str) -> None:
    assert why in reasons(check(tmp_path, LEDGER, assignment), row)


@pytest.mark.parametrize(
    ("claim", "why"),
    [
        ("measure: shape, of: probs, expected: 5", "the spec has no layer `prob`; did you mean `probs`?"),
        ("measure: shape, of: conv2, device: 3, expected: 2x3x3", "`second` is on gpu 0 and 1, not on gpu 3"),
        ("measure: kernel, of: pool, expected: 2x2x4", "`small` is a `pool` layer without weights"),
        ("measure: layer.rate, of: pool, expected: 1", "`small` is a `pool` layer, which has no `rate`"),
        ("measure: alpha_on_sum, of: pool, expected: 1", "`small` is a `pool` layer, no normalisation"),
        ("measure: test_factor, of: pool, expected: 1", "`small` is a `pool` layer, no dropout"),
        ("measure: bias_rate, of: pool, expected: 1", "`small` is a `pool` layer and learns nothing"),
        ("measure: sequence, of: [fc, conv1], expected: fc", "`first` is not computed from `out`"),
        ("measure: train.lr.divide, expected: 10", "the spec's `train.lr` is 0.02, so it has no `divide`"),
        ("measure: recorded, recorded: [1.26], expected: 1.2, rounds: 0.1", "the log says 1.26"),
        ("measure: input_units, expected: 1", "the input is 3x12x12 at tiny.yaml:4:8"),
        ("measure: layers, type: cnorm, expected: x", "the spec has no `cnorm` layer"),
        ("measure: parameters, of: conv1, expected: 1", "`first` has 8x3x3x3 weights and 8 biases"),
    ],
)
def test_a_claim_that_cannot_hold_says_why(tmp_path: Path, claim: str, why: str) -> None:
    claim = claim.replace("of: probs", "of: prob")
    text = LEDGER.replace("[fc, out]]", "[fc, out], prob]") + f'  - {{id: odd, where: "9", claim: c, {claim}}}\n'
    assert why in reasons(check(tmp_path, text), "odd")
