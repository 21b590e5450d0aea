"""Build: names become edges, layers get an order, what nothing reads is an output."""

from __future__ import annotations

import pytest

from netspec.diagnostics import Diagnostic, SpecError
from netspec.ir.graph import Graph
from netspec.passes.build import build
from netspec.spec.load import load_text

HEAD = "netspec: 1\nname: n\ninput: {size: 8}\n"


def graph(layers: str, more: str = "") -> Graph:
    return build(load_text(f"{HEAD}{more}layers:\n{layers}"))


def fc(name: str, *inputs: str) -> str:
    return f"  {name}: {{type: fc, inputs: [{', '.join(inputs)}], outputs: 4}}\n"


def found(layers: str, more: str = "") -> tuple[Diagnostic, ...]:
    with pytest.raises(SpecError) as caught:
        graph(layers, more)
    return caught.value.diagnostics


def places(diagnostics: tuple[Diagnostic, ...]) -> list[tuple[str, str]]:
    """Code, and the text that is pointed at."""
    return [(d.code, d.span.text) for d in diagnostics]


def test_the_order_of_the_file_is_kept_where_it_can_be() -> None:
    made = graph(fc("a", "data") + fc("b", "data") + fc("c", "b", "a"))
    assert [node.name for node in made.nodes] == ["a", "b", "c"]


def test_layers_may_stand_in_any_order() -> None:
    made = graph(fc("d", "c", "a") + fc("c", "b") + fc("a", "data") + fc("b", "a"))
    assert [node.name for node in made.nodes] == ["a", "b", "c", "d"]
    assert made.outputs == ("d",)
    assert made.input.name == "data"


def test_a_layer_may_read_a_value_twice() -> None:
    made = graph("  a: {type: eltsum, inputs: [data, data]}\n")
    assert made.nodes[0].layer.inputs == ("data", "data")


def test_a_chain_of_a_thousand_layers_needs_no_recursion() -> None:
    names = [f"l{i}" for i in range(1000)]
    layers = [fc(name, before) for name, before in zip(names, ["data", *names], strict=False)]
    assert [node.name for node in graph("".join(reversed(layers))).nodes] == names


def test_another_name_for_the_input() -> None:
    made = build(load_text("netspec: 1\nname: n\ninput: {size: 8, name: image}\nlayers:\n" + fc("a", "image")))
    assert made.input.name == "image"


def test_every_unknown_name_is_found_at_its_place() -> None:
    diagnostics = found(fc("conv1", "dta", "data") + fc("fc2", "conv1", "conv2"), "outputs: [fc2, fc3]\n")
    assert set(places(diagnostics)) == {("NS301", "dta"), ("NS301", "conv2"), ("NS301", "fc3")}
    helps = {d.span.text: d.help for d in diagnostics}
    assert "did you mean `data`?" in helps["dta"]
    assert "`conv1`" in helps["conv2"]


def test_a_layer_with_the_inputs_name() -> None:
    (diagnostic,) = found(fc("data", "data"))
    assert diagnostic.span.text.startswith("data")


@pytest.mark.parametrize(
    ("layers", "cycle"),
    [
        (fc("a", "a"), ["a"]),
        (fc("a", "b") + fc("b", "a"), ["a", "b", "a"]),
        (fc("x", "data") + fc("a", "x", "c") + fc("b", "a") + fc("c", "b"), ["a", "c", "b", "a"]),
    ],
)
def test_a_cycle_is_told_from_its_first_layer(layers: str, cycle: list[str]) -> None:
    (diagnostic,) = found(layers)
    assert diagnostic.code == "NS303"
    words = [word.strip("`:,;") for word in diagnostic.message.split() if word.startswith("`")]
    assert words[-len(cycle) :] == cycle


def test_one_end_is_the_output() -> None:
    assert graph(fc("a", "data")).outputs == ("a",)


def test_outputs_are_named_in_their_own_order_and_may_be_read() -> None:
    layers = fc("a", "data") + fc("b", "a") + fc("c", "a")
    assert graph(layers, "outputs: [c, a, b]\n").outputs == ("c", "a", "b")


def test_dead_ends_are_found() -> None:
    layers = fc("a", "data") + fc("b", "a") + fc("c", "a")
    assert {d.code for d in found(layers)} == {"NS304"}
    assert [(d.code, d.span.text[:1]) for d in found(layers, "outputs: [b]\n")] == [("NS304", "c")]


def test_the_advice_for_dead_ends_names_them_all_or_says_that_there_are_more() -> None:
    layers = "".join(fc(name, "data") for name in "abcde")
    (several,) = found(layers)
    assert str(several.help).endswith("or name the outputs: `outputs: [a, b, c, d, ...]`")
    first, second = found(layers, "outputs: [c, a, d]\n")
    assert first.help == second.help == "remove it, let a layer read it, or add it to `outputs`"
    (last,) = found(layers[: layers.index("  e")], "outputs: [c, a, d]\n")
    assert last.help == "remove it, let a layer read it, or add it: `outputs: [c, a, d, b]`"
