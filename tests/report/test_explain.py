"""Explanations of layers and of words: every layer of every shipped spec has one, and AlexNet's say the right thing."""

from __future__ import annotations

from pathlib import Path

import pytest

from netspec.ir.neuron import KINDS
from netspec.layers import LAYER_TYPES
from netspec.pipeline import Compiled, compile_file, compile_spec
from netspec.report.explain_layer import explain_layer
from netspec.report.explain_type import explain_word, inputs_words, known_words, source_of
from netspec.spec import load_text
from netspec.spec.shipped import shipped_specs
from netspec.syntax.decode import keys_of
from tests.report.nets import FOUR, compiled


@pytest.fixture(scope="module")
def alexnet(root: Path) -> Compiled:
    return compile_file(root / "specs" / "alexnet.yaml")


def part(text: str, label: str) -> list[str]:
    """The lines beside a label."""
    lines = text.split("\n")
    start = next(n for n, line in enumerate(lines) if line.startswith(f"  {label} "))
    rest = [line[14:] for line in lines[start:]]
    end = next((n for n, line in enumerate(lines[start + 1 :], 1) if line[2:3] != " "), len(rest))
    return rest[:end]


def test_conv3_reads_both_towers(alexnet: Compiled) -> None:
    text = explain_layer(alexnet, "conv3")
    assert part(text, "reads") == [
        "pool2, 256x13x13 (43,264 units)",
        "gpu 0: channels 0:256 of pool2: 128x13x13 of its own, 128x13x13 from gpu 1",
        "gpu 1: channels 0:256 of pool2: 128x13x13 from gpu 0, 128x13x13 of its own",
    ]
    assert part(text, "MACs") == ["384 x 13 x 13 outputs x 2,304 inputs of each = 149,520,384 multiply-adds an image"]
    assert part(text, "because")[0] == "conv3 is 384x13x13: floor((13 + 1 + 1 - 3) / 1) + 1 = 13"
    assert part(text, "because")[-1] == "data is 3x224x224: the net's input"
    assert part(text, "parameters")[-1] == "885,120 learned, 3.4 MiB: 442,560 on gpu 0, 442,560 on gpu 1"
    assert len(part(text, "crosses")) == 2
    assert part(text, "read by") == ["conv4"]


def test_rnorm_says_alpha_both_ways_and_what_it_becomes(alexnet: Compiled) -> None:
    text = explain_layer(alexnet, "rnorm1")
    assert part(text, "effective") == ["alpha of the plain sum: 0.0001", "alpha of the sum over size: 0.0005", "k: 2"]
    assert "response_norm(conv1, size=5, alpha=0.0001" in text
    assert "LRN(" not in text
    assert "LRN(" in explain_layer(alexnet, "rnorm1", "native")


def test_every_layer_of_every_shipped_spec_is_explained() -> None:
    for path in shipped_specs().values():
        net = compile_file(path)
        for node in net.typed.nodes:
            text = explain_layer(net, node.name)
            assert f"  {node.name} = " in text or f"{node.name} = " in text
            assert all(line == line.rstrip() for line in text.split("\n"))


def test_macs_of_every_learned_layer_are_spelt_out(alexnet: Compiled) -> None:
    for node in alexnet.typed.nodes:
        if node.macs:
            (line,) = part(explain_layer(alexnet, node.name), "MACs")
            assert line.endswith(f"= {node.macs:,} multiply-adds an image")


def test_margins_and_part_reads_on_four_devices() -> None:
    text = explain_layer(compiled(FOUR), "c")
    assert "gpu 0: channels 0:5 of b: 3x6x6 of its own, 2x6x6 from gpu 1" in text


def test_shared_and_kept_numbers() -> None:
    layers = """
  a: {type: conv, inputs: data, filters: 4, size: 3, pad: 1}
  b: {type: conv, inputs: a, filters: 4, size: 3, pad: 1, share_weights: a, neuron: "tanh[1.7, 0.6]"}
  c: {type: batchnorm, inputs: b}
  d: {type: fc, inputs: [c, a], outputs: 2, init_w: xavier}
"""
    net = compiled(layers)
    assert "weight: 4 x 4 x 3 x 3 = 144, shared: the numbers of a.weight" in explain_layer(net, "b")
    assert part(explain_layer(net, "b"), "neuron") == ["tanh[1.7, 0.6]: a tanh(b x), a = 1.7, b = 0.6"]
    assert "c.running_mean: 4, starts all 0, kept, not learned" in explain_layer(net, "c")
    assert "(144 + 144) inputs of each" in explain_layer(net, "d")
    assert "(`xavier`)" in explain_layer(net, "d")
    assert part(explain_layer(net, "d"), "read by") == ["nothing: it is the net's output"]


def test_the_written_line_is_where_it_stands() -> None:
    text = "netspec: 1\nname: net\ninput: {size: 4}\nlayers:\n  a: {type: fc, inputs: data, outputs: 2}\n"
    net = compile_spec(load_text(text, name="my.yaml"))
    assert part(explain_layer(net, "a"), "written") == ["a: {type: fc, inputs: data, outputs: 2}", "my.yaml:5:3"]


@pytest.mark.parametrize("word", known_words())
def test_every_word_is_explained(word: str) -> None:
    text = explain_word(word)
    assert text.startswith((f"{word}: ", f"{word}["))
    assert max(map(len, text.split("\n"))) <= 120


@pytest.mark.parametrize("name", LAYER_TYPES)
def test_a_layer_type_names_its_keys_and_source(name: str) -> None:
    text = explain_word(name)
    assert all(f"\n  {key}: " in text for key in keys_of(LAYER_TYPES[name]))
    assert LAYER_TYPES[name].example in text
    assert source_of(LAYER_TYPES[name]) != ""


def test_unknown_words_are_key_errors(alexnet: Compiled) -> None:
    with pytest.raises(KeyError):
        explain_word("convv")
    with pytest.raises(KeyError):
        explain_layer(alexnet, "conv33")


def test_neurons_show_their_formula() -> None:
    assert all(kind.formula in explain_word(name) for name, kind in KINDS.items())


@pytest.mark.parametrize(
    ("arity", "words"),
    [((1, 1), "one"), ((1, None), "one or more"), ((2, None), "2 or more"), ((2, 3), "2 to 3"), ((2, 2), "2")],
)
def test_arities(arity: tuple[int, int | None], words: str) -> None:
    assert inputs_words(arity) == words
