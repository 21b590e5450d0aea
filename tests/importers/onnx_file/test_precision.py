"""Weights of half precision become float32. Not what else an operator may do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from tests.importers.onnx_file.models import difference, imported, model, node, numbers


def test_a_net_of_half_precision_computes_in_single(tmp_path: Path) -> None:
    """Its values have 11 bits in onnxruntime, and 24 in the net."""
    weights = {"w": numbers(4, 3, 3, 3).astype(np.float16), "b": numbers(4).astype(np.float16)}
    nodes = [node("Cast", "x", "h", to=10), node("Conv", "h w b", "c"), node("Relu", "c", "r"), node("Cast", "r", to=1)]
    content = model(nodes, weights)
    assert 0 < difference(content, tmp_path) < 5e-3
    found = imported(content, tmp_path)
    assert found.tensors is not None
    assert {str(tensor.dtype) for tensor in found.tensors.values()} == {"float32"}
    said = [remark.text for remark in found.remarks if remark.topic == "precision"]
    assert said == [
        "float16 weights become float32, and the net computes in float32",
        "it rounds what it reads there, and not here",
    ]


def test_weights_of_bfloat16_become_float32(tmp_path: Path) -> None:
    exact = np.array([1.5, -0.25, 3.0], np.float32).reshape(1, 3, 1, 1)
    nodes = [node("Cast", "w", "wide", to=1), node("Conv", "x wide")]
    constant = helper.make_tensor("w", TensorProto.BFLOAT16, exact.shape, exact.reshape(-1))
    found = imported(model(nodes, {"w": numpy_helper.to_array(constant)}), tmp_path)
    assert found.tensors is not None
    (weight,) = found.tensors.values()
    assert (weight == exact).all()
    assert "bfloat16 weights become float32" in str(found.remarks)
