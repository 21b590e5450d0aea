"""The proof has teeth: what is broken in one of the three forms is found, and the first bad layer is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import numpy_helper

from netspec.backends.torch import emit_module
from netspec.ir.layer import Shard
from netspec.ir.shape import Range, Shape
from netspec.layers.rnorm import ResponseNorm
from netspec.pipeline import Compiled
from netspec.proof import prove as proof
from netspec.proof.modules import rows_of
from netspec.proof.parity import GRADIENT_TOLERANCE, TOLERANCE
from netspec.spec.dump import spec_hash
from netspec_runtime.errors import DataError
from netspec_runtime.model_file import seal
from tests.build.nets import ALL, TIED, TWO, compiled, random_weights, write_model

Array = NDArray[np.float32]


def tampered(path: Path, change: Callable[[onnx.ModelProto], object]) -> Path:
    """The file with a change that keeps its seal valid."""
    model = onnx.load(path)
    change(model)
    onnx.save(model, path)
    seal(path)
    return path


def node(model: onnx.ModelProto, output: str, type: str) -> onnx.NodeProto:
    found: onnx.NodeProto = next(n for n in model.graph.node if n.output[0].startswith(output) and n.op_type == type)
    return found


def attribute(made: onnx.NodeProto, name: str) -> onnx.AttributeProto:
    found: onnx.AttributeProto = next(a for a in made.attribute if a.name == name)
    return found


@pytest.mark.parametrize("name", ALL)
def test_every_layer_of_a_good_net_holds(name: str, tmp_path: Path) -> None:
    net = compiled(ALL[name])
    parity = proof.prove(net, write_model(net, tmp_path, random_weights(net)))
    assert parity.holds
    assert parity.first_bad is None
    assert [layer.layer for layer in parity.layers] == [n.name for n in net.typed.nodes]
    assert (parity.top1, len(parity.inputs)) == (6, 6)
    assert all(layer.magnitude > 0 and layer.worst <= 1e-5 for layer in parity.layers)
    learned = {p.name for p in net.typed.parameters if p.parameter.role != "statistic"}
    split = len(net.placed.devices) > 1
    assert {g.parameter for g in parity.gradients} == (learned | {"(input)"} if split else set())
    assert all((layer.split is not None) == split for layer in parity.layers)


def shifted_pads(model: onnx.ModelProto) -> None:
    attribute(node(model, "conv2", "Conv"), "pads").ints[:] = [2, 2, 0, 0]


def other_constant(name: str) -> Callable[[onnx.ModelProto], None]:
    def change(model: onnx.ModelProto) -> None:
        tensor = next(t for t in model.graph.initializer if t.name.startswith(name))
        tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor) * np.float32(1.01), tensor.name))

    return change


def native_alpha(model: onnx.ModelProto) -> None:
    attribute(node(model, "rnorm1", "LRN"), "alpha").f *= 1.01


def other_neuron(model: onnx.ModelProto) -> None:
    node(model, "conv3", "Relu").op_type = "Abs"


def other_pool(model: onnx.ModelProto) -> None:
    node(model, "pool1", "MaxPool").op_type = "AveragePool"


def other_softmax(model: onnx.ModelProto) -> None:
    node(model, "probs", "Softmax").op_type = "Hardmax"


def swapped_labels(model: onnx.ModelProto) -> None:
    weight = next(t for t in model.graph.initializer if t.name == "fc5.weight")
    weight.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(weight)[::-1].copy(), "fc5.weight"))


@pytest.mark.parametrize(
    ("change", "bad"),
    [
        (shifted_pads, "conv2"),
        (other_constant("drop4/"), "drop4"),
        (other_neuron, "conv3"),
        (other_pool, "pool1"),
        (other_softmax, "probs"),
    ],
)
def test_a_changed_operator_is_named(change: Callable[[onnx.ModelProto], object], bad: str, tmp_path: Path) -> None:
    net = compiled(TWO)
    parity = proof.prove(net, tampered(write_model(net, tmp_path, random_weights(net)), change))
    assert not parity.holds
    assert parity.first_bad is not None
    assert parity.first_bad.layer == bad
    assert parity.sentence().startswith(f"the proof FAILS: `{bad}` is the first layer where onnxruntime differs, by ")
    assert all(gradient.holds for gradient in parity.gradients)


def test_a_slightly_different_lrn_is_named(tmp_path: Path) -> None:
    net = compiled(TWO.replace("alpha: 0.5, groups: 2", "alpha: 0.01, groups: 1"))
    path = write_model(net, tmp_path, random_weights(net), "native")
    assert proof.prove(net, path).holds
    parity = proof.prove(net, tampered(path, native_alpha))
    assert parity.first_bad is not None
    assert parity.first_bad.layer == "rnorm1"


def test_weights_are_those_of_the_file(tmp_path: Path) -> None:
    """All three forms take them from there: other weights are another, equally proven net."""
    net = compiled(TWO)
    parity = proof.prove(net, tampered(write_model(net, tmp_path, random_weights(net)), swapped_labels))
    assert parity.holds


def test_a_damaged_graph_is_refused(tmp_path: Path) -> None:
    net = compiled(TWO)
    path = write_model(net, tmp_path, random_weights(net))
    data = bytearray(path.read_bytes())
    data[data.index(b"MaxPool")] ^= 1
    path.write_bytes(data)
    with pytest.raises(DataError, match="its graph does not match its seal"):
        proof.prove(net, path)


def without_a_margin(self: ResponseNorm, _: tuple[Shape, ...], part: Range) -> Shard:
    return Shard(self, (part,))


def test_a_broken_rule_of_the_split_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """LRN over a tower's edge reads the neighbours on the other device: without them every shape is still right."""
    monkeypatch.setattr(ResponseNorm, "shard", without_a_margin)
    net = compiled(TWO.replace("groups: 2}\n  pool1", "groups: 1}\n  pool1"))
    parity = proof.prove(net, write_model(net, tmp_path, random_weights(net)))
    assert parity.first_bad is not None
    assert (parity.first_bad.layer, parity.first_bad.onnx < 1e-5) == ("rnorm1", True)
    assert "`rnorm1` is the first layer where the split module differs" in parity.sentence()


