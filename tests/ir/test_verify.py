"""The verifier: each of its rules trips on a graph that was tampered with, and names the value."""

from __future__ import annotations

from dataclasses import replace

import pytest

from netspec.ir.placed import Compute, Join, PlacedGraph, Slice, Step, Transfer, Value
from netspec.ir.shape import Maps, Range
from netspec.ir.verify import VerifyError, verify
from netspec.pipeline import compile_spec
from netspec.spec.load import load_text
from netspec.spec.shipped import shipped_specs
from tests.build.nets import ALL, THREE, TWO, compiled

PLACED, MARGINS = compiled(TWO).placed, compiled(THREE).placed


@pytest.mark.parametrize("name", ALL)
def test_good_graphs_pass(name: str) -> None:
    net = compiled(ALL[name])
    verify(net.placed)
    verify(net.merged)


def test_the_shipped_specs_pass() -> None:
    for path in shipped_specs().values():
        verify(compile_spec(load_text(path.read_text(encoding="utf-8"))).placed)


def step(graph: PlacedGraph, output: str) -> Step:
    return next(s for s in graph.steps if s.output.name == output)


def compute(graph: PlacedGraph, output: str) -> Compute:
    found = step(graph, output)
    assert isinstance(found, Compute)
    return found


def changed(graph: PlacedGraph, old: Step, *new: Step) -> PlacedGraph:
    """With other steps in the place of one, and its new output wherever the old one stood."""

    def renewed(value: Value) -> Value:
        return new[0].output if new and value == old.output else value

    steps: list[Step] = []
    for each in graph.steps:
        if each == old:
            steps += new
        elif isinstance(each, Compute | Join):
            steps.append(replace(each, inputs=tuple(map(renewed, each.inputs))))
        else:
            steps.append(replace(each, input=renewed(each.input)))
    parts = tuple((name, tuple(map(renewed, values))) for name, values in graph.parts)
    return replace(graph, steps=tuple(steps), parts=parts, outputs=tuple(map(renewed, graph.outputs)))


def refusal(graph: PlacedGraph) -> str:
    with pytest.raises(VerifyError) as caught:
        verify(graph)
    return str(caught.value)


def test_a_value_that_is_read_before_it_is_made() -> None:
    moved = step(PLACED, "conv2_1_to0")
    steps = tuple(s for s in PLACED.steps if s != moved)
    assert refusal(replace(PLACED, steps=(*steps, moved))) == "`conv2_1_to0` (4x4x4 on gpu 0) is read before it is made"
    assert "is read before it is made" in refusal(replace(PLACED, inputs=PLACED.inputs[1:]))


def test_a_value_that_is_read_as_another_than_was_made() -> None:
    old = compute(PLACED, "conv2_0")
    read = replace(old.inputs[0], channels=Range(4, 8))
    assert "`pool1_0` (4x4x4 on gpu 0) is read before" in refusal(changed(PLACED, old, replace(old, inputs=(read,))))


def test_a_value_of_another_device() -> None:
    old = compute(PLACED, "conv2_0")
    other = step(PLACED, "pool1_1").output
    assert refusal(changed(PLACED, old, replace(old, inputs=(other,)))) == (
        "`pool1_1` (4x4x4 on gpu 1) is read from another device"
    )


def test_a_value_that_is_made_twice() -> None:
    old = step(PLACED, "conv2_0")
    assert "`conv2_0` (4x4x4 on gpu 0) is made twice" in refusal(changed(PLACED, old, old, old))


def test_an_output_and_a_part_that_are_never_made() -> None:
    ghost = replace(PLACED.outputs[0], name="ghost")
    assert "`ghost` (6 on gpu 0) is returned and never made" in refusal(replace(PLACED, outputs=(ghost,)))
    parts = (*PLACED.parts[:-1], ("probs", (ghost,)))
    assert "`ghost`" in refusal(replace(PLACED, parts=parts))


