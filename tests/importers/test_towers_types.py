"""Each layer type in towers: merged with the same numbers, or left with a reason."""

from __future__ import annotations

import pytest

from tests.importers.towers_run import HEAD, assert_same_numbers, imported, layers_of, said


@pytest.mark.parametrize(
    "keys",
    [
        "type: local, filters: 4, size: 3",
        "type: conv, filters: 4, size: 3, shared_biases: false",
        "type: conv, filters: 4, size: 3, bias: false",
        "type: conv, filters: 4, size: 3, groups: 2",
        "type: conv, filters: 4, size: 3, groups: 2, connections: [3, 1, 0, 2]",
        "type: conv, filters: 4, size: 3, init_w: xavier",
        "type: fc, outputs: 4, groups: 2",
        "type: batchnorm",
        "type: rnorm, size: 3, alpha: 1",
        "type: rnorm, size: 3, alpha: 1, across: space",
        "type: cnorm, size: 3, alpha: 1",
        "type: crop, size: 5, start: 2",
        "type: neuron, neuron: tanh",
    ],
)
def test_each_type_that_towers_have(keys: str) -> None:
    layers = layers_of(f"""
        xa: {{{keys}, inputs: conv1a}}
        xb: {{{keys}, inputs: conv1b}}
        fc: {{type: fc, outputs: 5, inputs: [xa, xb], gpu: 0}}
    """)
    assert list(layers) == ["conv1", "x", "fc"]


@pytest.mark.parametrize(
    "keys",
    [
        "type: local, filters: 4, size: 3",
        "type: conv, filters: 4, size: 3, groups: 2",
        "type: conv, filters: 4, size: 3, groups: 2, connections: [3, 1, 0, 2, 1, 1]",
        "type: conv, filters: 4, size: 3, per_input: [{pad: 1, stride: 2}, {size: 6, pad: 2, stride: 2}]",
        "type: conv, filters: 4, size: 3, per_input: [{init_w: 1}, {}]",
        "type: fc, outputs: 4",
        "type: fc, outputs: 4, per_input: [{init_w: 1}, {}]",
        "type: eltsum, coefficients: [1, -2]",
        "type: eltmax",
    ],
)
def test_each_type_that_reads_two_layers_of_its_tower(keys: str) -> None:
    layers = layers_of(f"""
        other1a: {{type: pool, pool: avg, size: 3, inputs: conv1a, pad: 1}}
        other1b: {{type: pool, pool: avg, size: 3, inputs: conv1b, pad: 1}}
        xa: {{{keys}, inputs: [other1a, conv1a]}}
        xb: {{{keys}, inputs: [other1b, conv1b]}}
        fc: {{type: fc, outputs: 5, inputs: [xa, xb], gpu: 0}}
    """)
    assert list(layers) == ["conv1", "other1", "x", "fc"]
    assert layers["x"].inputs == ("other1", "conv1")


@pytest.mark.parametrize(
    ("xa", "xb", "reason"),
    [
        ("type: prelu, shared: true, inputs: conv1a", "inputs: conv1b", "each has a number that its channels share"),
        ("type: flatten, inputs: conv1a", "inputs: conv1b", "a `flatten` layer reads all channels at once"),
        ("type: pool, pool: max, size: 2, inputs: conv1a", "inputs: conv1a", "each reads something else than its own"),
        (
            "type: fc, outputs: 5, inputs: conv1a",
            "inputs: conv1a",
            "some channels are read by more of them than others",
        ),
        ("type: fc, outputs: 5, inputs: [conv1a, data]", "inputs: [conv1b, data]", "they read all of one input and a"),
        (
            "type: fc, outputs: 5, inputs: [data, conv1b]",
            "inputs: [data, conv1a]",
            "each reads other towers than its own",
        ),
    ],
)
def test_layers_that_are_no_towers_stay_and_say_why(xa: str, xb: str, reason: str) -> None:
    other = xa[: xa.index("inputs")] + xb
    last = "" if "conv1b" in xa + xb else ", conv1b"
    merged = assert_same_numbers(
        imported(
            f"""{HEAD}
        xa: {{{xa}, gpu: 0}}
        xb: {{{other}, gpu: 1}}
        fa: {{type: fc, outputs: 3, inputs: xa}}
        end: {{type: fc, outputs: 3, inputs: [fa, xb{last}], gpu: 0}}
        """
        )
    )
    assert {"xa", "xb"} <= merged.spec.layers.keys()
    assert any(f"`xa` and `xb` stay layers of their own: {reason}" in text for text in said(merged))
