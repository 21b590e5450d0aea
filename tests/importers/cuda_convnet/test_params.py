"""Parameter files to `train` and factors: the common case, exceptions, and what is refused with its line."""

from __future__ import annotations

import pytest

from netspec.diagnostics import SpecError
from netspec.source import Source
from netspec.spec.model import RateSpec
from tests.importers.cuda_convnet.rates_of import Read, read

DEFINITION = """
[data]
type=data
dataIdx=0
[conv1]
type=conv
inputs=data
[norm1]
type=cmrnorm
inputs=conv1
[pool1]
type=pool
inputs=norm1
[fc2]
type=fc
inputs=pool1,conv1
[fc3]
type=fc
inputs=fc2
[cost]
type=cost.logreg
inputs=data,fc3
"""
RATES = "epsW=0.01\nepsB=0.02\nmomW=0.9\nmomB=0.9\nwc=0.0005\n"
COST = "[cost]\ncoeff=1\ntopk=5\n"


def layers(conv1: str = RATES, fc2: str = RATES, fc3: str = RATES, more: str = COST) -> Read:
    """The net above with these parameters: conv1's begin in line 2."""
    text = f"[conv1]\n{conv1}[fc2]\n{fc2}[fc3]\n{fc3}{more}"
    return read(Source("layers.cfg", DEFINITION), Source("params.cfg", text))


def refused(**sections: str) -> list[str]:
    """What is wrong, each as `place code message`."""
    with pytest.raises(SpecError) as raised:
        layers(**sections)
    return [f"{d.span.where} {d.code} {d.message}" for d in raised.value.diagnostics]


def test_what_all_layers_have_is_the_recipe() -> None:
    done = layers()
    train = done.spec.train
    assert (train.batch, train.momentum, train.decay) == (128, 0.9, 0.0005)
    assert (train.lr, train.lr_b) == (0.01, 0.02)
    assert done.factors() == {}
    assert all(remark.kind == "meaning" for remark in done.remarks)
    assert [remark.topic for remark in done.remarks] == ["epochs", "rates"]


def test_biases_that_learn_as_weights_do_need_no_rate_of_their_own() -> None:
    same = RATES.replace("0.02", "0.01")
    assert layers(same, same, same).spec.train.lr_b is None


def test_the_commonest_rate_is_the_recipes_and_others_are_multiples() -> None:
    done = layers(conv1=RATES.replace("epsW=0.01", "epsW=0.04").replace("epsB=0.02", "epsB=0"))
    assert (done.spec.train.lr, done.spec.train.lr_b) == (0.01, 0.02)
    assert done.factors() == {"conv1_here": (4.0, 0.0)}


def test_a_layer_that_is_frozen_does_not_make_the_rate_zero() -> None:
    frozen = RATES.replace("0.01", "0.000").replace("0.02", "0")
    done = layers(frozen, frozen)
    assert done.spec.train.lr == 0.01
    assert done.factors() == {"conv1_here": (0.0, 0.0), "fc2_here": (0.0, 0.0)}


def test_a_net_with_all_rates_zero_keeps_netspecs_rate_and_learns_nothing() -> None:
    frozen = RATES.replace("0.01", "0.000").replace("0.02", "0")
    done = layers(frozen, frozen, frozen)
    assert (done.spec.train.lr, done.spec.train.lr_b) == (0.01, None)
    assert set(done.factors().values()) == {(0.0, 0.0)}
    assert len(done.factors()) == 3
    assert "every rate is 0" in done.said("rates")[0]


def test_where_only_biases_learn_their_rate_is_the_recipes() -> None:
    frozen = RATES.replace("0.01", "0")
    done = layers(frozen, frozen, frozen)
    assert (done.spec.train.lr, done.spec.train.lr_b) == (0.02, None)
    assert set(done.factors().values()) == {(0.0, 1.0)}


def test_decays_of_their_own_are_kept() -> None:
    done = layers(fc3=RATES.replace("0.0005", "1"))
    assert done.spec.train.decay == 0.0005
    assert [layer.decay for layer in done.learned.values()] == [None, None, 1.0]