def test_a_shape_that_the_layer_does_not_give() -> None:
    old = compute(PLACED, "pool1_0")
    wrong = replace(old, output=replace(old.output, shape=Maps(4, 5, 4)))
    assert "`pool1_0` (4x5x4 on gpu 0) has not the shape that its layer gives" in refusal(changed(PLACED, old, wrong))


def test_multiply_adds_that_the_layer_does_not_give() -> None:
    old = compute(PLACED, "conv3_0")
    assert "`conv3_0` (6x4x4 on gpu 0) has other multiply-adds" in refusal(
        changed(PLACED, old, replace(old, macs=old.macs + 1))
    )


def test_multiply_adds_that_do_not_add_up() -> None:
    nodes = tuple(replace(n, macs=n.macs + 1) if n.name == "fc4" else n for n in PLACED.typed.nodes)
    graph = replace(PLACED, typed=replace(PLACED.typed, nodes=nodes))
    assert "`fc4_0` (5 on gpu 0) has 1920 multiply-adds, not 1921" in refusal(graph)


@pytest.mark.parametrize("start", [-1, 1, 20])
def test_a_slice_of_other_channels(start: int) -> None:
    old = step(MARGINS, "both_0to8")
    assert isinstance(old, Slice)
    message = refusal(changed(MARGINS, old, replace(old, start=start)))
    assert "reads channels that are not there" in message or "is said to be channels 0:8, but is 1:9" in message


def test_a_margin_that_is_dropped_at_the_wrong_end() -> None:
    """What is kept of a wide value is not known to the verifier; that it is as much as the part is."""
    old = step(MARGINS, "norm_1")
    assert isinstance(old, Slice)
    wrong = replace(old, output=replace(old.output, channels=Range(5, 11)))
    assert "`norm_1` (6x12x12 on gpu 1) is said to be channels 5:11, but is 6:12" in refusal(
        changed(MARGINS, old, wrong)
    )


def test_a_transfer_that_changes_what_it_carries() -> None:
    old = step(PLACED, "conv2_1_to0")
    assert isinstance(old, Transfer)
    shape = replace(old, output=replace(old.output, shape=Maps(4, 4, 5)))
    assert "changes its shape on the way" in refusal(changed(PLACED, old, shape))
    channels = replace(old, output=replace(old.output, channels=Range(0, 4)))
    assert "is said to be channels 0:4, but is 4:8" in refusal(changed(PLACED, old, channels))
    source = replace(old, output=replace(old.output, source="conv3"))
    assert "is said to be of `conv3`, but is of conv2" in refusal(changed(PLACED, old, source))
    nowhere = replace(old, output=replace(old.output, device=1))
    assert "is sent to where it is" in refusal(changed(PLACED, old, nowhere))


def test_a_join_in_another_order_or_without_a_piece() -> None:
    old = step(PLACED, "conv2_on0")
    assert isinstance(old, Join)
    swapped = changed(PLACED, old, replace(old, inputs=old.inputs[::-1]))
    assert "`conv2_on0` (8x4x4 on gpu 0) is covered by 4:8, 0:4, not 0:8 once" in refusal(swapped)
    assert "has not the channels of its pieces" in refusal(changed(PLACED, old, replace(old, inputs=old.inputs[:1])))


def test_parts_that_do_not_cover_a_layer() -> None:
    parts = tuple((name, values[::-1]) for name, values in PLACED.parts)
    assert "`conv1_1` (4x9x9 on gpu 1) is covered by 4:8, 0:4, not 0:8 once" in refusal(replace(PLACED, parts=parts))


def test_rows_that_do_not_cover_a_parameter() -> None:
    old = compute(PLACED, "conv3_1")
    rows = tuple(replace(p, rows=Range(0, 6)) for p in old.parameters)
    message = refusal(changed(PLACED, old, replace(old, parameters=rows)))
    assert message == "`conv3_0` (6x4x4 on gpu 0) is covered by 0:6, 0:6, not 0:12 once"
    assert "is covered by 0:6, not 0:12 once" in refusal(changed(PLACED, old, replace(old, parameters=())))
