"""The walk over an ONNX file: it knows every path to a tensor, and refuses what could do harm."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import onnx
import pytest
from onnx import AttributeProto, TensorProto, helper

from netspec_runtime import layout
from netspec_runtime.layout import MAX_DEPTH, NESTED, read_layout
from netspec_runtime.wire import WireError, bytes_field, number_field
from tests.runtime.models import SmallNet, model

MESSAGES = {
    "ModelProto": "model",
    "TrainingInfoProto": "training",
    "FunctionProto": "function",
    "GraphProto": "graph",
    "NodeProto": "node",
    "AttributeProto": "attribute",
    "SparseTensorProto": "sparse",
    "TensorProto": "tensor",
}


class Field(Protocol):
    message_type: Message | None


class Message(Protocol):
    """The part of protobuf's Descriptor that is used here."""

    name: str
    fields: list[Field]


def leads_to_tensor(message: Message, seen: frozenset[str] = frozenset()) -> bool:
    if message.name == "TensorProto":
        return True
    if message.name in seen:
        return False
    inner = [field.message_type for field in message.fields if field.message_type is not None]
    return any(leads_to_tensor(child, seen | {message.name}) for child in inner)


@pytest.mark.parametrize("name", [name for name in MESSAGES if name != "TensorProto"])
def test_every_path_to_a_tensor_is_known(name: str) -> None:
    expected = {
        field.number: MESSAGES[field.message_type.name]
        for field in getattr(onnx, name).DESCRIPTOR.fields
        if field.message_type is not None and leads_to_tensor(field.message_type)
    }
    assert NESTED[MESSAGES[name]] == expected


def test_weights_lie_where_onnx_says() -> None:
    net = SmallNet()
    data = net.plain_bytes()
    found = {
        tensor.name: np.frombuffer(data[tensor.raw.body : tensor.raw.end], np.float32).reshape(tensor.dims)
        for tensor in read_layout(data).initializers.values()
        if tensor.raw is not None
    }
    assert {name: value.tolist() for name, value in found.items()} == {
        name: value.tolist() for name, value in net.weights().items()
    }


def test_metadata_lies_where_onnx_says() -> None:
    data = SmallNet().plain_bytes()
    found = {key: data[field.body : field.end].decode() for key, field in read_layout(data).metadata.items()}
    assert found == SmallNet().metadata


def test_unpacked_and_packed_dims_are_the_same() -> None:
    for dims in (number_field(1, 300) + number_field(1, 2), bytes_field(1, b"\xac\x02\x02")):
        tensor = dims + number_field(2, TensorProto.UINT8) + bytes_field(9, bytes(600))
        (found,) = read_layout(bytes_field(7, bytes_field(5, tensor))).initializers.values()
        assert found.dims == (300, 2)


def external(name: str = "w") -> TensorProto:
    tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=[4], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="../../etc/passwd")
    return tensor


def outside_tensors() -> dict[str, onnx.ModelProto]:
    """A tensor in another file, at every kind of place where a model can have one."""
    constant = helper.make_node("Constant", [], ["c"], value=external())
    inner = helper.make_graph([constant], "inner", [], [helper.make_tensor_value_info("c", TensorProto.FLOAT, [4])])
    branch = helper.make_node("If", ["x"], ["y"], then_branch=inner, else_branch=inner)
    listed = onnx.NodeProto(op_type="Listed")
    listed.attribute.add(name="ts", type=AttributeProto.TENSORS).tensors.append(external())
    graphs = onnx.NodeProto(op_type="Graphs")
    graphs.attribute.add(name="gs", type=AttributeProto.GRAPHS).graphs.append(inner)
    sparse = onnx.SparseTensorProto(values=external(), dims=[9])
    sparse_node = onnx.NodeProto(op_type="Sparse")
    sparse_node.attribute.add(name="s", type=AttributeProto.SPARSE_TENSOR).sparse_tensor.CopyFrom(sparse)
    with_function = model(onnx.GraphProto(), {})
    with_function.functions.add(name="f", domain="d").node.append(constant)
    with_training = model(onnx.GraphProto(), {})
    with_training.training_info.add().algorithm.initializer.append(external())
    only_place = external()
    only_place.ClearField("data_location")
    only_flag = external()
    only_flag.ClearField("external_data")
    return {
        "initializer": model(onnx.GraphProto(initializer=[external()]), {}),
        "without data_location": model(onnx.GraphProto(initializer=[only_place]), {}),
        "without external_data": model(onnx.GraphProto(initializer=[only_flag]), {}),
        "sparse initializer": model(onnx.GraphProto(sparse_initializer=[sparse]), {}),
        "constant": model(onnx.GraphProto(node=[constant]), {}),
        "branch": model(onnx.GraphProto(node=[branch]), {}),
        "tensors": model(onnx.GraphProto(node=[listed]), {}),
        "graphs": model(onnx.GraphProto(node=[graphs]), {}),
        "sparse attribute": model(onnx.GraphProto(node=[sparse_node]), {}),
        "function": with_function,
        "training": with_training,
    }


@pytest.mark.parametrize("place", outside_tensors())
def test_a_tensor_in_another_file_is_refused_everywhere(place: str) -> None:
    with pytest.raises(WireError, match="in another file"):
        read_layout(outside_tensors()[place].SerializeToString())


def wrong_sizes() -> dict[str, TensorProto]:
    def tensor(dims: list[int], size: int) -> TensorProto:
        return TensorProto(name="w", data_type=TensorProto.FLOAT, dims=dims, raw_data=bytes(size))

    return {
        "too short": tensor([3, 4], 44),
        "too long": tensor([3, 4], 52),
        "scalar": tensor([], 8),
        "overflow to zero": tensor([1 << 32, 1 << 32], 0),
        "overflow to 16": tensor([(1 << 62) + 4], 16),
        "huge": tensor([10**12], 4000),
        "negative": tensor([-1, -4], 16),
        "many dimensions": tensor([1] * 40, 4),
    }


@pytest.mark.parametrize("case", wrong_sizes())
def test_numbers_must_fill_the_shape(case: str) -> None:
    with pytest.raises(WireError, match=r"tensor|dimension"):
        read_layout(model(onnx.GraphProto(initializer=[wrong_sizes()[case]]), {}).SerializeToString())


def test_deep_nesting_is_refused() -> None:
    graph = b""
    for _ in range(3 * MAX_DEPTH):
        attribute = bytes_field(6, graph)
        graph = bytes_field(1, bytes_field(5, attribute))
    with pytest.raises(WireError, match="nested too deep"):
        read_layout(bytes_field(7, graph))


def test_more_fields_than_any_net_has_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "MAX_FIELDS", 1000)
    with pytest.raises(WireError, match="more than 1000 fields"):
        read_layout(bytes_field(7, number_field(1000, 1) * 1000))


@pytest.mark.parametrize("count", [0, 2])
def test_one_graph(count: int) -> None:
    with pytest.raises(WireError, match=f"{count} graphs"):
        read_layout(bytes_field(7, b"") * count)


def test_metadata_may_not_contradict_itself() -> None:
    entry = bytes_field(14, bytes_field(1, b"netspec.labels") + bytes_field(2, b"[]"))
    with pytest.raises(WireError, match=r"netspec\.labels' twice"):
        read_layout(bytes_field(7, b"") + entry * 2)


def test_two_raw_data_are_refused() -> None:
    tensor = number_field(1, 1) + number_field(2, TensorProto.FLOAT) + bytes_field(9, bytes(4)) * 2
    with pytest.raises(WireError, match="no single raw_data"):
        read_layout(bytes_field(7, bytes_field(5, tensor)))
