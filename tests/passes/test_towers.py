"""Which values towers exchange, and when."""

from __future__ import annotations

import pytest

from netspec.ir.placed import Compute, Join
from netspec.ir.tower import Exchange, Gather, Scatter, Tower
from netspec.passes.towers import split_towers
from netspec.passes.trick import split_trick
from netspec.pipeline import Compiled, compile_spec
from netspec.spec.load import load_text
from netspec.spec.shipped import find_spec

HEAD = "netspec: 1\nname: net\ninput: {channels: 4, size: 8}\nlayers:\n"


def net_of(layers: str) -> Compiled:
    return compile_spec(load_text(HEAD + layers))


def exchanges(tower: Tower) -> list[list[str]]:
    return [[t.output.name for t in step.transfers] for step in tower.steps if isinstance(step, Exchange)]


def computed(tower: Tower) -> list[str]:
    return [step.module for step in tower.steps if isinstance(step, Compute)]


@pytest.fixture(scope="module")
def alexnet() -> Compiled:
    return compile_spec(load_text(find_spec("alexnet").read_text(encoding="utf-8")))


def test_alexnet_exchanges_four_times_in_both_directions_at_once(alexnet: Compiled) -> None:
    first, second = split_towers(alexnet.placed)
    both = [["pool2_1_to0", "pool2_0_to1"], ["pool5_1_to0", "pool5_0_to1"], ["drop6_1_to0", "drop6_0_to1"]]
    assert exchanges(first) == exchanges(second) == [*both, ["drop7_1_to0"]]
    assert first.result is not None
    assert (first.result.name, second.result) == ("fc8", None)
    assert computed(second)[-2:] == ["fc7_1", "drop7_1"]


def test_a_value_that_two_devices_await_leaves_for_both_at_once() -> None:
    towers = split_towers(
        net_of(
            "  a: {type: conv, inputs: data, filters: 4, size: 1, gpu: 0}\n"
            "  b: {type: conv, inputs: a, filters: 4, size: 1, gpu: 1}\n"
            "  c: {type: conv, inputs: a, filters: 4, size: 1, gpu: 2}\n"
            "  d: {type: concat, inputs: [a, b, c], gpu: 0}\n"
        ).placed
    )
    assert [exchanges(tower) for tower in towers] == [
        [["a_to1", "a_to2"], ["b_to0", "c_to0"]],
    ] * 3


def test_the_scores_of_a_split_softmax_are_joined_on_its_first_device() -> None:
    towers = split_towers(
        net_of("  fc: {type: fc, inputs: data, outputs: 4, gpu: [0, 1]}\n  probs: {type: softmax, inputs: fc}\n").placed
    )
    assert exchanges(towers[0]) == [["fc_1_to0"]]
    assert isinstance(towers[0].steps[-1], Join)
    assert towers[0].result == towers[0].steps[-1].output
    assert towers[1].result is None


def test_scores_stay_where_they_are_made() -> None:
    """The softmax is elsewhere, but the loss needs no softmax."""
    towers = split_towers(
        net_of(
            "  a: {type: conv, inputs: data, filters: 4, size: 1, gpu: 0}\n"
            "  fc: {type: fc, inputs: a, outputs: 4, gpu: 1}\n"
            "  probs: {type: softmax, inputs: fc, gpu: 0}\n"
        ).placed
    )
    assert [exchanges(tower) for tower in towers] == [[["a_to1"]], [["a_to1"]]]
    assert towers[0].result is None


def test_of_several_outputs_the_first_has_the_scores() -> None:
    layers = "  a: {type: conv, inputs: data, filters: 4, size: 1, gpu: 1}\n  b: {type: flip, inputs: a, gpu: 0}\n"
    text = HEAD.replace("layers:", "outputs: [a, b]\nlayers:") + layers
    towers = split_towers(compile_spec(load_text(text)).placed)
    assert [computed(tower) for tower in towers] == [["b"], ["a"]]
    assert towers[1].result is not None
    assert (towers[0].result, towers[1].result.name) == (None, "a")


def test_a_device_with_nothing_but_the_softmax_has_nothing_to_do() -> None:
    layers = "  fc: {type: fc, inputs: data, outputs: 4}\n  probs: {type: softmax, inputs: fc, gpu: [1, 0]}\n"
    towers = split_towers(net_of(layers).placed)
    assert [computed(tower) for tower in towers] == [["fc"], []]
    assert [exchanges(tower) for tower in towers] == [[], []]


def test_the_trick_gathers_once_and_splits_the_units(alexnet: Compiled) -> None:
    towers = split_trick(alexnet.typed, 4)
    gathers = [step for step in towers[2].steps if isinstance(step, Gather)]
    assert [(g.input.name, g.output.name) for g in gathers] == [("pool5", "pool5_whole")]
    assert computed(towers[2])[-7:] == ["conv5", "pool5", "fc6_2", "drop6_2", "fc7_2", "drop7_2", "fc8_2"]
    scatter = towers[2].steps[-1]
    assert isinstance(scatter, Scatter)
    assert scatter.owner == 0
    assert {tower.result for tower in towers} == {scatter.output}
    assert len({tuple(map(tuple, exchanges(tower)[:2])) for tower in towers}) == 1


def test_the_trick_leaves_units_that_do_not_divide_with_the_first() -> None:
    towers = split_trick(
        net_of(
            "  fc1: {type: fc, inputs: data, outputs: 6}\n"
            "  fc2: {type: fc, inputs: fc1, outputs: 4}\n"
            "  probs: {type: softmax, inputs: fc2}\n"
        ).typed,
        3,
    )
    assert [computed(tower) for tower in towers] == [["fc1_0", "fc2"], ["fc1_1"], ["fc1_2"]]


def test_the_trick_gathers_units_for_a_slice_of_them() -> None:
    towers = split_trick(
        net_of(
            "  fc1: {type: fc, inputs: data, outputs: 8}\n"
            "  front: {type: slice, inputs: fc1, channels: 4}\n"
            "  fc2: {type: fc, inputs: front, outputs: 4}\n"
            "  probs: {type: softmax, inputs: fc2}\n"
        ).typed,
        2,
    )
    assert [computed(tower) for tower in towers] == [["fc1_0", "front", "fc2_0"], ["fc1_1", "fc2_1"]]
    assert [exchanges(tower)[0] for tower in towers] == [["fc1_1_to0"], ["fc1_1_to0"]]


@pytest.mark.parametrize(
    ("layers", "reason"),
    [
        ("  a: {type: conv, inputs: data, filters: 4, size: 1}\n", "no fully-connected layer"),
        ("  a: {type: fc, inputs: data, outputs: 4}\n", "3 does not divide"),
    ],
)
def test_the_trick_says_which_nets_it_is_not_for(layers: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        split_trick(net_of(layers).typed, 3)
