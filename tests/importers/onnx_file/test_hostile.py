"""Damaged and hostile files: SpecError or DataError, at once, and no other file is ever read."""

from __future__ import annotations

import contextlib
import resource
from pathlib import Path
from random import Random
from typing import cast

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netspec.diagnostics import SpecError
from netspec.importers.onnx_file.net import OnnxOptions, read_onnx
from netspec_runtime.errors import DataError
from netspec_runtime.model_file import SEAL_KEY
from tests.conformance.forms import Forms
from tests.importers.onnx_file.models import GRAPH_ONLY, imported, model, node, numbers, types
from tests.importers.onnx_file.mutants import mutant, sources

NET = "netspec: 1\nname: small\ninput: {size: 8}\nlayers:\n  conv1: {type: conv, inputs: data, filters: 2, size: 3}\n"


@pytest.fixture(scope="module")
def whole() -> list[bytes]:
    return sources()


def _survives(whole: list[bytes], seed: int, path: Path) -> None:
    random = Random(seed)
    path.unlink(missing_ok=True)  # what failed before may still map the old one
    path.write_bytes(mutant(whole[seed % len(whole)], random))
    options = OnnxOptions(lenient=random.random() < 0.3, carried=random.random() < 0.3)
    with contextlib.suppress(SpecError, DataError):
        read_onnx(path, options)


def test_what_is_damaged_is_whole_before(whole: list[bytes], tmp_path: Path) -> None:
    for content in whole:
        assert len(imported(content, tmp_path).spec.layers) > 5


@pytest.mark.parametrize("first", range(0, 400, 100))
def test_mutants(first: int, whole: list[bytes], tmp_path: Path) -> None:
    for seed in range(first, first + 100):
        _survives(whole, seed, tmp_path / "model.onnx")


@pytest.mark.soak
@given(seed=st.integers(min_value=1000, max_value=2**40))
@settings(max_examples=20_000)
def test_mutants_at_large(seed: int, whole: list[bytes], tmp_path_factory: pytest.TempPathFactory) -> None:
    _survives(whole, seed, tmp_path_factory.getbasetemp() / "mutant.onnx")


def _refused(content: bytes, folder: Path, options: OnnxOptions = GRAPH_ONLY) -> DataError:
    with pytest.raises(DataError) as error:
        imported(content, folder, options)
    return error.value


@pytest.mark.parametrize("content", [b"", b"\0" * 100, b"netspec: 1\n", b"\x08\x07" * 50])
def test_no_onnx(content: bytes, tmp_path: Path) -> None:
    assert "no ONNX model" in str(_refused(content, tmp_path))


def test_more_dimensions_than_numpy_knows(tmp_path: Path) -> None:
    nodes = [node("Expand", "one many", "e"), node("Equal", "e e", "q"), node("Relu", "x")]
    content = model(nodes, {"one": np.ones(1, np.float32), "many": np.ones(64, np.int64)})
    assert types(imported(content, tmp_path)) == ["neuron"]


def test_a_constant_without_a_value(tmp_path: Path) -> None:
    nodes = [node("Constant", "", "c"), node("Add", "x c")]
    with pytest.raises(SpecError, match="the operator Constant `constant_of_c` cannot be told"):
        imported(model(nodes, {}), tmp_path)


@pytest.mark.parametrize(("band", "k"), [((4, 4, 1, 1), (4, 2)), ((4, 4, 1, 1), ()), ((4, 0, 1, 1), (4,))])
def test_a_norms_convolution_of_odd_ranks(band: tuple[int, ...], k: tuple[int, ...], tmp_path: Path) -> None:
    nodes = [node("Mul", "x x", "s"), node("Conv", "s band k", "t"), node("Div", "x t")]
    content = model(nodes, {"band": np.ones(band, np.float32), "k": np.ones(k, np.float32)})
    with contextlib.suppress(SpecError, DataError):
        imported(content, tmp_path)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path / "none.onnx", tmp_path, tmp_path / "a\0b", Path("/dev/zero")):
        with pytest.raises(DataError):
            read_onnx(path, GRAPH_ONLY)


def test_weights_in_other_files_are_not_read(tmp_path: Path) -> None:
    proto = onnx.ModelProto.FromString(model([node("Conv", "x w")], {"w": numbers(4, 3, 3, 3)}))
    tensor = proto.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")
    assert "its weights are in another file; export it" in str(_refused(proto.SerializeToString(), tmp_path))


def _with_shape(dims: list[int]) -> bytes:
    proto = onnx.ModelProto.FromString(model([node("Conv", "x w")], {"w": numbers(1, 1, 1, 1)}))
    proto.graph.initializer[0].dims[:] = dims
    return cast(bytes, proto.SerializeToString())


