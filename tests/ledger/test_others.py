"""The other shipped ledgers: each fits its own net, no other AlexNet, and hearsay is refuted with the right number."""

from __future__ import annotations

import pytest

from netspec.ledger import load_ledger, shipped_ledgers
from tests.ledger.ledgers import failures, reasons, report, spec_folder

OWN = [
    ("alexnet-2012", "source2012"),
    ("caffenet", "caffe"),
    ("alexnet-bvlc", "caffe"),
    ("alexnet-torchvision", "torchvision"),
]


@pytest.mark.parametrize(("spec", "ledger"), OWN)
def test_a_net_has_its_own_ledger(spec: str, ledger: str) -> None:
    assert failures(report(spec, ledger)) == set()


@pytest.mark.parametrize("ledger", ["source2012", "caffe", "torchvision"])
def test_the_papers_net_is_none_of_the_others(ledger: str) -> None:
    assert report("alexnet", ledger).failed


def test_what_tells_the_source_from_the_paper() -> None:
    assert failures(report("alexnet", "source2012")) == {
        "bias-rates",
        "cnorm-alpha",
        "colour-noise-of",
        "epochs",
        "initial-weights",
        "layer1-order",
        "layer2-order",
        "layer5-order",
        "lrn-alpha",
        "lrn-beta",
        "lrn-k",
        "lrn-size",
        "own-tower",
        "rate-steps",
    }


def test_caffes_two_nets_are_told_apart() -> None:
    rows = ("layer1-order", "layer2-order", "initial-biases")
    found = {spec: [report(spec, "caffe").row(row).found for row in rows] for spec in ("caffenet", "alexnet-bvlc")}
    assert all(text.endswith("(as CaffeNet)") for text in found["caffenet"])
    assert all(text.endswith("(as bvlc_alexnet)") for text in found["alexnet-bvlc"])


@pytest.mark.parametrize(
    ("row", "found", "why"),
    [
        ("conv2-3-million", "307,456", "`conv2` has 256x48x5x5 weights and 256 biases"),
        ("lrn-spatial", "channels each", "`rnorm1`: channels, not space"),
        ("fc8-4096", "4,096 / 4,096 / 1,000", "`fc8` says `outputs: 1000`"),
        ("conv4-reads-both", "own device", "the layers that read all devices: `conv3`, `fc6`, `fc7`, `fc8`"),
        ("biases-1-elsewhere", "0 / 1 / 0 / 1 / 1 / 1 / 1 / 0", "`fc8`: 0, not 1"),
        ("fc6-fc7-94-percent", "89.45 %", "37,752,832 (`fc6`) + 16,781,312 (`fc7`) of 60,965,224 parameters"),
        ("input-227", "224", "the spec says `input.size: 224`"),
    ],
)
def test_hearsay_is_refuted_with_the_right_number(row: str, found: str, why: str) -> None:
    checked = report("alexnet", "second-hand")
    assert checked.row(row).found == found
    assert why in reasons(checked, row)


def test_all_hearsay_is_refuted() -> None:
    checked = report("alexnet", "second-hand")
    assert checked.counts == {"FAILS": 7}


def test_every_shipped_ledger_loads_and_is_called_as_its_file() -> None:
    found = shipped_ledgers()
    assert {"paper", "krizhevsky2012", "source2012", "caffe", "torchvision", "second-hand"} <= set(found)
    for path in sorted((spec_folder() / "ledgers").glob("*.yaml")):
        assert load_ledger(path).name == path.stem
