"""The spec that a built file carries: what lay beside its layer file comes along, and another name may be given."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from netspec.backends.onnx.model import merged_graph, write_merged
from netspec.backends.onnx.split import split_graphs, write_split
from netspec.importers.onnx_file.net import OnnxOptions, read_onnx
from netspec.importers.remark import Imported
from netspec.pipeline import Compiled, compile_spec
from netspec.seen import Seen
from netspec.spec.load import load_text
from netspec_runtime.errors import DataError

NET = """
netspec: 1
name: small
input: {size: 8}
classes: 3
ledger: mine.yaml
labels: names.txt
data: {mean: color}
train: {epochs: 7}
layers:
  conv1: {type: conv, inputs: data, filters: 2, size: 3, gpu: [0, 1], neuron: relu, lr_w: 2}
  fc1:   {type: fc, inputs: conv1, outputs: 3, gpu: 0}
  probs: {type: softmax, inputs: fc1}
"""
LABELS = ("cat", "dog", "Größe")


def _seen() -> Seen:
    return Seen(np.zeros((8, 8, 3), np.float32), (10.0, 20.0, 30.0), LABELS)


def _net() -> Compiled:
    return compile_spec(load_text(NET))


def _file(folder: Path) -> Path:
    net, path = _net(), folder / "small.onnx"
    graph = merged_graph(net.spec, net.merged, "fast", LABELS, _seen())

    def fill(arrays: dict[str, NDArray[np.float32]]) -> None:
        for array in arrays.values():
            array.fill(1)

    write_merged(path, graph, fill)
    return path


def _read(folder: Path, options: OnnxOptions) -> Imported:
    return read_onnx(_file(folder), options)


def test_all_of_the_spec(tmp_path: Path) -> None:
    found = _read(tmp_path, OnnxOptions())
    assert found.spec.layers == _net().spec.layers
    assert found.spec.train.epochs == 7
    assert found.spec.labels == LABELS
    assert found.spec.ledger == ""
    assert found.spec.data.mean == "color"
    assert found.spec.data.mean_color == pytest.approx((10, 20, 30))
    assert {remark.topic for remark in found.remarks} == {"spec", "labels", "ledger", "mean"}
    assert found.tensors is not None
    assert {name: t.shape for name, t in found.tensors.items()} == {
        "conv1.weight": (2, 3, 3, 3),
        "conv1.bias": (2,),
        "fc1.weight": (3, 72),
        "fc1.bias": (3,),
    }


def test_another_name(tmp_path: Path) -> None:
    assert _read(tmp_path, OnnxOptions(name="Mine (2)")).spec.name == "Mine-2"
    assert _read(tmp_path, OnnxOptions(name="mine", carried=False)).spec.name == "mine"


def test_the_graph_alone_knows_less(tmp_path: Path) -> None:
    found = _read(tmp_path, OnnxOptions(carried=False))
    assert found.spec.train.epochs != 7
    assert found.spec.data.mean == "none"
    assert [remark.topic for remark in found.remarks] == ["flatten order", "data"]


def test_a_part_of_several_is_no_net(tmp_path: Path) -> None:
    net, merged = _net(), _file(tmp_path)
    graphs = split_graphs(net.spec, net.placed, "fast", LABELS, "", _seen())
    name, graph = next(iter(graphs.items()))
    write_split(tmp_path / name, graph, merged)
    with pytest.raises(DataError, match="one device of several"):
        read_onnx(tmp_path / name, OnnxOptions())


def test_weights_lie_in_the_mapped_file(tmp_path: Path) -> None:
    """They are not copied, and writing to them does not change the file."""
    path = _file(tmp_path)
    content = path.read_bytes()
    tensors = read_onnx(path, OnnxOptions()).tensors
    assert tensors is not None
    assert not tensors["fc1.weight"].flags.owndata
    tensors["fc1.weight"][...] = 7
    assert path.read_bytes() == content
    assert onnx.ModelProto.FromString(content).graph.initializer