@pytest.mark.parametrize("dims", [[10**6, 10**6, 1, 1], [2**62, 4, 4, 4], [-1, 1, 1, 1], [0, 0, 0, 0]])
def test_a_tensor_that_claims_more_than_it_has(dims: list[int], tmp_path: Path) -> None:
    assert "no ONNX model" in str(_refused(_with_shape(dims), tmp_path))


@pytest.mark.parametrize("dims", [(10**6, 10**6), (2**31, 1), (2**15, 2**15)])
def test_weights_that_are_made_out_of_nothing(dims: tuple[int, ...], tmp_path: Path) -> None:
    """A file of 200 bytes may fill 10^12 numbers; nothing is laid out before it is known to be asked for."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    nodes = [node("ConstantOfShape", "s", "w"), node("Flatten", "x", "f"), node("Gemm", "f w")]
    with pytest.raises((SpecError, DataError)):
        imported(model(nodes, {"s": np.array(dims)}), tmp_path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000, "kilobytes"


@pytest.mark.slow
def test_constants_that_double(tmp_path: Path) -> None:
    """Forty Concats of a tensor with itself would be 2^50 numbers."""
    nodes = [node("Concat", f"c{n} c{n}", f"c{n + 1}", axis=0) for n in range(40)]
    nodes += [node("Flatten", "x", "f"), node("MatMul", "f c40")]
    with pytest.raises((SpecError, DataError)):
        imported(model(nodes, {"c0": numbers(1024, 1)}), tmp_path)


def test_constants_that_are_copied_again_and_again(tmp_path: Path) -> None:
    """A matrix turned on its side is a view, in another shape a copy, and 2,500 of a large one fill any memory."""
    nodes = [node("Cast", "c", "c0", to=1)]
    for n in range(12):
        nodes += [node("Transpose", f"c{n}", f"t{n}", perm=[1, 0]), node("Reshape", f"t{n} s{n % 2}", f"c{n + 1}")]
    sides = {"s0": np.array([1 << 10, 1 << 13]), "s1": np.array([1 << 11, 1 << 12])}
    content = model([*nodes, node("Relu", "x")], {"c": np.zeros((1 << 11, 1 << 12), np.int8), **sides})
    assert "ask for more than" in str(_refused(content, tmp_path))


def test_weights_that_are_multiplied_again_and_again(tmp_path: Path) -> None:
    """Each product with another alpha is a matrix of its own."""
    nodes = [node("Flatten", "x", "g0")]
    nodes += [node("Gemm", f"g{n} w", f"g{n + 1}", alpha=1.5 + n) for n in range(70)]
    content = model([*nodes, node("Relu", "g70")], {"w": np.ones((1000, 1000), np.float32)}, image=("N", 1, 10, 100))
    assert "make more weights" in str(_refused(content, tmp_path))


@pytest.mark.parametrize(
    ("nodes", "words"),
    [
        ([node("Relu", "y", "z"), node("Relu", "z")], "cycle"),
        ([node("Relu", "x"), node("Tanh", "x")], "made twice"),
        ([node("Relu", "nowhere")], "nothing makes"),
        ([node("Relu", "x", f"v{n}") for n in range(5001)], "more than 5,000 operators"),
    ],
)
def test_graphs_that_are_none(nodes: list[onnx.NodeProto], words: str, tmp_path: Path) -> None:
    assert words in str(_refused(model(nodes, {}), tmp_path))


def test_operators_in_any_order(tmp_path: Path) -> None:
    found = imported(model([node("Relu", "a"), node("Tanh", "x", "a")], {}), tmp_path)
    assert [str(layer.neuron) for layer in found.spec.layers.values()] == ["tanh[1.0, 1.0]", "relu"]


def _built() -> onnx.ModelProto:
    forms = Forms.of(NET)
    return cast(onnx.ModelProto, onnx.ModelProto.FromString(forms.onnx(forms.weights(), "fast")))


def test_a_graph_that_was_changed_does_not_stand_for_its_spec(tmp_path: Path) -> None:
    """But it can be read itself."""
    proto = _built()
    proto.graph.node[0].attribute[0].ints[0] += 1
    assert "seal" in str(_refused(proto.SerializeToString(), tmp_path, OnnxOptions()))
    entries = [entry for entry in proto.metadata_props if entry.key != SEAL_KEY]
    del proto.metadata_props[:]
    proto.metadata_props.extend(entries)
    assert imported(proto.SerializeToString(), tmp_path, OnnxOptions()).spec.layers.keys() == {"conv1"}


def test_weights_that_are_not_its_specs(tmp_path: Path) -> None:
    proto = _built()
    for entry in proto.metadata_props:
        if entry.key == "netspec.spec":
            entry.value = entry.value.replace("filters: 2", "filters: 3")
    kept = [entry for entry in proto.metadata_props if entry.key != SEAL_KEY]
    del proto.metadata_props[:]
    proto.metadata_props.extend(kept)
    assert "'conv1.weight'" in str(_refused(proto.SerializeToString(), tmp_path, OnnxOptions()))
