"""The AlexNets that come with netspec: every deviation is found, and nothing else."""

from __future__ import annotations

import pytest

from netspec.difference import Difference, Scope, compare
from netspec.pipeline import compile_file
from netspec.spec.shipped import find_spec
from tests.difference.nets import Told, told


def shipped(a: str, b: str, scope: Scope = Scope()) -> Difference:  # noqa: B008 - it is frozen
    one, other = (compile_file(find_spec(name), name=name) for name in (a, b))
    return compare(one, other, scope)


# FACTS of the paper and its source that a spec can show: what the authors ran, and what they wrote
DEVIATIONS: list[Told] = [
    ("rnorm1", "alpha", "0.0001 / 5 = 2e-05", "0.0001"),
    ("pool1 / conv1", "order", "relu after pool1", "relu after conv1"),
    ("rnorm2", "alpha", "0.0001 / 5 = 2e-05", "0.0001"),
    ("cnorm2", "rnorm", "alpha 0.001 / 25 = 4e-05, size 5, k 1, beta 0.75, space", ""),
    ("conv3", "init_w", "0.03", "0.01"),
    ("conv4", "init_w", "0.03", "0.01"),
    ("conv5", "init_w", "0.03", "0.01"),
    ("", "data.color_pca_of", "std", "eigenvalue"),
]


def test_what_the_authors_ran_against_what_they_wrote() -> None:
    found = shipped("alexnet-2012", "alexnet")
    assert told(found) == DEVIATIONS
    assert found.sizes == ()
    assert [(total.a, total.b) for total in found.totals] == [(60_965_224, 60_965_224), (724_406_816, 724_406_816)]
    places = {row.what: [side.place for side in (row.a, row.b) if side] for row in found.rows}
    assert places["data.color_pca_of"] == ["alexnet-2012:49", "alexnet:31"]
    assert ("conv5", "conv5") in found.pairs
    assert ("fc2048b", "fc7") in found.pairs


def test_their_training_differs_in_rates_alone() -> None:
    learned = ("conv1", "conv2", "conv3", "conv4", "conv5", "fc2048 / fc6", "fc2048b / fc7", "fc1000 / fc8")
    fixed, plateau = "0.01, / 10 after 25, 51, 79", "0.01, / 10 at 3 plateaus of 5 epochs"
    rates = [(layer, "rate of weights", fixed, plateau) for layer in learned]
    rates += [(layer, "rate of biases", "0.02", plateau) for layer in learned]
    found = told(shipped("alexnet-2012", "alexnet", Scope(train=True)))
    assert sorted(found) == sorted([*DEVIATIONS, *rates, ("", "epochs", "91", "90")])


def test_they_stand_on_the_same_devices() -> None:
    assert told(shipped("alexnet-2012", "alexnet", Scope(placement=True))) == DEVIATIONS


SHORT: dict[tuple[str, str], list[Told]] = {
    ("alexnet-2012", "alexnet-no-lrn"): [
        ("rnorm1", "rnorm", "alpha 0.0001 / 5 = 2e-05, groups 2, size 5, k 2, beta 0.75, channels", ""),
        ("rnorm2", "rnorm", "alpha 0.0001 / 5 = 2e-05, groups 2, size 5, k 2, beta 0.75, channels", ""),
        ("cnorm2", "rnorm", "alpha 0.001 / 25 = 4e-05, size 5, k 1, beta 0.75, space", ""),
    ],
    ("alexnet-2012", "alexnet-pool2"): [
        ("pool1", "size", "3", "2"),
        ("conv2", "pad", "2", "1"),
        ("pool2", "size", "3", "2"),
        ("conv5", "pad", "1", "0"),
        ("pool3", "size", "3", "2"),
    ],
    ("alexnet-2012", "alexnet-half"): [
        ("conv1", "filters", "96", "48"),
        ("rnorm1", "groups", "2", "1"),
        ("conv2", "filters", "256", "128"),
        ("conv2", "groups", "2", "1"),
        ("rnorm2", "groups", "2", "1"),
        ("conv3", "filters", "384", "192"),
        ("conv4", "filters", "384", "192"),
        ("conv4", "groups", "2", "1"),
        ("conv5", "groups", "2", "1"),
    ],
    ("alexnet-2012", "alexnet-6conv"): [
        ("conv6", "conv", "", "filters 256, size 3, stride 1, pad 1, dilation 1, groups 1, relu"),
    ],
    ("alexnet-bvlc", "caffenet"): [
        ("norm1", "order", "rnorm after conv1", "rnorm after pool1"),
        ("conv2", "init_b", "0.1", "1"),
        ("norm2", "order", "rnorm after conv2", "rnorm after pool2"),
        ("conv4", "init_b", "0.1", "1"),
        ("conv5", "init_b", "0.1", "1"),
        ("fc6", "init_b", "0.1", "1"),
        ("fc7", "init_b", "0.1", "1"),
    ],
    ("cifar10-fig1-relu", "cifar10-fig1-tanh"): [
        ("conv1", "neuron", "relu", "tanh[1.0, 1.0]"),
        ("conv2", "neuron", "relu", "tanh[1.0, 1.0]"),
        ("conv3", "neuron", "relu", "tanh[1.0, 1.0]"),
    ],
}


@pytest.mark.parametrize(("a", "b"), SHORT)
def test_variants(a: str, b: str) -> None:
    assert told(shipped(a, b)) == SHORT[a, b]


def test_the_paper_against_caffe() -> None:
    """On one device, with other norms and pictures; `norm1` is `rnorm1`, and so on."""
    found = shipped("alexnet", "alexnet-bvlc")
    assert sorted({(what, a, b) for _, what, a, b in told(found)}) == [
        ("alpha", "0.0001", "0.0001 / 5 = 2e-05"),
        ("data.channels", "rgb", "bgr"),
        ("data.color_pca", "0.1", "0"),
        ("data.mean_color", "R 127.3, G 119.72, B 104.91", "R 122.68, G 116.67, B 104.01"),
        ("groups", "2", "1"),
        ("init_b", "1", "0.1"),
        ("init_w", "0.01", "0.005"),
        ("input.size", "224", "227"),
        ("k", "2", "1"),
        ("scale", "test", "train"),
    ]
    assert found.sizes == ()  # 227 without overhang is 224 with it


def test_the_paper_against_torchvision() -> None:
    found = shipped("alexnet", "alexnet-torchvision")
    rows = told(found)
    assert [row for row in rows if row[1] in ("filters", "groups", "pad", "scale")] == [
        ("conv1", "filters", "96", "64"),
        ("conv1", "pad", "top 0, left 0, bottom 3, right 3 by ceil", "2"),
        ("conv2", "filters", "256", "192"),
        ("conv2", "groups", "2", "1"),
        ("conv4", "filters", "384", "256"),
        ("conv4", "groups", "2", "1"),
        ("conv5", "groups", "2", "1"),
        ("drop6 / drop7", "scale", "test", "train"),
    ]
    alone = [(layer, what, bool(a)) for layer, what, a, b in rows if not (a and b)]
    assert alone == [
        ("rnorm1", "rnorm", True),
        ("rnorm2", "rnorm", True),
        ("drop6", "dropout", False),
        ("drop7", "dropout", True),
    ]
    assert {row[1] for row in rows if not row[0]} == {"data.mean", "data.std", "data.color_pca", "data.test_views"}
    assert (found.totals[0].a, found.totals[0].b) == (60_965_224, 61_100_840)
