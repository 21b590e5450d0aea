"""Solvers: what they train with, in epochs, with what remarks. Curves are compared with Caffe's formulas."""

from __future__ import annotations

from math import exp

import pytest

from netspec.diagnostics import SpecError
from netspec.importers.caffe.prototxt import read_prototxt
from netspec.importers.caffe.solver import apply_solver
from netspec.importers.draft import At, Draft, Value
from netspec.importers.remark import Remarks
from netspec.source import Source, whole
from netspec.spec.model import RateSpec, TrainSpec

IMAGES = 10_000

ALEXNET = """net: "models/bvlc_alexnet/train_val.prototxt"
test_iter: 1000
test_interval: 1000
base_lr: 0.01
lr_policy: "step"
gamma: 0.1
stepsize: 100000
display: 20
max_iter: 450000
momentum: 0.9
weight_decay: 0.0005
snapshot: 10000
snapshot_prefix: "models/bvlc_alexnet/caffe_alexnet_train"
solver_mode: GPU
"""


def draft_of(
    text: str, batch: int | None = 100, images: int | None = IMAGES, before: dict[str, Value] | None = None
) -> tuple[Draft, Remarks]:
    source, remarks = Source("solver.prototxt", text), Remarks()
    draft = Draft(Source("net.prototxt", ""))
    if before is not None:
        draft.keys["train"] = before
    apply_solver(draft, read_prototxt(source, remarks, "SolverParameter"), batch, remarks, images)
    return draft, remarks


def train(text: str, batch: int | None = 100, images: int | None = IMAGES) -> TrainSpec:
    """What the language makes of it."""
    draft, _ = draft_of(text, batch, images)
    draft.keys |= {"name": "n", "input": {"size": 8}}
    draft.add("pool", "pool", whole(draft.source), inputs="data", pool="max", size=2)
    found = draft.spec().train
    assert found is not None
    return found


def rate(text: str, batch: int | None = 100) -> RateSpec:
    found = train(f"base_lr: 0.1 {text}", batch).lr
    return found if isinstance(found, RateSpec) else RateSpec(start=found)


def said(text: str, batch: int | None = 100, images: int | None = IMAGES) -> list[str]:
    return [f"{remark.kind}: {remark.text}" for remark in draft_of(text, batch, images)[1].items]


def test_the_solver_of_alexnet() -> None:
    found = train(ALEXNET, 256, None)
    assert (found.batch, found.epochs, found.momentum, found.decay) == (256, 90, 0.9, 0.0005)
    assert found.lr == RateSpec(start=0.01, divide=10, when=(20, 40, 60, 80))
    assert said(ALEXNET, 256, None) == [
        (
            "meaning: 450,000 iterations of 256 images are 89.92 passes over the 1,281,167 training images of"
            " ILSVRC-2012: `epochs: 90`"
        ),
        "meaning: it falls after whole epochs: 19.98, 39.96, 59.95, 79.93 are 20, 40, 60, 80",
        (
            "dropped: how Caffe runs, and not what it trains: `test_iter`, `test_interval`, `display`, `snapshot`,"
            " `snapshot_prefix`, `solver_mode`"
        ),
    ]


def test_what_a_solver_leaves_out_is_zero_in_caffe() -> None:
    found = train("base_lr: 1 lr_policy: 'fixed'")
    assert (found.lr, found.momentum, found.decay) == (1, 0, 0)


def test_the_size_of_known_data_sets() -> None:
    text = "base_lr: 1 lr_policy: 'fixed' max_iter: 4000 net: 'examples/{}_train_test.prototxt'"
    assert train(text.format("cifar10/cifar10_quick"), 100, None).epochs == 8
    assert train(text.format("mnist/lenet"), 60, None).epochs == 4


def test_gradients_over_several_batches() -> None:
    found = train("base_lr: 1 lr_policy: 'fixed' iter_size: 4 max_iter: 1000")
    assert (found.batch, found.epochs) == (400, 40)


def test_keys_of_the_draft_stay() -> None:
    draft, _ = draft_of("base_lr: 1 lr_policy: 'fixed'", None, before={"batch": 7, "momentum": 0.5})
    kept = draft.keys["train"]
    assert isinstance(kept, dict)
    assert kept["batch"] == 7
    assert kept["momentum"] == At(0.0, kept["momentum"].place)
    assert "epochs" not in kept


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("lr_policy: 'step' stepsize: 300 max_iter: 900", (3, 6)),
        ("lr_policy: 'step' stepsize: 300 max_iter: 901", (3, 6, 9)),
        ("lr_policy: 'step' stepsize: 260 max_iter: 600", (3, 5)),
        ("lr_policy: 'multistep' stepvalue: 200 stepvalue: 500 max_iter: 1000", (2, 5)),
        ("lr_policy: 'multistep' stepvalue: [200, 500, 1000] max_iter: 1000", (2, 5)),
        ("lr_policy: 'multistep' stepvalue: [20, 500, 510]", (1, 5)),
    ],
)
def test_steps_fall_after_whole_epochs(text: str, when: tuple[int, ...]) -> None:
    assert rate(f"{text} gamma: 0.2") == RateSpec(start=0.1, divide=5, when=when)


