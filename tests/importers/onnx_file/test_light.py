"""The nine light graphs of the onnx package: those whose operators are claimed give onnxruntime's own outputs.

Their weights are one number each, so that every softmax is flat; here they get random ones, for both sides.
"""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import numpy_helper

from netspec.diagnostics import SpecError
from netspec.importers.onnx_file.net import OnnxOptions, read_onnx
from tests.importers.onnx_file.models import apart, compiled, rebuilt, run

FOLDER = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"
# Learned numbers, as the papers and the model zoo have them; batch norms' scales and shifts count.
CLAIMED = {
    "bvlc_alexnet": 60_965_224,
    "densenet121": 8_062_248,
    "inception_v1": 6_998_552,
    "inception_v2": 11_213_288,
    "resnet50": 25_557_032,
    "squeezenet": 1_235_496,
    "vgg19": 143_667_240,
    "zfnet512": 87_250_536,
}
REFUSED = {"shufflenet": "Transpose"}
SIDE = 224
SMALLER = {"vgg19": (64, 25_088, 2_048), "zfnet512": (96, 18_432, 2_048)}  # side, and the units of fc6 before and then


def light(name: str) -> Path:
    return FOLDER / f"light_{name}.onnx"


def at_side(name: str) -> onnx.ModelProto:
    """A graph as it is, but the largest on a smaller picture: fc6 then has a hundred million weights less."""
    proto = onnx.ModelProto.FromString(light(name).read_bytes())
    side, before, units = SMALLER.get(name, (SIDE, 0, 0))
    for value in proto.graph.input:
        for size in value.type.tensor_type.shape.dim:
            size.dim_value = side if size.dim_value == SIDE else size.dim_value
    for tensor in proto.graph.initializer if name in SMALLER else ():
        dims = numpy_helper.to_array(tensor)
        tensor.CopyFrom(numpy_helper.from_array(np.where(dims == before, units, dims), tensor.name))
    return cast(onnx.ModelProto, proto)


def randomised(proto: onnx.ModelProto) -> bytes:
    """The same graph with random weights instead of filled ones; batch norms keep statistics that can be."""
    shapes = {tensor.name: tuple(numpy_helper.to_array(tensor)) for tensor in proto.graph.initializer}
    random = np.random.default_rng(0)
    rest = []
    for node in proto.graph.node:
        if node.op_type != "ConstantOfShape":
            rest.append(node)
            continue
        array = _numbers(random, tuple(int(size) for size in shapes[node.input[0]]))
        proto.graph.initializer.append(numpy_helper.from_array(array, node.output[0]))
    del proto.graph.node[:]
    proto.graph.node.extend(rest)
    return cast(bytes, proto.SerializeToString())


def _numbers(random: np.random.Generator, dims: tuple[int, ...]) -> NDArray[np.float32]:
    if len(dims) == 1:
        return random.uniform(0.5, 1.0, dims).astype(np.float32)
    fan_in = float(np.prod(dims[1:]))
    return (random.standard_normal(dims, dtype=np.float32) * np.float32((2 / fan_in) ** 0.5)).astype(np.float32)


def test_these_are_all() -> None:
    assert sorted(path.stem.removeprefix("light_") for path in FOLDER.glob("*.onnx")) == sorted({**CLAIMED, **REFUSED})


@pytest.mark.parametrize("name", CLAIMED)
def test_parameters(name: str) -> None:
    found = read_onnx(light(name), OnnxOptions())
    assert compiled(found).typed.parameter_count == CLAIMED[name]


@pytest.mark.slow
@pytest.mark.parametrize("name", CLAIMED)
def test_outputs_are_onnxruntimes(name: str, tmp_path: Path) -> None:
    path = tmp_path / "random.onnx"
    path.write_bytes(randomised(at_side(name)))
    found = read_onnx(path, OnnxOptions())
    side, *_ = SMALLER.get(name, (SIDE,))
    batch = np.random.default_rng(1).standard_normal((1, 3, side, side)).astype(np.float32)
    wanted = run(str(path), batch)
    assert apart(wanted, run(rebuilt(found, tmp_path), batch)) <= 1e-4
    assert wanted[0].std() > 1e-5, "all outputs are the same, so nothing was compared"


@pytest.mark.parametrize("name", REFUSED)
def test_others_are_refused_by_operator(name: str) -> None:
    with pytest.raises(SpecError) as refused:
        read_onnx(light(name), OnnxOptions())
    assert [d.code for d in refused.value.diagnostics] == ["NS804"] * 16
    assert all(f"operator {REFUSED[name]} `" in d.message for d in refused.value.diagnostics)


def test_what_the_graph_says_is_kept() -> None:
    """BVLC AlexNet of the zoo: Caffe's rounding, LRN's convention, dropout, and its names."""
    found = read_onnx(light("bvlc_alexnet"), OnnxOptions())
    layers = found.spec.layers
    assert list(layers)[:4] == ["conv1", "rnorm1", "pool1", "conv2"]
    assert [str(layer.neuron) for layer in layers.values() if layer.neuron] == ["relu"] * 7
    topics = {remark.topic for remark in found.remarks}
    assert {"rounding", "alpha", "dropout", "flatten order", "batch", "data", "name"} <= topics
    assert found.spec.classes == 1000
