"""The spellings of rates and schedules, and what the runtime makes of them against the reference's formulas."""

from __future__ import annotations

import math

import pytest

from netspec.importers.cuda_convnet.schedules import (
    Curve,
    Rate,
    Schedule,
    ScheduleError,
    Shape,
    parse_rate,
    parse_schedule,
    split_list,
)
from netspec_runtime.training.recipe import RateRule
from netspec_runtime.training.schedule import rate

DEXP = Shape("dexp", 250.0, 4)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.01", Rate(0.01)),
        (" .5 ", Rate(0.5)),
        ("1e-5", Rate(1e-5)),
        ("0.000", Rate(0.0)),
        ("const[base=0.02]", Rate(0.02)),
        ("linear[base=.1;tgtFactor=10]", Rate(0.1, Schedule(Shape("linear", 10.0)))),
        ("exp[base=0.1;tgtFactor=10]", Rate(0.1, Schedule(Shape("exp", 10.0)))),
        ("dexp[base=0.02;tgtFactor=250;numSteps=4]", Rate(0.02, Schedule(DEXP))),
        ("DEXP[ BASE=0.02; numsteps=4; tgtfactor=250 ]", Rate(0.02, Schedule(DEXP))),
        ("dexp[0.02;250;4]", Rate(0.02, Schedule(DEXP))),
    ],
)
def test_a_rate_is_a_number_or_a_schedule_with_its_base(text: str, expected: Rate) -> None:
    assert parse_rate(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("default", Schedule()),
        ("Default", Schedule()),
        ("const", Schedule()),
        ("dexp[tgtFactor=250,noiseStdev=0,numSteps=4]", Schedule(DEXP)),  # D5
        ("jdexp[tgtFactor=250,noiseStdev=0.5,numSteps=4]", Schedule(Shape("jdexp", 250.0, 4), 0.5)),
        ("linear[tgtFactor=100,noiseStdev=1]", Schedule(Shape("linear", 100.0), 1.0)),
        ("dexp[250,0,4]", Schedule(DEXP)),  # D4
        ("dexp[250,0.1,4]", Schedule(DEXP, 0.1)),
        ("dexp[250,4]", Schedule(DEXP)),  # D3
        ("jdexp[50,5]", Schedule(Shape("jdexp", 50.0, 5))),
        ("linear[1,1]", Schedule(Shape(), 1.0)),  # D3 noisylr: a factor of 1, which is no fall, and noise
        ("exp[1000]", Schedule(Shape("exp", 1000.0))),
        ("exp[1,0]", Schedule()),
    ],
)
def test_a_schedule_has_numbers_with_names_or_without(text: str, expected: Schedule) -> None:
    assert parse_schedule(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("exp[1000]", Schedule(Shape("exp", 1000.0))),
        ("dexp[250,4]", Schedule(DEXP)),
        ("exp[1000,4]", Schedule(Shape("exp", 1000.0))),  # the number of steps, which exp has no use for
    ],
)
def test_the_second_number_of_the_oldest_schedules_is_the_number_of_steps(text: str, expected: Schedule) -> None:
    assert parse_schedule(text, old=True) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "neither a rate nor a schedule"),
        ("dexp[base=1", "lacks its `]`"),
        ("nan", "no schedule `nan`"),
        ("-0.01", "-0.01 is no rate"),
        ("1e300", "1e+300 is no rate"),
        ("dxep[base=1;tgtFactor=2;numSteps=3]", "no schedule `dxep`"),
        ("dexp[tgtFactor=2;numSteps=3]", "does not say its `base`"),
        ("dexp[base=1;tgtFactor=2]", "`dexp` needs `numSteps`"),
        ("dexp[base=1;tgtFactor=2;numSteps=1]", "`numSteps` is 1"),
        ("dexp[base=1;tgtFactor=2;numSteps=2.5]", "`numSteps` is 2.5"),
        ("exp[base=1;tgtFactor=0]", "0 is not above 0"),
        ("exp[base=1;tgtFactor=two]", "`two` in `tgtFactor=two` is no number"),
        ("exp[base=1;base=2;tgtFactor=3]", "`base=2` is given twice"),
        ("exp[base=1;tgtfctor=3]", "is no number of `exp`"),
        ("exp[base=1;3]", "`3` needs a name"),
        ("exp[1;2;3;4]", "4 numbers that no name explains"),
        ("linear[base=1;tgtFactor=2;noiseStdev=-1]", "-1 is below 0"),
    ],
)
def test_what_is_no_rate_is_told_from_what_is(text: str, words: str) -> None:
    with pytest.raises(ScheduleError) as raised:
        parse_rate(text)
    assert words in str(raised.value)


def test_a_schedule_is_refused_that_has_the_rate_in_it() -> None:
    with pytest.raises(ScheduleError, match="no `base`"):
        parse_schedule("exp[base=1,tgtFactor=10]")


def test_commas_in_brackets_divide_no_list() -> None:
    assert split_list("dexp[250,4], default,exp[10]") == ("dexp[250,4]", "default", "exp[10]")
    assert split_list("dexp[base=1;tgtFactor=2;numSteps=2],0.5") == ("dexp[base=1;tgtFactor=2;numSteps=2]", "0.5")


def reference(curve: Curve, base: float, divide: float, steps: int, p: float) -> float:
    """reference/cuda-convnet.md 2, as it stands there."""
    if curve == "const":
        return base
    if curve == "linear":
        return base * (1 - p) + p * base / divide
    if curve == "exp":
        return float(base * divide ** (-p))
    i = max(0, math.ceil(p * steps) - 1)
    here = float(base * divide ** (-i / (steps - 1)))
    if curve == "jdexp" and 0.2 < p < 0.9 and i > 0 and p * steps - i > 0.5:
        return math.sqrt(here * base * divide ** (-(i - 1) / (steps - 1)))
    return here


@pytest.mark.parametrize("curve", ["linear", "exp", "dexp", "jdexp"])
@pytest.mark.parametrize(("divide", "steps"), [(250.0, 4), (10.0, 2), (1000.0, 7)])
def test_the_runtime_follows_the_reference(curve: Curve, divide: float, steps: int) -> None:
    numbers = f"tgtFactor={divide:g}" + (f";numSteps={steps}" if "dexp" in curve else "")
    read = parse_rate(f"{curve}[base=0.01;{numbers}]")
    shape = read.schedule.shape
    assert shape.curve != "const"
    rule = RateRule(read.base, shape.divide, curve=shape.curve, levels=shape.levels or 4)
    places = [n / 997 for n in range(997)]
    assert [rate(rule, p, 0, 0) for p in places] == pytest.approx(
        [reference(curve, 0.01, divide, steps, p) for p in places], rel=1e-12
    )


def test_the_published_steps_of_the_four_quarters() -> None:
    shape = parse_schedule("dexp[250,0,4]").shape
    rule = RateRule(0.01, shape.divide, curve="dexp", levels=shape.levels)
    rates = [rate(rule, p, 0, 0) for p in (0.1, 0.3, 0.6, 0.9)]
    assert rates == pytest.approx([0.01, 0.0015874, 0.00025198, 0.00004], rel=1e-4)