@pytest.mark.parametrize("done", [0, 0.25, 0.5, 1])
@pytest.mark.parametrize(
    ("text", "of_caffe", "tolerance"),
    [
        ("lr_policy: 'exp' gamma: 0.999", lambda i: 0.999**i, 1e-6),
        ("lr_policy: 'poly' power: 1", lambda i: 1 - i / 1000, 1e-2),
        ("lr_policy: 'step' stepsize: 10 gamma: 0.9", lambda i: 0.9 ** (i / 10), 0.12),
        ("lr_policy: 'inv' gamma: 0.001 power: 0.75", lambda i: (1 + 0.001 * i) ** -0.75, 0.05),
    ],
)
def test_curves_are_near_those_of_caffe(text: str, of_caffe, tolerance: float, done: float) -> None:  # type: ignore[no-untyped-def] # a lambda of a table
    found = rate(f"{text} max_iter: 1000")
    ours = {"exp": found.divide**-done, "linear": 1 - done + done / found.divide}[found.curve]
    assert ours == pytest.approx(of_caffe(1000 * done), rel=tolerance, abs=1e-3)


@pytest.mark.parametrize(
    "text",
    [
        "lr_policy: 'sigmoid' gamma: -.1 stepsize: 3",
        "lr_policy: 'cosine' max_iter: 9",
        "lr_policy: 'exp' gamma: .9",
        "lr_policy: 'inv' max_iter: 9",
        "lr_policy: 'poly' max_iter: 9",
        "lr_policy: 'step' gamma: .1",
        "lr_policy: 'multistep' stepvalue: 300",
        "lr_policy: 'step' stepsize: 300 max_iter: 1000",
    ],
)
def test_rates_that_cannot_be_said_stay_with_a_remark(text: str) -> None:
    assert rate(text) == RateSpec(start=0.1)
    (found,) = [line for line in said(f"base_lr: 0.1 {text}") if "the rate stays at `base_lr`" in line]
    assert found.startswith("dropped: training will differ: ")


def test_without_the_size_of_a_batch_there_are_no_epochs() -> None:
    text = "base_lr: .1 lr_policy: 'multistep' gamma: .1 stepvalue: 300 max_iter: 1000"
    assert train(text, None).epochs == TrainSpec().epochs
    assert rate(text.removeprefix("base_lr: .1"), None) == RateSpec(start=0.1)
    first, second = said(text, None)
    assert first.startswith("dropped: the net does not say how many images a batch has")
    assert second.startswith(
        "dropped: training will differ: the net does not say how many images a batch has, so steps have no epoch"
    )


@pytest.mark.parametrize(
    ("text", "remark"),
    [
        ("type: 'Nesterov'", "dropped: training will differ: the solver is Nesterov, and here SGD with momentum"),
        ("solver_type: ADAM", "dropped: training will differ: the solver is Adam, and here SGD with momentum"),
        ("regularization_type: 'L1'", "dropped: training will differ: weights decay by L1, and here by L2"),
        ("clip_gradients: 35", "dropped: training will differ: gradients are clipped, and here they are not"),
        ("random_seed: 7", "dropped: how Caffe runs, and not what it trains: `random_seed`"),
    ],
)
def test_what_is_left_out_is_said(text: str, remark: str) -> None:
    assert said(f"base_lr: 1 lr_policy: 'fixed' {text}") == [remark]


def test_what_needs_no_remark() -> None:
    assert said("base_lr: 1 lr_policy: 'fixed' type: 'SGD' regularization_type: 'L2' clip_gradients: -1") == []
    assert said("base_lr: 1 lr_policy: 'fixed' solver_type: SGD") == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("lr_policy: 'fixed'", "NS803"),
        ("base_lr: 1", "NS803"),
        ("base_lr: 1 lr_policy: 'fixed' type: 'Adam' solver_type: ADAM", "NS808"),
    ],
)
def test_solvers_that_caffe_refuses(text: str, code: str) -> None:
    with pytest.raises(SpecError) as caught:
        draft_of(text)
    assert [found.code for found in caught.value.diagnostics] == [code]


def test_values_that_the_language_refuses_are_shown_in_the_solver() -> None:
    with pytest.raises(SpecError) as caught:
        train("base_lr: 0\nlr_policy: 'fixed'\nmomentum: 2")
    assert [found.span.where for found in caught.value.diagnostics] == ["solver.prototxt:1:10", "solver.prototxt:3:11"]


def test_extreme_numbers_stay_numbers() -> None:
    for text in (
        "lr_policy: 'exp' gamma: 1e-38 max_iter: 2147483647",
        "lr_policy: 'inv' gamma: 3e38 power: 3e38 max_iter: 2147483647",
        "lr_policy: 'exp' gamma: 3e38 max_iter: 2147483647",
        "lr_policy: 'step' gamma: 1e-45 stepsize: 1 max_iter: 2147483647",
    ):
        assert 0 < rate(text).divide <= exp(70)
