"""The generated module and the ONNX file compute what cuda-convnet computed, as restated by loops."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from netspec.ir.lowering import LrnForm
from netspec.layers import LAYER_TYPES
from netspec.layers.image import Nailbed
from netspec.layers.rnorm import Normalisation
from netspec.syntax.decode import keys_of
from tests.conformance.agreement import first_difference, largest_difference
from tests.conformance.forms import Floats, Forms, Values, Weights, doubled, run_onnx, run_torch
from tests.conformance.layers import Case, legal_cases, seeded_cases
from tests.reference.evaluate import RESTATED, Call, evaluate

TORCH = 1e-8
ONNX = 1e-5
NUDGE = 2.0**-20  # relative, four roundings of float32


def test_every_type_is_restated() -> None:
    assert set(RESTATED) == set(LAYER_TYPES)


@pytest.mark.slow
@pytest.mark.parametrize("kind", sorted(LAYER_TYPES))
def test_torch_and_onnx_compute_what_the_restatement_does(kind: str) -> None:
    cls = LAYER_TYPES[kind]

    @settings(max_examples=5 * len(keys_of(cls)))
    @given(legal_cases(cls))
    def agrees(case: Case) -> None:
        assert not differences(case)

    agrees()


@pytest.mark.soak
@pytest.mark.parametrize("kind", sorted(LAYER_TYPES))
def test_torch_and_onnx_compute_what_the_restatement_does_at_large(kind: str) -> None:
    @given(legal_cases(LAYER_TYPES[kind]))
    def agrees(case: Case) -> None:
        assert not differences(case)

    agrees()


def differences(case: Case) -> list[str]:
    """What float64 torch, and onnxruntime with either LRN, make of a layer that the restatement does not."""
    forms = Forms.of(case.text())
    weights, batch = forms.weights(), forms.inputs()
    exact = run_torch(forms.merged(doubled(weights)).double(), batch.astype(np.float64))
    restated = {"subject": restatement(forms, doubled(weights), exact, batch.astype(np.float64))}
    found = [f"torch: {first_difference(exact, restated, restated, TORCH)}"]
    single = run_torch(forms.merged(weights), batch)
    tolerance = max(ONNX, _slope(forms, weights, exact, batch))
    forms_of_lrn: tuple[LrnForm, ...] = ("native", "fast")
    for lrn in forms_of_lrn:
        values = run_onnx(forms.onnx(weights, lrn), forms.names, batch)
        found.append(f"onnx, lrn {lrn}: {first_difference(values, _only(single), restated, tolerance)}")
    return [text for text in found if not text.endswith(": ")] + shape_problem(exact, restated)


def _slope(forms: Forms, weights: Weights, exact: Values, batch: Floats) -> float:
    """How far the layer moves when pictures change in their last digits: log near 1 keeps few of them."""
    nudged = run_torch(forms.merged(doubled(weights)).double(), batch.astype(np.float64) * (1 + NUDGE))
    moved = largest_difference(nudged["subject"], exact["subject"])
    return moved if np.isfinite(moved) else 0.0


def _only(values: Values) -> Values:
    return {"subject": values["subject"]}


def shape_problem(found: Values, restated: Values) -> list[str]:
    a, b = found["subject"].shape, restated["subject"].shape
    return [] if a == b else [f"the shape is {a}, restated {b}"]


def restatement(forms: Forms, weights: Weights, values: Values, batch: Floats) -> Floats:
    """The layer `subject` on what its inputs hold, image by image."""
    node = forms.net.typed.by_name["subject"]
    parameters = {p.path: weights[p.name] for p in node.parameters}
    known = values | {"data": batch}
    images = range(len(batch))
    inputs = [tuple(known[name][n] for name in node.layer.inputs) for n in images]
    return np.array([evaluate(Call(node.layer, inputs[n], parameters)) for n in images])


def _notices(kind: str) -> bool:
    cases = [case for case, _ in zip(seeded_cases(LAYER_TYPES[kind], 1000), range(30), strict=False)]
    return any(differences(case) for case in cases)


@pytest.mark.slow
def test_it_notices_alpha_that_is_not_divided(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both backends wrong alike: only the restatement can tell."""
    monkeypatch.setattr(Normalisation, "per_square", lambda self, neighbours: self.alpha)
    assert _notices("rnorm")


@pytest.mark.slow
def test_it_notices_nails_that_are_not_centred(monkeypatch: pytest.MonkeyPatch) -> None:
    right = Nailbed.grid
    monkeypatch.setattr(Nailbed, "grid", lambda self, image: (right(self, image)[0], 0))
    assert _notices("nailbed")
