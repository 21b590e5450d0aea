"""Learning rates beside plain restatements of reference/cuda-convnet.md 2 and of the paper's heuristic."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netspec_runtime.training.recipe import RateRule
from netspec_runtime.training.schedule import Plateau, rate

PROGRESS = st.floats(0, 1, exclude_max=True)


def at(rule: RateRule, progress: float) -> float:
    return rate(rule, progress, 0, 0)


def test_a_rate_without_a_schedule_is_constant() -> None:
    assert {rate(RateRule(0.01), p, e, d) for p, e, d in ((0.0, 0, 0), (0.5, 45, 2), (0.99, 89, 3))} == {0.01}


def test_steps_divide_after_the_listed_numbers_of_epochs() -> None:
    rule = RateRule(0.001, 10, (120, 130))
    rates = [rate(rule, e / 140, e, 0) for e in range(140)]
    assert rates[:120] == [0.001] * 120
    assert rates[120:130] == [pytest.approx(0.0001)] * 10
    assert rates[130:] == [pytest.approx(0.00001)] * 10


def test_a_plateau_divides_as_often_as_it_came() -> None:
    rule = RateRule(0.01, 10, "plateau")
    assert [rate(rule, 0.5, 40, d) for d in range(4)] == pytest.approx([0.01, 0.001, 0.0001, 0.00001])


def test_divisions_of_another_schedule_do_nothing() -> None:
    assert rate(RateRule(0.01, 10, (50,)), 0.1, 3, 2) == 0.01


@given(PROGRESS, st.floats(1e-6, 10), st.floats(0.01, 1000))
def test_linear_and_exp_fall_from_the_start_to_the_target(p: float, start: float, divide: float) -> None:
    target = start / divide
    line = start + (target - start) * p
    assert at(RateRule(start, divide, curve="linear"), p) == pytest.approx(line, rel=1e-9)
    bent = math.exp(math.log(start) + p * (math.log(target) - math.log(start)))
    assert at(RateRule(start, divide, curve="exp"), p) == pytest.approx(bent, rel=1e-9)


def test_the_worked_example_of_dexp() -> None:
    rule = RateRule(0.01, 250, curve="dexp", levels=4)
    quarters = [at(rule, p) for p in (0.0, 0.1, 0.25, 0.2501, 0.5, 0.5001, 0.75, 0.7501, 0.9999)]
    wanted = [0.01, 0.01, 0.01, 0.0015874, 0.0015874, 0.00025198, 0.00025198, 0.00004, 0.00004]
    assert quarters == pytest.approx(wanted, rel=1e-4)


def dexp(start: float, divide: float, levels: int, step: int, steps: int) -> float:
    """In whole numbers: a step at the end of a level still belongs to it."""
    for level in range(levels):
        if step * levels <= (level + 1) * steps:
            return float(start * (1 / divide) ** (level / (levels - 1)))
    raise AssertionError


@given(st.data(), st.integers(2, 12), st.integers(1, 10**6))
def test_dexp_changes_at_the_right_step(data: st.DataObject, levels: int, steps: int) -> None:
    near = [min(max(steps * i // levels + d, 0), steps - 1) for i in range(levels) for d in (-1, 0, 1)]
    step = data.draw(st.sampled_from(near) | st.integers(0, steps - 1))
    rule = RateRule(0.01, 250, curve="dexp", levels=levels)
    assert at(rule, step / steps) == pytest.approx(dexp(0.01, 250, levels, step, steps), rel=1e-9)


def jdexp(p: float, e: list[float]) -> float:
    n = len(e)
    i = max(0, math.ceil(p * n) - 1)
    if 0.2 < p < 0.9 and i > 0 and p * n - i > 0.5:
        return math.sqrt(e[i] * e[i - 1])
    return e[i]


@given(PROGRESS.filter(lambda p: abs(p * 12 - round(p * 12)) > 1e-9), st.sampled_from([2, 3, 4, 6]))
def test_jdexp_goes_back_half_a_level_in_the_second_half_of_a_level(p: float, levels: int) -> None:
    e = [0.02 / 100 ** (i / (levels - 1)) for i in range(levels)]
    assert at(RateRule(0.02, 100, curve="jdexp", levels=levels), p) == pytest.approx(jdexp(p, e), rel=1e-9)


def test_jdexp_by_hand() -> None:
    rule = RateRule(1.0, 1000, curve="jdexp", levels=4)
    assert [at(rule, p) for p in (0.1, 0.24, 0.3, 0.4, 0.55, 0.7, 0.8, 0.89, 0.91)] == pytest.approx(
        [1, 1, 0.1, 0.1 * 10**0.5, 0.01, 0.01 * 10**0.5, 0.001, 0.001 * 10**0.5, 0.001]
    )


def divisions(errors: list[float], patience: int, times: int) -> list[int]:
    """Looks back at every epoch: how long ago was the best, and the last division?"""
    counts: list[int] = []
    divided: list[int] = []
    for now in range(len(errors)):
        numbers = [e for e in errors[: now + 1] if math.isfinite(e)]
        best = next((i for i in range(now + 1) if numbers and errors[i] == min(numbers)), -1)
        since = now - max([best, *divided])
        if since >= patience and len(divided) < times:
            divided.append(now)
        counts.append(len(divided))
    return counts


ERRORS = st.lists(st.sampled_from([0.5, 0.4, 0.3, 0.29, 0.1, float("nan"), float("inf")]), max_size=30)


@given(ERRORS, st.integers(1, 5), st.integers(0, 4))
def test_a_plateau_is_patience_epochs_without_a_new_best(errors: list[float], patience: int, times: int) -> None:
    state, found = Plateau(patience, times), []
    for error in errors:
        state = state.update(error)
        found.append(state.divisions)
    assert found == divisions(errors, patience, times)


def test_the_paper_divides_three_times() -> None:
    state = Plateau.of(RateRule(0.01, 10, "plateau"))
    errors = [0.9, 0.6, 0.45, *[0.45] * 30]
    seen = []
    for error in errors:
        state = state.update(error)
        seen.append(state.divisions)
    assert [seen.index(n) for n in (1, 2, 3)] == [7, 12, 17]
    assert seen[-1] == 3


def test_the_state_goes_through_json() -> None:
    state = Plateau(5, 3)
    for error in (0.5, 0.5, 0.4, 0.41):
        read: dict[str, Any] = json.loads(json.dumps(asdict(state), allow_nan=False))
        assert Plateau(**read) == state
        state = state.update(error)
    assert state == Plateau(5, 3, best=0.4, waited=1)
