"""The ONNX graph of a placed graph, or of one device's steps in it, without the weights."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import onnx
from onnx import TensorProto, helper

from netspec import __version__
from netspec.ir.lowering import LrnForm, OnnxCode, OnnxConstant, OnnxOp
from netspec.ir.placed import Compute, Join, PlacedGraph, PlacedParameter, Slice, Transfer, Value
from netspec.ir.shape import Range

OPSET = 18
IR_VERSION = 10
BATCH = "N"


@dataclass(frozen=True)
class Tensor:
    """A weight that the file holds: rows of a parameter of the net."""

    name: str
    source: str
    rows: Range
    dims: tuple[int, ...]


@dataclass(frozen=True)
class OnnxGraph:
    """A model without weights, and the weights that it wants, in the order of the file."""

    model: onnx.ModelProto
    tensors: tuple[Tensor, ...]


def onnx_graph(
    graph: PlacedGraph,
    lrn: LrnForm,
    inputs: Iterable[Value],
    outputs: Iterable[Value],
    device: int | None = None,
    about: str = "",
) -> OnnxGraph:
    """The steps of ``device`` (None: all) from ``inputs`` to ``outputs``."""
    nodes: list[onnx.NodeProto] = []
    constants: list[onnx.TensorProto] = []
    values: list[onnx.ValueInfoProto] = []
    tensors: dict[str, Tensor] = {}
    ends = tuple(outputs)
    for step in graph.steps:
        if (device is not None and step.output.device != device) or isinstance(step, Transfer):
            continue
        ops, more = _lower(step, lrn)
        nodes += [_node(op) for op in ops]
        constants += [_constant(c) for c in more]
        if step.output not in ends:
            values.append(_value_info(step.output))
        if isinstance(step, Compute):
            tensors.update({t.name: t for t in _tensors(step) if t.name not in tensors})
    body = helper.make_graph(
        nodes,
        graph.typed.name,
        [_value_info(v) for v in inputs],
        [_value_info(v) for v in ends],
        initializer=constants,
        value_info=values,
        doc_string=about,
    )
    opset = helper.make_opsetid("", OPSET)
    model = helper.make_model(body, ir_version=IR_VERSION, opset_imports=[opset], producer_name="netspec")
    model.producer_version = __version__
    return OnnxGraph(model, tuple(tensors.values()))


def _lower(step: Compute | Slice | Join, lrn: LrnForm) -> tuple[list[OnnxOp], list[OnnxConstant]]:
    inputs = (step.input,) if isinstance(step, Slice) else step.inputs
    names, shapes = tuple(v.name for v in inputs), tuple(v.shape for v in inputs)
    code = OnnxCode(step.output.name, names, shapes, step.output.shape, _parameters(step), lrn)
    result = _emit(step, code)
    if not code.ops or code.ops[-1].output != result:
        result = code.op("Identity", result)
    last = code.ops[-1]
    return [*code.ops[:-1], OnnxOp(last.type, last.inputs, step.output.name, last.attributes)], code.constants


def _parameters(step: Compute | Slice | Join) -> dict[str, str]:
    """Initializer names by path in the layer."""
    if isinstance(step, Compute):
        return {p.path: _tensor_name(step, p) for p in step.parameters}
    return {}


def _emit(step: Compute | Slice | Join, code: OnnxCode) -> str:
    if isinstance(step, Compute):
        result = step.layer.onnx(code)
        return step.layer.neuron.onnx(code, result) if step.layer.neuron else result
    if isinstance(step, Join):
        return code.op("Concat", *code.inputs, axis=1)
    starts = code.indices("start", (step.start,))
    ends = code.indices("end", (step.start + step.output.shape.channels,))
    return code.op("Slice", code.inputs[0], starts, ends, code.indices("axis", (1,)))


def _tensor_name(step: Compute, parameter: PlacedParameter) -> str:
    """``conv1.weight``, or ``conv1_0.weight`` for a part; a tied one has its owner's."""
    layer, _, path = parameter.name.partition(".")
    return parameter.name if step.part is None else f"{layer}_{step.part}.{path}"


def _tensors(step: Compute) -> list[Tensor]:
    return [Tensor(_tensor_name(step, p), p.name, p.rows, p.dims) for p in step.parameters]


def _node(op: OnnxOp) -> onnx.NodeProto:
    node = helper.make_node(op.type, op.inputs, [op.output], name=op.output)
    node.attribute.extend(helper.make_attribute(name, value) for name, value in op.attributes)
    return node


def _constant(constant: OnnxConstant) -> onnx.TensorProto:
    import numpy as np

    kind, dtype = (TensorProto.INT64, np.int64) if constant.integer else (TensorProto.FLOAT, np.float32)
    raw = np.asarray(constant.values, dtype=dtype).tobytes()
    return helper.make_tensor(constant.name, kind, constant.dims, raw, raw=True)


def _value_info(value: Value) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(value.name, TensorProto.FLOAT, [BATCH, *value.shape.dims])


def check_graph(graph: OnnxGraph) -> None:
    """ONNX's own checker and strict shape inference, on the model with its weights as inputs.

    Raises onnx.checker.ValidationError or onnx.shape_inference.InferenceError: a bug of netspec, not of the spec.
    """
    model = onnx.ModelProto()
    model.CopyFrom(graph.model)
    weights = [helper.make_tensor_value_info(t.name, TensorProto.FLOAT, t.dims) for t in graph.tensors]
    model.graph.input.extend(weights)
    onnx.checker.check_model(model, full_check=True)
