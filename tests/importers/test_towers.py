"""Towers of small nets: what is merged, what stays and why; names, places, devices. Numbers are compared each time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from netspec.importers.towers import merge_towers, merged_tensors
from netspec.ir.neuron import Neuron
from netspec.ir.parameter import Init
from netspec.layers.channels import SliceLayer
from netspec.layers.combine import Concat
from netspec.layers.conv import Conv
from netspec.layers.fc import Fc
from netspec.layers.rnorm import ResponseNorm
from netspec.pipeline import compile_spec
from netspec.weights import fill_initial
from tests.importers.towers_run import HEAD, assert_same_numbers, imported, layers_of, said, weights_of


def test_own_towers_are_groups_and_all_towers_are_none() -> None:
    layers = layers_of("""
        norm1a: {type: rnorm, inputs: conv1a, size: 3, groups: 2}
        norm1b: {type: rnorm, inputs: conv1b, size: 3, groups: 2}
        conv2a: {type: conv, filters: 6, size: 3, inputs: norm1a}
        conv2b: {type: conv, filters: 6, size: 3, inputs: norm1b}
        conv3a: {type: conv, filters: 6, size: 3, inputs: [conv2a, conv2b]}
        conv3b: {type: conv, filters: 6, size: 3, inputs: [conv2b, conv2a], gpu: 1}
        fc: {type: fc, outputs: 5, inputs: [conv3b, conv3a], gpu: 1}
    """)
    assert list(layers) == ["conv1", "norm1", "conv2", "conv3", "fc"]
    tanh = Neuron.parse("tanh")
    assert layers["conv1"] == Conv(inputs=("data",), filters=8, size=(3, 3), gpu=(0, 1), neuron=tanh)
    assert layers["norm1"] == ResponseNorm(inputs=("conv1",), size=3, groups=4)
    assert layers["conv2"] == Conv(inputs=("norm1",), filters=12, size=(3, 3), groups=2)
    assert layers["conv3"] == Conv(inputs=("conv2",), filters=12, size=(3, 3))
    assert layers["fc"] == Fc(inputs=("conv3",), outputs=5, gpu=(1,))


def test_towers_are_in_the_order_of_their_devices() -> None:
    net = imported("""
        x: {type: conv, filters: 4, size: 3, inputs: data, gpu: 1}
        y: {type: conv, filters: 4, size: 3, inputs: data, gpu: 0}
        fc: {type: fc, outputs: 5, inputs: [x, y], gpu: 0}
    """)
    weights = weights_of(net.spec)
    moved = merged_tensors(net.spec, weights)
    assert np.array_equal(moved["y.weight"], np.concatenate([weights["y.weight"], weights["x.weight"]]))
    assert np.array_equal(moved["y.bias"], np.concatenate([weights["y.bias"], weights["x.bias"]]))
    assert np.array_equal(moved["fc.weight"], np.concatenate([weights["fc.1.weight"], weights["fc.0.weight"]], axis=1))
    assert np.array_equal(moved["fc.bias"], weights["fc.0.bias"])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("lr_w: 2", "`lr_w` differs"),
        ("init_w: 0.1", "`init_w` differs"),
        ("filters: 6", "`filters` differs"),
        ("decay: 0, lr_b: 0", "`lr_b` and `decay` differ"),
        ("gpu: 0", None),
    ],
)
def test_layers_that_differ_stay_and_what_reads_them_too(change: str, reason: str | None) -> None:
    key = change.partition(":")[0]
    other = "{type: conv, inputs: data, " + ", ".join(
        [change] + [item for item in ("filters: 4", "size: 3", "gpu: 1") if not item.startswith(key)]
    )
    net = imported(f"""
        conv1a: {{type: conv, filters: 4, size: 3, inputs: data, gpu: 0}}
        conv1b: {other}}}
        pool1a: {{type: pool, pool: max, size: 2, inputs: conv1a}}
        pool1b: {{type: pool, pool: max, size: 2, inputs: conv1b}}
        fc: {{type: fc, outputs: 5, inputs: [pool1a, pool1b], gpu: 0}}
    """)
    merged = merge_towers(net)
    assert merged.spec is net.spec
    no_towers = "no layers of several devices mirror each other, so none are merged"
    stays = [f"`conv1a` and `conv1b` stay layers of their own: {reason}"] if reason else []
    assert said(merged) == [*stays, no_towers]


def test_a_net_on_one_device_has_no_towers() -> None:
    net = imported(HEAD.replace("gpu: 1", "gpu: 0") + "fc: {type: fc, outputs: 5, inputs: [conv1a, conv1b]}")
    assert merge_towers(net).spec is net.spec


def test_what_reads_alike_layers_tells_which_belong_together() -> None:
    """Two kinds of towers start alike: their names say another thing than what reads them."""
    layers = layers_of("""
        conv2a: {type: conv, filters: 4, size: 3, inputs: data, gpu: 1, neuron: tanh}
        conv2b: {type: conv, filters: 4, size: 3, inputs: data, gpu: 0, neuron: tanh}
        p: {type: pool, pool: max, size: 2, inputs: conv1a}
        q: {type: pool, pool: max, size: 2, inputs: conv2a}
        r: {type: pool, pool: avg, size: 2, inputs: conv2b}
        s: {type: pool, pool: avg, size: 2, inputs: conv1b}
        fc: {type: fc, outputs: 5, inputs: [p, q, r, s], gpu: 0}
    """)
    assert list(layers) == ["conv", "conv_2", "p", "r", "fc"]
    assert (layers["p"].inputs, layers["r"].inputs) == (("conv",), ("conv_2",))


def test_a_layer_that_reads_some_towers_reads_a_slice() -> None:
    layers = layers_of("""
        side: {type: conv, filters: 3, size: 3, inputs: conv1b}
        fc: {type: fc, outputs: 5, inputs: [side, conv1a], gpu: 0}
    """)
    assert layers["conv1b"] == SliceLayer(inputs=("conv1",), start=4, channels=4, gpu=(1,))
    assert layers["side"] == Conv(inputs=("conv1b",), filters=3, size=(3, 3))
    assert layers["fc"] == Fc(inputs=("side", "conv1a"), outputs=5, gpu=(0,))


def test_a_concat_in_another_order_stays_where_order_matters() -> None:
    layers = layers_of("""
        both: {type: concat, inputs: [conv1b, conv1a], gpu: 0}
        norm: {type: rnorm, inputs: both, size: 3}
        fc: {type: fc, outputs: 5, inputs: both}
        sum: {type: eltsum, inputs: [scores, fc]}
        scores: {type: fc, outputs: 5, inputs: norm}
    """)
    assert layers["both"] == Concat(inputs=("conv1b", "conv1a"), gpu=(0,))
    assert layers["conv1b"] == SliceLayer(inputs=("conv1",), start=4, channels=4, gpu=(1,))
    assert layers["fc"] == Fc(inputs=("conv1",), outputs=5, gpu=(0,))


def test_towers_at_the_end_are_outputs_each() -> None:
    layers = layers_of(
        """
        fca: {type: fc, outputs: 5, inputs: conv1a}
        fcb: {type: fc, outputs: 5, inputs: conv1b}
        pa: {type: softmax, inputs: fca}
    """,
        "outputs: [fcb, pa]",
    )
    assert layers["fc"] == Fc(inputs=("conv1",), outputs=10, groups=2)
    assert layers["fcb"] == SliceLayer(inputs=("fc",), start=5, channels=5, gpu=(1,))
    merged = merge_towers(
        imported(
            HEAD
            + """
        fca: {type: fc, outputs: 5, inputs: conv1a}
        fcb: {type: fc, outputs: 5, inputs: conv1b}
    """,
            "outputs: [fca, fcb]",
        )
    )
    assert merged.spec.outputs == ("fca", "fcb")


def test_names_that_are_taken_get_a_number() -> None:
    layers = layers_of("""
        conv1: {type: pool, pool: max, size: 2, inputs: conv1a, gpu: 0}
        conv1_2: {type: pool, pool: max, size: 2, inputs: conv1b, gpu: 0}
        fc: {type: fc, outputs: 5, inputs: [conv1, conv1_2]}
    """)
    assert {"conv1", "conv1_2", "conv1_3", "conv1a", "conv1b"} <= layers.keys()
    assert layers["conv1a"].inputs == ("conv1_3",)


def test_a_layer_may_not_be_called_as_the_part_of_another() -> None:
    layers = layers_of("""
        conv1_1: {type: pool, pool: max, size: 2, inputs: [conv1a], gpu: 0}
        fc: {type: fc, outputs: 5, inputs: [conv1_1, conv1b]}
    """)
    assert "conv1_2" in layers  # on two devices it has the parts conv1_2_0 and conv1_2_1
    assert "conv1" not in layers


def test_layers_that_share_weights_stay() -> None:
    merged = assert_same_numbers(
        imported(
            f"""{HEAD}
        xa: {{type: conv, filters: 4, size: 3, inputs: conv1a}}
        xb: {{type: conv, filters: 4, size: 3, inputs: conv1b}}
        ya: {{type: conv, filters: 4, size: 3, inputs: xa, share_weights: xa}}
        yb: {{type: conv, filters: 4, size: 3, inputs: xb, share_weights: xb}}
        fc: {{type: fc, outputs: 5, inputs: [ya, yb], gpu: 0}}
        """
        )
    )
    assert {"conv1", "xa", "xb", "ya", "yb", "fc"} <= merged.spec.layers.keys()
    assert "`xa` and `xb` stay layers of their own: `xa` shares weights" in said(merged)


def test_starts_that_depend_on_a_layers_size_stay_what_they_were() -> None:
    """He's standard deviation is sqrt(2 / 36) for half the channels, and would be sqrt(2 / 72) for all."""
    layers = layers_of("""
        xa: {type: conv, filters: 4, size: 3, init_w: he, inputs: [conv1a, conv1b]}
        xb: {type: conv, filters: 4, size: 3, init_w: he, inputs: [conv1a, conv1b], gpu: 1}
        fc: {type: fc, outputs: 5, inputs: [xa, xb], gpu: 0}
    """)
    assert layers["x"] == Conv(inputs=("conv1",), filters=8, size=(3, 3), init_w=Init("normal", (2 / 36) ** 0.5))


