"""The learning-rate schedules that the shipped specs need: how they read, and which keys contradict each other."""

from __future__ import annotations

import pytest

from netspec.diagnostics import SpecError
from netspec.spec import RateSpec, Spec, load_text
from netspec.spec.dump import dump

_NET = """
netspec: 1
name: tiny
input: {size: 4}
layers:
  fc1: {type: fc, inputs: data, outputs: 2}
"""


def _load(train: str) -> Spec:
    return load_text(f"{_NET}train: {train}\n")


@pytest.mark.parametrize(
    ("written", "rate"),
    [
        ("0.001", 0.001),
        ("{start: 0.01, when: [25, 51, 79]}", RateSpec(start=0.01, when=(25, 51, 79))),
        ("{start: 0.01, when: plateau}", RateSpec(start=0.01, when="plateau", times=3)),
        ("{start: 0.01, when: plateau, patience: 3}", RateSpec(start=0.01, when="plateau", patience=3)),
        ("{start: 0.01, curve: exp, divide: 250}", RateSpec(start=0.01, curve="exp", divide=250)),
        (
            "{start: 0.02, curve: dexp, divide: 10, levels: 2}",
            RateSpec(start=0.02, curve="dexp", divide=10, levels=2),
        ),
    ],
)
def test_a_rate_reads_and_writes(written: str, rate: float | RateSpec) -> None:
    spec = _load(f"{{lr: {written}, lr_b: {written}}}")
    assert spec.train.lr == rate
    assert spec.train.lr_b == rate
    assert load_text(dump(spec)) == spec


def test_biases_follow_the_weights_unless_said_otherwise() -> None:
    assert _load("{lr: 0.1}").train.lr_b is None


@pytest.mark.parametrize(
    ("written", "code", "place"),
    [
        ("{start: 0.1, curve: dexp, when: [3]}", "NS217", "when"),
        ("{start: 0.1, curve: exp, levels: 3}", "NS217", "levels"),
        ("{start: 0.1, levels: 3}", "NS217", "levels"),
        ("{start: 0.1, curve: dexp, patience: 3}", "NS217", "patience"),
        ("{start: 0.1, curve: linear, patience: 3}", "NS217", "patience"),
        ("{start: 0.1, when: plateau, patience: 0}", "NS204", "0"),
        ("{start: 0.1, when: [20, 10]}", "NS217", "[20, 10]"),
        ("{start: 0.1, when: [0]}", "NS204", "0"),
        ("{start: 0.1, curve: cosine}", "NS205", "cosine"),
        ("{start: 0}", "NS204", "0"),
    ],
)
@pytest.mark.parametrize("key", ["lr", "lr_b"])
def test_a_contradiction_is_refused(key: str, written: str, code: str, place: str) -> None:
    with pytest.raises(SpecError) as caught:
        _load(f"{{{key}: {written}}}")
    (found,) = caught.value.diagnostics
    assert (found.code, found.span.text) == (code, place)
