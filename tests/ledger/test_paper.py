"""The paper's ledger on specs/alexnet.yaml: every row of FACTS 4, with its verdict and its numbers, row by row."""

from __future__ import annotations

import pytest

from tests.ledger.ledgers import report

# FACTS 4, in its order: what it calls the row, and the verdict of each row of the ledger that stands for it.
FACTS = {
    "60 million parameters": {"parameters-60-million": "rounds"},
    "650,000 neurons": {"neurons-650000": "rounds"},
    "five conv, pools, three fc, softmax, eight layers": {
        "conv-layers": "holds",
        "pool-layers": "holds",
        "fc-layers": "holds",
        "eight-layers": "holds",
        "softmax-1000": "holds",
    },
    "each conv at most 1 %": {"conv-share": "erratum"},
    "LRN constants, after ReLU": {
        "lrn-k": "holds",
        "lrn-size": "holds",
        "lrn-beta": "holds",
        "lrn-alpha": "differs",
        "lrn-after-relu": "differs",
    },
    "pool s=2, z=3": {"pool-stride": "holds", "pool-size": "holds"},
    "conv1": {
        "input-size": "holds",
        "conv1-filters": "holds",
        "conv1-kernel": "holds",
        "conv1-stride": "holds",
        "conv1-shape": "holds",
    },
    "conv2 to conv5, fc": {"filters": "holds", "kernels": "holds", "fc-4096": "holds"},
    "what reads which GPU": {"own-gpu": "holds", "conv3-reads-all": "holds", "fc-read-all": "holds"},
    "LRN, max-pool and ReLU after what": {
        "lrn-layers": "differs",
        "layer2-order": "differs",
        "layer5-order": "differs",
        "layer3-order": "holds",
        "fc-order": "holds",
    },
    "fig. 2 neurons": {"fig2-neurons": "erratum"},
    "fig. 2 input": {"fig2-input": "holds"},
    "factor 2048": {"augmentation": "holds"},
    "10 test patches": {"ten-views": "holds"},
    "RGB PCA": {"pca-std": "holds", "pca-of": "differs"},
    "dropout": {"dropout-rate": "holds", "dropout-layers": "holds", "dropout-test": "holds"},
    "batch, momentum, decay": {"batch": "holds", "momentum": "holds", "decay": "holds"},
    "update": {"update": "holds"},
    "initial weights and biases": {"initial-weights": "differs", "initial-biases": "holds"},
    "learning rate": {
        "rate": "holds",
        "rate-divide": "holds",
        "rate-when": "differs",
        "rate-times": "holds",
        "rate-of-biases": "differs",
        "epochs": "holds",
    },
    "two GPUs better": {"two-gpus-better": "holds"},
    "LRN better": {"lrn-better": "holds"},
    "overlapping pooling better": {"overlap-better": "holds"},
    "ILSVRC-2010": {"ilsvrc-2010": "holds"},
    "ILSVRC-2012": {
        "ilsvrc-2012-1cnn": "holds",
        "ilsvrc-2012-1cnn-pretrained": "holds",
        "ilsvrc-2012-averages": "not recorded",
    },
    "Fall 2009": {"fall-2009": "not recorded"},
    "removing any middle layer": {"depth": "needs data"},
    "figure 1": {"relu-faster": "experiment"},
    "CIFAR-10 with and without LRN": {"cifar-lrn": "experiment"},
}
ROWS = [(name, row, verdict) for name, rows in FACTS.items() for row, verdict in rows.items()]


@pytest.mark.parametrize(("name", "row", "verdict"), ROWS, ids=[row for _, row, _ in ROWS])
def test_a_claim_has_the_verdict_of_the_facts(name: str, row: str, verdict: str) -> None:
    assert report("alexnet", "paper").row(row).verdict == verdict, name


def test_the_counts_of_the_layer_files_all_hold() -> None:
    rows = [row for row in report("alexnet", "paper").rows if row.where == "net 145"]
    assert len(rows) == 16
    assert {row.verdict for row in rows} == {"holds"}


def test_nothing_fails() -> None:
    checked = report("alexnet", "paper")
    assert not checked.failed
    assert sum(checked.counts.values()) == len(checked.rows)


@pytest.mark.parametrize(
    ("row", "expected", "found"),
    [
        ("parameters-60-million", "60,000,000", "60,965,224"),
        ("neurons-650000", "650,000", "659,272"),
        ("parameters", "60,965,224", "60,965,224"),
        ("parameters-gpu0", "32,531,112", "32,531,112"),
        ("parameters-gpu1", "28,434,112", "28,434,112"),
        ("macs", "724,406,816", "724,406,816"),
        ("units", "659,272", "659,272"),
        ("cross", "58,624", "58,624"),
        ("augmentation", "2,048", "2,048"),
        ("lrn-alpha", "0.0001 each; the source: 2e-05 each", "0.0001 each (as the paper)"),
        ("pca-of", "eigenvalue; the source: std", "eigenvalue (as the paper)"),
        ("two-gpus-better", "1.7 / 1.2", "1.6953 / 1.23"),
        (
            "conv-share",
            "at most 1 % each; truly 0.06 % / 0.5 % / 1.45 % / 1.09 % / 0.73 %",
            "0.05732 % / 0.5043 % / 1.452 % / 1.089 % / 0.726 %",
        ),
    ],
)
def test_both_numbers_are_shown(row: str, expected: str, found: str) -> None:
    checked = report("alexnet", "paper").row(row)
    assert (checked.expected, checked.found) == (expected, found)


def test_what_is_not_computed_says_so() -> None:
    rows = report("alexnet", "paper").rows
    unchecked = {row.id for row in rows if row.found == "not checked"}
    assert unchecked == {row.id for row in rows if row.verdict in ("experiment", "needs data", "not recorded")}
    assert len(unchecked) == 5


def test_numbers_of_logs_need_no_layer() -> None:
    """A net with other layer names, and of other form, still has the logs' rows: they compute nothing of it."""
    checked = report("lenet", "paper")
    assert checked.row("ilsvrc-2012-1cnn").verdict == "holds"
    assert checked.row("parameters").verdict == "FAILS"


def test_the_authors_own_net_follows_the_source_where_they_differ() -> None:
    checked = report("alexnet-2012", "paper")
    assert not checked.failed
    differs = [row for row in checked.rows if row.verdict == "differs"]
    assert len(differs) == 9
    assert all(row.found.endswith("(as the source)") for row in differs)
    assert checked.row("epochs").verdict == "rounds"