def test_weights_of_the_import_are_merged_too() -> None:
    net = imported(HEAD + "fc: {type: fc, outputs: 5, inputs: [conv1b, conv1a], gpu: 0}")
    typed = compile_spec(net.spec).typed
    tensors = {owned.name: np.empty(owned.parameter.dims, np.float32) for owned in typed.parameters}
    fill_initial(typed, 0, tensors)
    merged = merge_towers(replace(net, tensors=tensors))
    assert merged.tensors is not None
    dims = {owned.name: owned.parameter.dims for owned in compile_spec(merged.spec).typed.parameters}
    assert {name: tensor.shape for name, tensor in merged.tensors.items()} == dims
    assert {tensor.dtype for tensor in merged.tensors.values()} == {np.dtype(np.float32)}
    assert np.array_equal(merged.tensors["conv1.weight"][4:], tensors["conv1b.weight"])


def test_weights_that_are_not_all_there_are_not_made_up() -> None:
    net = imported(HEAD + "fc: {type: fc, outputs: 5, inputs: [conv1b, conv1a], gpu: 0}")
    assert merged_tensors(net.spec, {"conv1a.weight": np.zeros((4, 3, 3, 3)), "other.weight": np.zeros(1)}).keys() == {
        "other.weight"
    }


def test_what_is_wrong_with_a_merged_layer_is_shown_in_the_file() -> None:
    net = imported(HEAD + "fc: {type: fc, outputs: 5, inputs: [conv1b, conv1a], gpu: 0}")
    spans = merge_towers(net).spec.spans
    assert spans.key("layers", "conv1") == net.spec.spans.key("layers", "conv1a")
    assert spans.value("layers", "conv1", "size") == net.spec.spans.value("layers", "conv1a", "size")
    assert spans.value("input", "size") == net.spec.spans.value("input", "size")
    assert spans.source is net.spec.spans.source


def test_four_towers_that_read_in_pairs_are_two_groups() -> None:
    """Devices 0 and 1 read the towers of 0 and 1, in any order; 2 and 3 those of 2 and 3."""
    pairs = {0: "[a0, a1]", 1: "[a1, a0]", 2: "[a2, a3]", 3: "[a3, a2]"}
    text = "\n".join(f"a{n}: {{type: conv, filters: 2, size: 3, inputs: data, gpu: {n}}}" for n in pairs)
    text += "\n" + "\n".join(f"b{n}: {{type: fc, outputs: 3, inputs: {pairs[n]}, gpu: {n}}}" for n in pairs)
    merged = assert_same_numbers(imported(text + "\nfc: {type: fc, outputs: 5, inputs: [b0, b1, b2, b3], gpu: 0}"))
    assert merged.spec.layers["b"] == Fc(inputs=("a",), outputs=12, groups=2)
