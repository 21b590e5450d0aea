"""What the proof compares with: the measures of difference, the inputs, the modules over given weights."""

from __future__ import annotations

from math import inf, isnan, nan

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from netspec.backends.torch import emit_module
from netspec.ir.shape import Maps
from netspec.pipeline import Compiled
from netspec.proof.gradients import compare_gradients, difference
from netspec.proof.inputs import proof_inputs
from netspec.proof.modules import TracedModule, load_classes, merged_module, rows_of, split_module
from netspec.proof.parity import GradientParity, LayerParity, Parity
from netspec.proof.prove import relative_error
from tests.build.nets import TIED, TWO, compiled, images, random_weights

Array = NDArray[np.float32]


def row(*values: float) -> Array:
    return np.asarray([values], np.float32)


@pytest.mark.parametrize(
    ("wanted", "found", "error"),
    [
        (row(1, 2, 4), row(1, 2, 4), 0),
        (row(1, 2, -4), row(1, 2, -3), 0.25),
        (row(0, 0), row(0, 0.5), 0.5),
        (row(0, 0), row(0, 0), 0),
        (row(nan, 4), row(nan, 3), 0.25),
        (row(inf, 4), row(inf, 3), 0.25),
        (row(nan, 4), row(4, 4), inf),
        (row(4, 4), row(nan, 4), inf),
        (row(4, 4), row(inf, 4), inf),
        (row(inf, 4), row(-inf, 4), inf),
        (row(inf, 4), row(nan, 4), inf),
        (row(nan, nan), row(nan, nan), 0),
        (row(1, 2), row(1, 2, 3), inf),
        (row(1, 2), row(1, 2)[0], inf),
        (np.concatenate([row(1000, 1), row(0.001, 0)]), np.concatenate([row(1000, 1), row(0.002, 0)]), 1),
    ],
)
def test_the_relative_error(wanted: Array, found: Array, error: float) -> None:
    """Image by image: a large one does not hide what is wrong with a small one."""
    assert relative_error(wanted, found) == pytest.approx(error)


@pytest.mark.parametrize(
    ("a", "b", "error"),
    [
        ([3, 4], [3, 4], 0),
        ([3, 4], [3, 9], 1),
        ([0, 0], [0, 2], 2),
        ([0, 0], [0, 0], 0),
        ([nan, 4], [nan, 5], 0.25),
        ([nan, 4], [4, 4], inf),
        ([3, 4], [3, 4, 5], inf),
    ],
)
def test_the_difference_of_gradients(a: list[float], b: list[float], error: float) -> None:
    assert difference(np.asarray(a, float), np.asarray(b, float)) == pytest.approx(error)


def test_a_gradient_without_a_number_is_no_proof() -> None:
    error = difference(np.asarray([nan, inf]), np.asarray([nan, inf]))
    assert isnan(error)
    assert not GradientParity("w", error).holds


def parity(*layers: LayerParity, gradients: tuple[GradientParity, ...] = (), top1: int = 2) -> Parity:
    return Parity("hash", ("a", "b"), layers, gradients, top1, ())


GOOD = "proof: 2 layers equal in torch and onnxruntime on 2 inputs; largest difference 9.0e-05 (`b`), tolerance 0.0001"


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (
            parity(LayerParity("a", (1,), 1, 1e-5, None), LayerParity("b", (1,), 1, 9e-5, 2e-6)),
            GOOD,
        ),
        (
            parity(LayerParity("a", (1,), 1, 0, 2e-4), LayerParity("b", (1,), 1, 1, 1)),
            "the proof FAILS: `a` is the first layer where the split module differs, by 2.0e-04 (> 0.0001)",
        ),
        (
            parity(LayerParity("a", (1,), 1, inf, None)),
            "the proof FAILS: `a` is the first layer where onnxruntime differs, by inf (> 0.0001)",
        ),
        (
            parity(LayerParity("a", (1,), 1, 0, 0), top1=1),
            "the proof FAILS: the largest output differs for 1 of 2 inputs",
        ),
        (
            parity(LayerParity("a", (1,), 1, 0, 0), gradients=(GradientParity("a.bias", 2e-5),)),
            "the proof FAILS: the gradient of `a.bias` differs on two devices, by 2.0e-05",
        ),
    ],
)
def test_verdicts(found: Parity, sentence: str) -> None:
    assert found.sentence() == sentence
    assert found.holds == sentence.startswith("proof:")
    found.as_json()


def test_the_inputs_are_always_the_same_and_of_all_kinds() -> None:
    shape, mean, std = Maps(3, 5, 7), (100.0, 110.0, 120.0), (1.0, 2.0, 4.0)
    first, second = (list(proof_inputs(shape, mean, std)) for _ in range(2))
    assert [labels for labels, _ in first] == [labels for labels, _ in second]
    assert all(np.array_equal(a, b) for (_, a), (_, b) in zip(first, second, strict=True))
    by_name = {name: image for labels, batch in first for name, image in zip(labels, batch, strict=True)}
    assert all(image.shape == shape.dims and image.dtype == np.float32 for image in by_name.values())
    assert by_name["white"][:, 0, 0].tolist() == [155, 72.5, 33.75]
    assert by_name["black"][:, 0, 0].tolist() == [-100, -55, -30]
    assert not by_name["zeros"].any()
    assert np.abs(by_name["one spike of 1e4"]).sum() == 3e4
    assert by_name["random pixels"].std() > by_name["unit noise"].std() > 0.8


def modules(net: Compiled, weights: dict[str, Array]) -> tuple[TracedModule, TracedModule, object]:
    merged, split = load_classes(emit_module(net.spec, net.merged, net.placed, trace=True), net.spec.name)
    assert split is not None
    return merged_module(merged, weights), split_module(split, weights), split


@pytest.mark.parametrize("text", [TWO, TIED])
def test_modules_lie_over_the_given_weights(text: str) -> None:
    """In place: 244 MB are not held twice. Tied weights stay one tensor."""
    net = compiled(text)
    weights = random_weights(net)
    merged, split, cls = modules(net, weights)
    for name, parameter in merged.named_parameters():
        assert parameter.data_ptr() == torch.from_numpy(weights[name]).data_ptr()
    own = dict(split.named_parameters())
    for name, part, start, end in rows_of(cls):  # type: ignore[arg-type]
        if part in own:
            assert own[part].data_ptr() == torch.from_numpy(weights[name][start:end]).data_ptr()
    names = [name for name, _ in merged.named_parameters()]
    learned = [p.name for p in net.typed.parameters if p.parameter.role != "statistic"]
    assert sorted(names) == sorted(learned)


def test_rows_in_another_order_are_found() -> None:
    """The comparison itself: the parts of one parameter are joined in the order of the table."""
    net = compiled(TWO)
    weights, batch = random_weights(net), torch.from_numpy(images(net, 1))
    merged, split, cls = modules(net, weights)
    rows = rows_of(cls)  # type: ignore[arg-type]
    outputs = {"probs": True, "fc5": False}
    assert all(gradient.holds for gradient in compare_gradients(merged, split, rows, batch, outputs))
    merged, split, _ = modules(net, weights)
    errors = {g.parameter: g.error for g in compare_gradients(merged, split, rows[::-1], batch, outputs)}
    split_parameters = {name for name, _, start, _ in rows if start}
    assert {name for name, error in errors.items() if error > 1e-5} == split_parameters
