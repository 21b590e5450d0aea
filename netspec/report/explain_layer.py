"""One layer of a net: what it reads, why its shape is so, what it costs, what it becomes. It decides nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from netspec.diagnostics.text import printable
from netspec.ir.graph import FLOAT_BYTES, OwnedParameter, TypedNode
from netspec.ir.lowering import LrnForm, OnnxCode, OnnxOp, TorchCode
from netspec.ir.neuron import KINDS
from netspec.ir.placed import Compute, Value
from netspec.ir.shape import Maps, Shape, Vector
from netspec.pipeline import Compiled
from netspec.report.flow import Origin, crossings, origins
from netspec.report.units import size

_LABEL = 12


@dataclass(frozen=True)
class _Part:
    """A heading and what stands beside it."""

    label: str
    lines: tuple[str, ...]


def explain_layer(compiled: Compiled, name: str, lrn: LrnForm = "fast") -> str:
    """Plain text; lines end with a newline. ``lrn`` is the ONNX form of rnorm. Raises KeyError for no such layer."""
    node = compiled.typed.by_name[name]
    place = compiled.spec.spans.key("layers", name)
    parts = [
        _Part("written", (printable(place.source.line(place.line).strip()), printable(place.where))),
        _Part("reads", tuple(_reads(compiled, node))),
        _Part("output", tuple(_output(compiled, node))),
        _Part("because", tuple(_because(compiled, name))),
        _Part("parameters", tuple(_parameters(compiled, node))),
        _Part("MACs", tuple(_macs(node))),
        _Part("neuron", tuple(_neuron(node))),
        _Part("effective", tuple(f"{what}: {value}" for what, value in node.layer.effective(node.input_shapes))),
        _Part("PyTorch", tuple(_torch(node))),
        _Part("ONNX", tuple(_onnx(node, lrn))),
        _Part("crosses", tuple(_crosses(compiled, name))),
        _Part("read by", tuple(_readers(compiled, name))),
    ]
    title = f"{name}: a `{node.layer.type}` layer of {compiled.spec.name}"
    return "\n".join([title, *(line for part in parts for line in _labelled(part))]) + "\n"


def _labelled(part: _Part) -> list[str]:
    labels = [part.label, *[""] * (len(part.lines) - 1)]
    return [f"  {label:<{_LABEL}}{line}".rstrip() for label, line in zip(labels, part.lines, strict=False)]


def _reads(compiled: Compiled, node: TypedNode) -> Iterator[str]:
    """The inputs; on several devices, what each device reads of them and from where."""
    for source, shape in zip(node.layer.inputs, node.input_shapes, strict=True):
        yield f"{source}, {_shape(shape)}"
    if len(compiled.placed.devices) == 1:
        return
    found = origins(compiled.placed)
    for step in compiled.placed.computes:
        if step.node == node.name:
            yield from (f"gpu {step.output.device}: {_piece(value, found[value.name])}" for value in step.inputs)


def _piece(value: Value, parts: tuple[Origin, ...]) -> str:
    """``channels 0:256 of pool2: 128x13x13 of its own, 128x13x13 from gpu 1``."""
    what = f"channels {value.channels} of {value.source}"
    return f"{what}: {', '.join(_origin(value, part) for part in parts)}"


def _origin(value: Value, part: Origin) -> str:
    copy = part.transfer
    if copy is None:
        own = part.value.channels.overlap(value.channels) or value.channels
        return f"{part.value.shape.with_channels(own.size)} of its own"
    return f"{copy.output.shape} from gpu {copy.input.device}"


def _output(compiled: Compiled, node: TypedNode) -> Iterator[str]:
    yield f"{_shape(node.shape)}, {size(node.activation_bytes)} an image"
    parts = compiled.placed.parts_of(node.name)
    if len(compiled.placed.devices) > 1:
        yield ", ".join(f"{part.shape} on gpu {part.device}" for part in parts)


def _shape(shape: Shape) -> str:
    return f"{shape} ({shape.units:,} units)" if isinstance(shape, Maps) else f"{shape.units:,} units"


def _because(compiled: Compiled, name: str) -> Iterator[str]:
    """Each layer on the way from the input that changes the size, nearest first."""
    typed = compiled.typed
    first = True
    while name in typed.by_name:
        node = typed.by_name[name]
        reason = node.layer.reason(node.input_shapes)
        if reason:
            yield f"{name} is {node.shape}: {reason}"
        elif first or isinstance(node.shape, Vector) != isinstance(node.input_shapes[0], Vector):
            yield f"{name} is {node.shape}: {_plain_reason(node)}"
        first = False
        name = node.layer.inputs[0]
    yield f"{typed.input.name} is {typed.input.shape}: the net's input"


def _plain_reason(node: TypedNode) -> str:
    """Where there is no arithmetic: the key that says it, or the input's own shape."""
    outputs = getattr(node.layer, "outputs", None)
    if outputs is not None:
        units = sum(shape.units for shape in node.input_shapes)
        return f"`outputs: {outputs}`, each reads all {units:,} units of its input"
    if node.shape == node.input_shapes[0]:
        return f"as `{node.layer.inputs[0]}`"
    return f"from {' and '.join(str(shape) for shape in node.input_shapes)}"


