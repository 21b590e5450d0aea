"""Infer: shapes and parameters of every layer, every error in one run, shared weights. Layer rules: tests/layers."""

from __future__ import annotations

import pytest

from netspec.diagnostics import Diagnostic, SpecError
from netspec.ir.graph import TypedGraph
from netspec.ir.shape import Maps, Vector
from netspec.passes.build import build
from netspec.passes.infer import MAX_UNITS, infer
from netspec.spec.load import load_text
from tests.build.nets import EARLY, TIED, TWO

SHAPES = ["8x9x9", "8x9x9", "8x4x4", "8x4x4", "12x4x4", "10", "10", "6", "6"]
HEAD = "netspec: 1\nname: n\ninput: {size: 8, channels: 4}\n"


def typed(text: str) -> TypedGraph:
    spec = load_text(text)
    return infer(build(spec), spec)


def found(layers: str, more: str = "") -> tuple[Diagnostic, ...]:
    with pytest.raises(SpecError) as caught:
        typed(f"{HEAD}{more}layers:\n{layers}")
    return caught.value.diagnostics


def test_shapes_costs_and_names() -> None:
    graph = typed(TWO)
    assert [str(node.shape) for node in graph.nodes] == SHAPES
    assert graph.shape("data") == Maps(3, 20, 20)
    assert graph.shape("probs") == Vector(6)
    assert [p.name for p in graph.parameters[:4]] == ["conv1.weight", "conv1.bias", "conv2.weight", "conv2.bias"]
    conv2 = graph.by_name["conv2"]
    assert (conv2.parameter_count, conv2.macs) == (8 * 4 * 9 + 8, 8 * 16 * 4 * 9)
    assert conv2.input_shapes == (Maps(8, 4, 4),)
    assert graph.parameter_count == sum(node.parameter_count for node in graph.nodes) == 608 + 296 + 876 + 1930 + 66
    assert graph.macs == sum(node.macs for node in graph.nodes)
    assert graph.units == sum(n.shape.units for n in graph.nodes if n.name in {"conv1", "conv2", "conv3", "fc4", "fc5"})


@pytest.mark.parametrize(
    ("text", "shared"),
    [
        (TIED, {"conv3.weight": "conv2.weight", "fc3.weight": "fc2.weight"}),
        (EARLY, {"conv1.weight": "conv2.weight", "fc2.weight": "fc3.weight"}),
    ],
)
def test_shared_weights_have_their_owners_name_and_count_once(text: str, shared: dict[str, str]) -> None:
    """Also where the owner comes later."""
    graph = typed(text)
    tied = {f"{node.name}.{p.path}": p.name for node in graph.nodes for p in node.parameters if p.tied}
    assert tied == shared
    names = [p.name for p in graph.parameters]
    assert len(names) == len(set(names))
    assert not set(shared) & set(names)
    for borrower in {name.partition(".")[0] for name in shared}:
        node = graph.by_name[borrower]
        assert node.parameter_count == node.shape.channels  # its bias


def test_running_statistics_are_no_parameters() -> None:
    norm = typed(TIED).by_name["norm1"]
    assert len(norm.parameters) == 4
    assert norm.parameter_count == 8


CONV = "{{type: conv, inputs: {0}, filters: 4, size: {1}}}\n"


def test_every_layers_error_is_found_and_none_is_repeated() -> None:
    """What reads a failed layer is skipped in silence; what does not is still checked."""
    layers = (
        "  a: " + CONV.format("data", 9)
        + "  b: " + CONV.format("a", 3)
        + "  c: " + CONV.format("data", 11)
        + "  d: " + CONV.format("data", 3)
        + "  e: {type: concat, inputs: [b, c, d]}\n"
    )  # fmt: skip
    assert [(d.code, d.span.text) for d in found(layers)] == [("NS302", "9"), ("NS302", "11")]


def test_the_causes_of_a_size_are_told() -> None:
    layers = "  a: " + CONV.format("data", 6) + "  b: " + CONV.format("a", 5)
    (diagnostic,) = found(layers)
    assert diagnostic.span.text == "5"
    assert any("`a`" in note for note in diagnostic.notes)


@pytest.mark.parametrize(
    ("first", "shared"),
    [
        ("fc, outputs: 256", "nobody"),
        ("fc, outputs: 256", "second"),
        ("fc, outputs: 256", "../first"),
        ("fc, outputs: 256", "first[1]"),
        ("fc, outputs: 3", "first"),
        ("conv, filters: 256, size: 8", "first"),
        ("pool, pool: max, size: 8, stride: 8", "first"),
    ],
    ids=["unknown", "its own", "no name", "no second input", "other dimensions", "another type", "no weights"],
)
def test_weights_that_cannot_be_shared(first: str, shared: str) -> None:
    second = f"{{type: fc, inputs: first, outputs: 256, share_weights: '{shared}'}}"
    diagnostics = found(f"  first: {{type: {first}, inputs: data}}\n  second: {second}\n")
    assert [(d.code, d.span.text.strip("'")) for d in diagnostics] == [("NS314", shared)]


def test_weights_shared_twice_over() -> None:
    a, b, c = (
        f"  {name}: {{type: fc, inputs: data, outputs: 3{more}}}\n"
        for name, more in (("a", ""), ("b", ", share_weights: a"), ("c", ", share_weights: b"))
    )
    assert [d.code for d in found(a + b + c, "outputs: [a, b, c]\n")] == ["NS314"]


def test_classes_must_be_the_softmaxes() -> None:
    layers = "  fc: {type: fc, inputs: data, outputs: 3}\n  p: {type: softmax, inputs: fc}\n"
    (diagnostic,) = found(layers, "classes: 4\n")
    assert (diagnostic.code, diagnostic.span.text) == ("NS316", "4")
    assert typed(f"{HEAD}classes: 3\nlayers:\n{layers}").shape("p") == Vector(3)


def test_tensors_beyond_all_memory_are_refused() -> None:
    layers = (f"  {a}: {{type: fc, inputs: {b}, outputs: {1 << 20}}}\n" for a, b in (("a", "data"), ("b", "a")))
    (diagnostic,) = found("".join(layers))
    assert diagnostic.code == "NS312"
    assert f"{MAX_UNITS:,}" in diagnostic.message