@pytest.mark.parametrize(
    "scheduled",
    [
        RATES
        + "schedW=dexp[tgtFactor=250,noiseStdev=0,numSteps=4]\nschedB=dexp[tgtFactor=10,noiseStdev=0,numSteps=2]\n",
        RATES + "schedW=dexp[250,0,4]\nschedB=dexp[10,0,2]\n",
        RATES + "SCHEDW = dexp[250,4]\nSchedB: dexp[10,2]\n",
        RATES.replace("0.01", "dexp[base=0.01;tgtFactor=250;numSteps=4]").replace(
            "0.02", "dexp[base=0.02;tgtFactor=10;numSteps=2]"
        ),
    ],
)
def test_schedules_of_every_dialect_are_the_recipes_curves(scheduled: str) -> None:
    done = layers(scheduled, scheduled, scheduled)
    assert done.spec.train.lr == RateSpec(start=0.01, divide=250.0, curve="dexp", levels=4)
    assert done.spec.train.lr_b == RateSpec(start=0.02, divide=10.0, curve="dexp", levels=2)
    assert [remark.topic for remark in done.remarks] == ["epochs"]


def test_the_oldest_schedule_is_that_of_weights_and_biases() -> None:
    scheduled = RATES + "sched=exp[1000]\n"
    done = layers(scheduled, scheduled, scheduled)
    assert done.spec.train.lr == RateSpec(start=0.01, divide=1000.0, curve="exp")
    assert done.spec.train.lr_b == RateSpec(start=0.02, divide=1000.0, curve="exp")
    assert done.said("schedule")[0].startswith("meaning 7 : `sched` is read as")
    assert len(done.said("schedule")) == 1


def test_later_schedules_replace_the_oldest() -> None:
    scheduled = RATES + "sched=exp[1000]\nschedW=exp[10]\n"
    done = layers(scheduled, scheduled, scheduled)
    assert done.spec.train.lr == RateSpec(start=0.01, divide=10.0, curve="exp")
    assert done.spec.train.lr_b == 0.02


def test_schedules_of_2012_in_files_of_2014() -> None:
    """Its source reads none of them."""
    scheduled = RATES + "schedW=exp[10]\nsuperEps=1\nupdatePeriod=0\n"
    done = layers(scheduled, scheduled, scheduled)
    assert done.spec.train.lr == 0.01
    assert done.said("option")[:2] == [
        "dropped 7 conv1: `schedW` is of 2012; the source of this file, of 2014, does not read it",
        "dropped 8 conv1: `superEps` is of 2012; the source of this file, of 2014, does not read it",
    ]
    assert done.said("superEps") == []


def test_a_schedule_of_another_shape_is_dropped_with_its_line() -> None:
    done = layers(conv1=RATES + "schedW=linear[10,0.5]\n")
    assert done.spec.train.lr == 0.01
    assert done.said("schedule") == [
        "dropped 7 conv1: the rate of the weights falls to 1/10 by `linear` there, and falls as `train.lr` does here"
    ]
    assert done.said("noise") == [
        "dropped 7 conv1: the rate of the weights has noise of standard deviation 0.5 there, none here"
    ]


def test_momenta_of_their_own_are_dropped_with_their_line() -> None:
    done = layers(conv1=RATES.replace("momW=0.9", "momW=0.5"))
    assert done.spec.train.momentum == 0.9
    text = "the momentum of its weights is 0.5 there, that of all layers, 0.9, here"
    assert done.said("momentum") == [f"dropped 4 conv1: {text}"]


def test_rates_of_single_inputs_are_dropped_but_the_largest() -> None:
    done = layers(fc2=RATES.replace("epsW=0.01", "epsW=0.001,0.02").replace("wc=0.0005", "wc=0,0"))
    assert done.factors() == {"fc2_here": (2.0, 1.0)}
    assert "0.001 and 0.02" in done.said("rates")[1]
    assert done.learned["fc2_here"].decay == 0.0


@pytest.mark.parametrize("option", ["wball=0.5", "wcNormMin=0.001", "wcNormMax=.1", "wcnorm=1", "superEps=.1"])
def test_what_train_does_not_do_is_dropped_where_it_does_something(option: str) -> None:
    topic = option.partition("=")[0]
    assert layers(conv1=RATES + option + "\n").said(topic)[0].startswith("dropped 7 conv1: ")
    assert not layers(conv1=f"{RATES}{topic}=0.00\n").said(topic)


def test_update_periods_matter_where_layers_differ_or_wait() -> None:
    each = RATES + "updatePeriod=1\n"
    assert layers(each, each, each).said("updatePeriod") == []
    assert layers(conv1=each).said("updatePeriod")[0].startswith("dropped 7 conv1: ")
    assert "every 4 passes" in layers(conv1=RATES + "updatePeriod=4\n").said("updatePeriod")[0]


def test_sections_and_options_that_no_layer_has_are_dropped() -> None:
    done = layers(conv1=RATES + "epsV=1\n", more=COST + "[conv9]\n" + RATES)
    assert done.said("section") == [
        "dropped 23 conv9: the net has no layer `conv9`; cuda-convnet skips the section too"
    ]
    assert done.said("option") == [
        "dropped 7 conv1: a `conv` layer has no parameter `epsV`; cuda-convnet ignores it too (did you mean `epsW`?)"
    ]


