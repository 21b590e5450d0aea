"""What the registry promises of a net, rule by rule: each check returns what is wrong in words, empty for nothing.

Sources: DESIGN.md 4; issue 2, "What must hold".
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any, get_args

import onnx
import torch
from torch.overrides import TorchFunctionMode
from torch.utils.flop_counter import FlopCounterMode

from netspec.backends.onnx.graph import BATCH as BATCH_NAME
from netspec.ir.lowering import LrnForm
from netspec.weights import tied_names
from tests.conformance.agreement import first_difference
from tests.conformance.forms import BATCH, Forms, doubled, run_onnx, run_torch

LRN_FORMS: tuple[LrnForm, ...] = get_args(LrnForm)


def problems(text: str) -> list[str]:
    """Everything that is wrong with the net of a layer file. Raises SpecError for an illegal one."""
    forms = Forms.of(text)
    return [f"{rule}: {problem}" for rule, check in RULES.items() for problem in check(forms)]


def torch_shape_problems(forms: Forms) -> list[str]:
    """`infer` against the generated module on the meta device."""
    with torch.device("meta"):
        module = forms.classes[0]().eval()
        found = module(torch.empty(BATCH, *forms.net.typed.input.shape.dims))
    wanted = {node.name: (BATCH, *node.shape.dims) for node in forms.net.typed.nodes}
    return [
        f"`{name}` is {tuple(found[name].shape)}, infer says {dims}"
        for name, dims in wanted.items()
        if tuple(found[name].shape) != dims
    ]


def onnx_shape_problems(forms: Forms) -> list[str]:
    """`infer` against ONNX's own inference, which sees neither our shapes nor our outputs'."""
    try:
        model = onnx.ModelProto.FromString(forms.onnx(forms.weights(), "native"))
        onnx.checker.check_model(model, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        return [f"onnx refuses the model: {error}"]
    del model.graph.value_info[:]
    for output in model.graph.output:
        output.type.tensor_type.ClearField("shape")
    graph = onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True).graph
    found = {value.name: _dims(value) for value in (*graph.value_info, *graph.output)}
    wanted = {node.name: (BATCH_NAME, *node.shape.dims) for node in forms.net.typed.nodes}
    return [
        f"`{name}` is {found.get(name)}, infer says {dims}" for name, dims in wanted.items() if found.get(name) != dims
    ]


def _dims(value: onnx.ValueInfoProto) -> tuple[str | int, ...]:
    dims = value.type.tensor_type.shape.dim
    return tuple(dim.dim_param or dim.dim_value for dim in dims)


def parameter_problems(forms: Forms) -> list[str]:
    """`parameters` against the module's state_dict: names in order, and shapes."""
    with torch.device("meta"):
        state = forms.classes[0]().state_dict()
    ignored = tied_names(forms.net.typed)
    found = [(name, tuple(value.shape)) for name, value in state.items() if not name.endswith("num_batches_tracked")]
    found = [(name, dims) for name, dims in found if name not in ignored]
    wanted = [(p.name, p.parameter.dims) for p in forms.net.typed.parameters]
    return [] if found == wanted else [f"the module has {found}, the layers say {wanted}"]


def mac_problems(forms: Forms) -> list[str]:
    """`macs` against half of what torch's counter counts for one image."""
    counter = FlopCounterMode(display=False)
    plain = _PlainProducts(counter)
    with torch.device("meta"), counter, plain:
        forms.classes[0]().eval()(torch.empty(1, *forms.net.typed.input.shape.dims))
    counted = counter.get_total_flops() / 2 + plain.macs
    return [] if counted == forms.net.typed.macs else [f"torch counts {counted}, not {forms.net.typed.macs}"]


class _PlainProducts(TorchFunctionMode):
    """Multiply-adds of einsums that sum over single numbers: torch's counter counts products of matrices only."""

    def __init__(self, counter: FlopCounterMode) -> None:
        super().__init__()
        self.counter, self.macs = counter, 0

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:  # Any: torch's own
        before = self.counter.get_total_flops()
        result = func(*args, **(kwargs or {}))
        if func is torch.einsum and self.counter.get_total_flops() == before:
            equation, *operands = args
            labels = "".join(equation.partition("->")[0].split(","))
            self.macs += prod(dict(zip(labels, (d for x in operands for d in x.shape), strict=True)).values())
        return result


def value_problems(forms: Forms) -> list[str]:
    """Every layer's numbers in onnxruntime, either form of LRN, against torch."""
    weights, batch = forms.weights(), forms.inputs()
    wanted = run_torch(forms.merged(weights), batch)
    exact = run_torch(forms.merged(doubled(weights)).double(), batch.astype("float64"))
    found = []
    for lrn in LRN_FORMS:
        values = run_onnx(forms.onnx(weights, lrn), forms.names, batch)
        if difference := first_difference(values, wanted, exact):
            found.append(f"lrn {lrn}: {difference}")
    return found


RULES: dict[str, Callable[[Forms], list[str]]] = {
    "torch shape": torch_shape_problems,
    "parameters": parameter_problems,
    "macs": mac_problems,
    "onnx shape": onnx_shape_problems,
    "values": value_problems,
}