def _parameters(compiled: Compiled, node: TypedNode) -> Iterator[str]:
    for owned in node.parameters:
        yield _parameter(owned)
    if not node.parameter_count:
        if not node.parameters:
            yield "none"
        return
    total = f"{node.parameter_count:,} learned, {size(node.parameter_count * FLOAT_BYTES)}"
    held = [(c.output.device, c.learned_count) for c in _computes(compiled, node.name)]
    if len(held) > 1:
        total += ": " + ", ".join(f"{count:,} on gpu {device}" for device, count in held)
    yield total


def _parameter(owned: OwnedParameter) -> str:
    parameter = owned.parameter
    dims = " x ".join(map(str, parameter.dims))
    count = f" = {parameter.count:,}" if len(parameter.dims) > 1 else ""
    if owned.tied:
        return f"{owned.path}: {dims}{count}, shared: the numbers of {owned.name}"
    kind, value = parameter.distribution
    start = {
        "normal": f"normal, standard deviation {value:g}",
        "uniform": f"uniform from {-value:g} to {value:g}",
        "constant": f"all {value:g}",
        "bilinear": "as bilinear interpolation",
    }[kind]
    written = f" (`{parameter.init.kind}`)" if parameter.init.kind in ("he", "xavier") else ""
    kept = ", kept, not learned" if parameter.role == "statistic" else ""
    return f"{owned.name}: {dims}{count}, starts {start}{written}{kept}"


def _macs(node: TypedNode) -> Iterator[str]:
    """Outputs times the inputs that each one weighs, where that is all there is to it."""
    if not node.macs:
        return
    weights = [owned.parameter for owned in node.parameters if owned.parameter.role == "weight"]
    if node.shape.units * sum(weight.fan_in for weight in weights) != node.macs:
        yield f"{node.macs:,}"
        return
    each = " + ".join(f"{weight.fan_in:,}" for weight in weights)
    each = f"({each})" if len(weights) > 1 else each
    outputs = " x ".join(map(str, node.shape.dims))
    yield f"{outputs} outputs x {each} inputs of each = {node.macs:,} multiply-adds an image"


def _neuron(node: TypedNode) -> Iterator[str]:
    if node.layer.neuron is not None:
        kind = node.layer.neuron
        letters = ", ".join(f"{n} = {v:g}" for n, v in zip("abc", kind.arguments, strict=False))
        yield f"{kind}: {KINDS[kind.kind].formula}" + (f", {letters}" if letters else "")


def _torch(node: TypedNode) -> Iterator[str]:
    """The lines of the generated module on one device."""
    code = TorchCode(node.name, node.layer.inputs, node.input_shapes, node.shape, node.name)
    expression = node.layer.torch(code)
    if node.layer.neuron is not None:
        expression = node.layer.neuron.torch(code, expression)
    yield from (f"self.{node.name} = {module.text()}" for module in code.modules[:1] if len(code.modules) == 1)
    if len(code.modules) > 1:
        yield f"self.{node.name} = nn.ModuleList([{', '.join(module.text() for module in code.modules)}])"
    yield f"{node.name} = {expression}"


def _onnx(node: TypedNode, lrn: LrnForm) -> Iterator[str]:
    """The operators of the merged file."""
    names = {owned.path: owned.name for owned in node.parameters}
    code = OnnxCode(node.name, node.layer.inputs, node.input_shapes, node.shape, names, lrn)
    result = node.layer.onnx(code)
    if node.layer.neuron is not None:
        result = node.layer.neuron.onnx(code, result)
    if not code.ops or code.ops[-1].output != result:
        result = code.op("Identity", result)
    for op in code.ops:
        yield _operator(op, node.name if op.output == result else op.output)


def _operator(op: OnnxOp, output: str) -> str:
    options = "".join(f", {name}={_attribute(value)}" for name, value in op.attributes)
    return f"{output} = {op.type}({', '.join(op.inputs)}{options})"


def _attribute(value: object) -> str:
    return str(list(value)) if isinstance(value, tuple) else str(value)


def _crosses(compiled: Compiled, name: str) -> Iterator[str]:
    """Copies that the layer causes, and copies of its own output."""
    for crossing in crossings(compiled.placed):
        if name not in (crossing.source, *crossing.readers):
            continue
        way = f"{crossing.source}, gpu {crossing.start} to gpu {crossing.end}"
        readers = ", ".join(crossing.readers) or "the output"
        volume = f"{crossing.floats:,} floats, {size(crossing.forward_bytes)} an image, forward and again backward"
        yield f"{way} for {readers}: {volume}"


def _readers(compiled: Compiled, name: str) -> Iterator[str]:
    readers = [node.name for node in compiled.typed.nodes if name in node.layer.inputs]
    if name in compiled.typed.outputs:
        readers.append("nothing: it is the net's output" if not readers else "the net's output")
    yield ", ".join(readers)


def _computes(compiled: Compiled, name: str) -> Iterator[Compute]:
    return (step for step in compiled.placed.computes if step.node == name)