def test_parameters_of_norms_and_roundings_are_known() -> None:
    done = layers(
        more=COST + "[norm1]\nscale=1\npow=.75\nminDiv=2\nquantF=default\n[pool1]\nquantF=half\nquantB=half\n"
    )
    assert done.said("option") == []
    assert [text.partition(":")[0] for text in done.said("rounding")] == ["meaning 28 pool1", "dropped 29 pool1"]


def test_a_forks_dropout_would_change_the_net() -> None:
    assert layers(conv1=RATES + "dropout=0.5\n").said("dropout")[0].startswith("lost 7 conv1: ")
    assert layers(conv1=RATES + "dropout=0\n").said("dropout") == []


def test_costs_have_coefficients() -> None:
    done = layers(more="[cost]\ncoeff=.5\ntopk=3\n")
    assert done.said("coeff") == ["dropped 20 cost: the cost counts 0.5 times; `train` has one loss, which counts once"]
    assert done.said("topk")[0].startswith("dropped 21 cost: ")


@pytest.mark.parametrize(
    ("sections", "expected"),
    [
        ({"conv1": RATES.replace("0.01", "fast")}, "params.cfg:2:6 NS802 `epsW`: there is no schedule `fast`"),
        ({"conv1": RATES.replace("momB=0.9", "momB=1.5")}, "params.cfg:5:6 NS802 `momB`: a momentum of 1.5"),
        ({"conv1": RATES.replace("0.0005", "-1")}, "params.cfg:6:4 NS802 `wc`: -1 is below 0"),
        ({"conv1": RATES + "wball=much\n"}, "params.cfg:7:7 NS802 `wball`: `much` is no number"),
        ({"conv1": RATES + "schedW=dexp[250]\n"}, "params.cfg:7:8 NS802 `schedW`: `dexp` has 1 number"),
        ({"conv1": RATES + "updatePeriod=.5\n"}, "params.cfg:7:14 NS802 `updatePeriod`: `.5` is no number of passes"),
        ({"conv1": RATES + "quantF=third\n"}, "params.cfg:7:8 NS802 `third` is no way"),
        ({"conv1": RATES.replace("0.01", "0.01,0.01")}, "params.cfg:2:6 NS808 2 values for 1 input"),
        ({"fc2": RATES.replace("0.9\n", "0.9,0.9,0.9\n", 1)}, "params.cfg:10:6 NS808 3 values for 2 inputs"),
        ({"fc2": RATES.replace("0.02", "0.02,0.02")}, "params.cfg:9:6 NS808 `epsB` is one value, found 2"),
        ({"conv1": "epsB=1\nmomB=1\n"}, "params.cfg:1:1 NS803 `conv1` lacks `epsW` and `momW`"),
        ({"more": "[cost]\ntopk=5\n"}, "params.cfg:19:1 NS803 `cost` lacks `coeff`"),
        ({"more": "[cost]\ncoeff=all\n"}, "params.cfg:20:7 NS802 `all` is no number"),
        ({"more": "[cost]\ncoeff=1\ntopk=0\n"}, "params.cfg:21:6 NS802 `0` is no number of classes"),
    ],
)
def test_what_the_tool_would_not_take_is_refused_at_its_line(sections: dict[str, str], expected: str) -> None:
    found = refused(**sections)
    assert len(found) == 1
    assert found[0].startswith(expected)


def test_everything_that_is_wrong_is_said_at_once() -> None:
    found = refused(conv1="epsW=a\nepsB=b\nmomW=c\n", more="[costs]\ncoeff=1\n")
    assert [line.split()[1] for line in found] == ["NS803", "NS803", "NS802", "NS802", "NS802"]


def test_a_missing_section_is_missed_in_the_definition() -> None:
    with pytest.raises(SpecError) as raised:
        read(Source("layers.cfg", "[fc1]\ntype=fc\ninputs=data\n"), Source("params.cfg", "[fcl]\n" + RATES))
    (diagnostic,) = raised.value.diagnostics
    assert diagnostic.span.where == "layers.cfg:1:1"
    assert (diagnostic.code, diagnostic.help) == ("NS803", "did you mean `fcl`?")


def test_a_missing_section_without_a_near_one_says_what_to_do() -> None:
    with pytest.raises(SpecError) as raised:
        read(Source("layers.cfg", "[fc1]\ntype=fc\ninputs=data\n"), Source("params.cfg", "[conv7]\n" + RATES))
    assert raised.value.diagnostics[0].help == "`[fc1]` there, or name the parameter file of this net"