def rewriting(old: str, new: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the proof run another source than the backend's."""

    def emit(*arguments: object, **options: object) -> str:
        source = emit_module(*arguments, **options)  # type: ignore[arg-type]
        assert source.count(old) == 1
        return source.replace(old, new)

    monkeypatch.setattr(proof, "emit_module", emit)


@pytest.mark.parametrize(
    ("text", "old", "new", "parameters"),
    [
        (TWO, "conv2_1.to(self.gpu0)", "conv2_1.detach().to(self.gpu0)", {"(input)", "conv1.weight", "conv2.bias"}),
        (TWO, "self.fc5(drop4_on0)", "self.fc5(drop4_on0 * 1.01 - drop4_on0.detach() * 0.01)", {"conv3.weight"}),
        (TWO, "self.conv3_1(conv2_on1)", "self.conv3_1(conv2_on1) * 1", set()),
        (TIED, "self.conv3_1(conv2_on1)", "self.conv3_1(conv2_on1.detach())", {"conv1.weight", "norm1.bias"}),
        (TIED, "self.fc3_0.weight = self.fc2_0.weight", "pass", {"fc2.weight"}),
    ],
)
def test_a_wrong_gradient_of_the_split_is_found(
    text: str, old: str, new: str, parameters: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Outputs are all right; only what the backward pass brings is not."""
    net = compiled(text)
    path = write_model(net, tmp_path, random_weights(net))
    rewriting(old, new, monkeypatch)
    if new == "pass":
        rewriting_weights(monkeypatch)
    parity = proof.prove(net, path)
    assert parity.first_bad is None
    bad = {gradient.parameter for gradient in parity.gradients if not gradient.holds}
    assert parameters <= bad
    assert parity.holds == (not parameters)
    assert ("the gradient of `" in parity.sentence()) == bool(parameters)


def rewriting_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is no longer one tensor still has the same numbers."""
    extra = ("fc2.weight", "fc3_0.weight", 0, 3)
    monkeypatch.setattr("netspec.proof.modules.rows_of", lambda cls: (*rows_of(cls), extra))


def test_a_net_without_a_finite_number_proves_nothing(tmp_path: Path) -> None:
    net = compiled(TWO)
    weights = random_weights(net)
    weights["conv3.bias"][:] = np.nan
    parity = proof.prove(net, write_model(net, tmp_path, weights))
    assert not parity.holds
    assert parity.sentence() == (
        "the proof FAILS: `conv3` has no finite number on any input, so nothing can be compared"
    )
    assert json.loads(parity.as_json())["layers"][4]["magnitude"] == "nan"


def test_infinities_are_compared(tmp_path: Path) -> None:
    """One infinite channel is the same in all forms; the layers behind it hold no number any more."""
    net = compiled(TWO)
    weights = random_weights(net)
    weights["conv3.bias"][2] = np.inf
    parity = proof.prove(net, write_model(net, tmp_path, weights))
    assert parity.first_bad is not None
    assert parity.first_bad.layer in {"fc4", "drop4"}
    assert next(layer for layer in parity.layers if layer.layer == "conv3").holds


def prepared(net: Compiled, folder: Path) -> dict[str, object]:
    document: dict[str, object] = json.loads(proof.prove(net, write_model(net, folder, random_weights(net))).as_json())
    return document


def test_the_report_as_json(tmp_path: Path) -> None:
    net = compiled(TWO)
    document = prepared(net, tmp_path)
    assert document["holds"] is True
    assert str(document["verdict"]).startswith("proof: 9 layers equal in torch and onnxruntime on 6 inputs;")
    assert document["tolerance"] == {"layers": TOLERANCE, "gradients": GRADIENT_TOLERANCE}
    assert document["first_bad"] is None
    assert document["spec"] == spec_hash(net.spec)
    assert document["top1"] == 6
    assert set(document["versions"]) == {"torch", "onnxruntime", "numpy"}  # type: ignore[call-overload]
    layers = document["layers"]
    assert isinstance(layers, list)
    assert set(layers[0]) == {"layer", "shape", "magnitude", "onnx", "split"}
    assert layers[0]["shape"] == [8, 9, 9]
    assert prepared(net, tmp_path) == document


def test_a_net_on_one_device_has_no_split(tmp_path: Path) -> None:
    document = prepared(compiled(ALL["one"]), tmp_path)
    assert document["gradients"] == []
    assert {layer["split"] for layer in document["layers"]} == {None}  # type: ignore[attr-defined]


SQUASHED = """
netspec: 1
name: squashed
input: {channels: 3, size: 9}
classes: 4
layers:
  conv1: {type: conv, inputs: data, filters: 64, size: 5, pad: 2, neuron: tanh}
  drop1: {type: dropout, inputs: conv1, rate: 0.5}
  fc2: {type: fc, inputs: drop1, outputs: 4, init_w: 0.1}
  probs: {type: softmax, inputs: fc2}
"""


def cancelling(net: Compiled) -> dict[str, Array]:
    """Weights of one filter whose sums over the spike are of large terms, and small."""
    weights = random_weights(net)
    filters = np.random.default_rng(1).normal(0, 0.3, weights["conv1.weight"].shape).astype(np.float32)
    filters[0, 2] = -(filters[0, 0] + filters[0, 1])
    return weights | {"conv1.weight": filters}


def test_rounding_of_large_sums_is_no_difference_of_a_bounded_neuron(tmp_path: Path) -> None:
    net = compiled(SQUASHED)
    parity = proof.prove(net, write_model(net, tmp_path, cancelling(net)))
    assert parity.holds, parity.sentence()


def test_a_bounded_neuron_hides_no_difference(tmp_path: Path) -> None:
    net = compiled(SQUASHED)
    path = write_model(net, tmp_path, random_weights(net))
    parity = proof.prove(net, tampered(path, lambda model: shift_of(model, "conv1")))
    assert parity.first_bad is not None
    assert parity.first_bad.layer == "conv1"


def shift_of(model: onnx.ModelProto, layer: str) -> None:
    attribute(node(model, layer, "Conv"), "pads").ints[:] = [1, 2, 3, 2]
