"""The view of one generated class: its lines, as finished strings. The template only lays them out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from netspec.ir.graph import FLOAT_BYTES, TypedGraph
from netspec.ir.lowering import TorchCode, TorchModule
from netspec.ir.placed import Compute, PlacedGraph, PlacedParameter, Slice, Step, Transfer, Value
from netspec.ir.shape import Shape

INTERPOLATION = "bilinear_"  # the helper that fills kernels


@dataclass(frozen=True)
class ClassView:
    """What the template prints of one class. ``logits`` is empty where the net does not end in one softmax.

    ``split``: it is the one on several devices, with or without weights. ``tied`` pairs each name of a weight that the
    merged module has twice with its owner's; ``ties`` are the same as statements in the split one.
    """

    name: str
    split: bool
    doc: str
    arguments: str
    init: tuple[str, ...]
    reset: tuple[str, ...]
    body: tuple[str, ...]
    ending: tuple[str, ...]
    logits: str
    logits_doc: str
    forward_doc: str
    result: str
    result_type: str
    rows: tuple[str, ...]
    ties: tuple[str, ...]
    tied: tuple[str, ...]
    helpers: tuple[str, ...]


def view_class(graph: PlacedGraph, name: str, trace: bool = False) -> ClassView:
    """The class for a placed graph. With ``trace`` its forward returns every layer's output by name instead."""
    split = len(graph.devices) > 1
    lowered = [(step, *lower(step)) for step in graph.steps]
    modules = [(step, code) for step, _, code in lowered if isinstance(step, Compute) and code and code.modules]
    reset = tuple(line for step, _ in modules for line in _reset(graph.typed, step))
    helpers = tuple(dict.fromkeys(helper for _, _, code in lowered if code for helper in code.helpers))
    helpers += (INTERPOLATION,) if any(line.startswith(INTERPOLATION) for line in reset) else ()
    moves = [f"{v.name} = {graph.typed.input.name}.to(self.gpu{v.device})" for v in graph.inputs] if split else []
    lines = [line for _, line, _ in lowered]
    cut = 0 if trace else _logits_cut(graph)
    result = _traced(graph) if trace else ", ".join(value.name for value in graph.outputs)
    shape = ", ".join(["N", *map(str, graph.typed.input.shape.dims)])
    tied = [(f"{n.name}.{p.path}", p.name) for n in graph.typed.nodes for p in n.parameters if p.tied]
    return ClassView(
        name=name,
        split=split,
        doc=_doc(graph, split),
        arguments="".join(f', gpu{d}="cuda:{d}"' for d in graph.devices) if split else "",
        init=(
            *_devices(graph, split),
            *(construct(step, code, split) for step, code in modules),
            *(line for step, _ in modules for line in share(step)),  # once all stand: an owner may come later
            *draw_from(code for _, _, code in lowered),
        ),
        reset=reset or ("return",),
        body=(*moves, *(lines[:-cut] if cut else lines)),
        ending=_ending(graph, lines[-cut:]) if cut else (),
        logits=_last(graph.steps[-cut - 1]) if cut else "",
        logits_doc=f"Images ({shape}) to what the softmax takes.",
        forward_doc=f"Images ({shape}) to {_outputs_doc(graph, trace)}.",
        result=result,
        result_type="dict[str, Tensor]" if trace else ("Tensor" if len(graph.outputs) == 1 else "tuple[Tensor, ...]"),
        rows=tuple(_rows(graph)) if split else (),
        ties=tuple(f'state["{name}"] = state["{owner}"]' for name, owner in tied) if split else (),
        tied=() if split else tuple(f'("{name}", "{owner}"),' for name, owner in tied),
        helpers=helpers,
    )


def lower(step: Step) -> tuple[str, TorchCode | None]:
    """The line of a step, and what its layer asked for."""
    target = step.output.name
    if isinstance(step, Compute):
        names = tuple(value.name for value in step.inputs)
        shapes = tuple(value.shape for value in step.inputs)
        code = TorchCode(step.module, names, shapes, step.output.shape, step.node, _first_unit(step.output))
        expression = step.layer.torch(code)
        if step.layer.neuron is not None:
            expression = step.layer.neuron.torch(code, expression)
        return f"{target} = {expression}  # {step.output.shape}", code
    if isinstance(step, Slice):
        stop = step.start + step.output.shape.channels
        return f"{target} = {step.input.name}[:, {step.start}:{stop}]", None
    if isinstance(step, Transfer):
        crossing = f"# {step.floats:,} floats an image cross to gpu {step.output.device}"
        return f"{target} = {step.input.name}.to(self.gpu{step.output.device})  {crossing}", None
    return f"{target} = torch.cat(({', '.join(v.name for v in step.inputs)}), dim=1)  # {step.output.shape}", None


def draw_from(codes: Iterable[TorchCode | None]) -> tuple[str, ...]:
    """The attribute that random numbers come from, where a layer needs any."""
    line = "self.draw = None  # torch's random numbers; or int32 [key, place of the first image]: the same anywhere"
    return (line,) if any(code and code.draws for code in codes) else ()


def _first_unit(value: Value) -> int:
    """The place in the whole layer of a value's first number."""
    return value.channels.start * value.shape.units // value.shape.channels


def _devices(graph: PlacedGraph, split: bool) -> list[str]:
    return [f"self.gpu{d} = torch.device(gpu{d})" for d in graph.devices] if split else []


def construct(step: Compute, code: TorchCode, split: bool) -> str:
    """The constructor line."""
    device = f"gpu{step.output.device}" if split else ""
    texts = [module.text(device) for module in code.modules]
    made = (
        texts[0] if _single(code.modules) and "." not in _first_path(step) else f"nn.ModuleList([{', '.join(texts)}])"
    )
    return f"self.{step.module} = {made}"


def share(step: Compute) -> list[str]:
    """A line for every weight that is another layer's."""
    return [f"{_attribute(step.module, p.path)} = {_owner(step, p)}" for p in step.parameters if p.tied]


def _single(modules: list[TorchModule]) -> bool:
    return len(modules) == 1


def _first_path(step: Compute) -> str:
    return step.parameters[0].path if step.parameters else ""


def _attribute(module: str, path: str) -> str:
    """``self.conv1[0].weight`` for path ``0.weight``."""
    first, _, rest = path.partition(".")
    return f"self.{module}[{first}].{rest}" if rest else f"self.{module}.{path}"


def _owner(step: Compute, parameter: PlacedParameter) -> str:
    layer, _, path = parameter.name.partition(".")
    module = layer if step.part is None else f"{layer}_{step.part}"
    return _attribute(module, path)


def _reset(typed: TypedGraph, step: Compute) -> list[str]:
    """A line of torch.nn.init for every parameter that is the layer's own."""
    lines = []
    for placed, owned in zip(step.parameters, typed.by_name[step.node].parameters, strict=True):
        if placed.tied or owned.parameter.role == "statistic":
            continue
        distribution, value = owned.parameter.distribution
        target = _attribute(step.module, placed.path)
        call = {
            "normal": f"normal_({target}, std={value!r})",
            "uniform": f"uniform_({target}, {-value!r}, {value!r})",
            "constant": f"constant_({target}, {value!r})",
            "bilinear": f"{INTERPOLATION}({target})",
        }[distribution]
        lines.append(call if distribution == "bilinear" else f"nn.init.{call}")
    return lines


def _logits_cut(graph: PlacedGraph) -> int:
    """How many steps at the end make probabilities of logits; 0 where the net does not end in one softmax."""
    last = graph.steps[-1]
    if len(graph.outputs) != 1 or not isinstance(last, Compute) or last.layer.type != "softmax":
        return 0
    return 1 if last.part is None and len(graph.steps) > 1 and last.inputs[0] == graph.steps[-2].output else 0


def _last(step: Step) -> str:
    return step.output.name


def _ending(graph: PlacedGraph, lines: list[str]) -> tuple[str, ...]:
    logits = _last(graph.steps[-2])
    return (f"{logits} = self.logits({graph.typed.input.name})", *lines)


def _traced(graph: PlacedGraph) -> str:
    """A dict of every layer's output; the parts of a split layer are joined on the CPU."""
    items = []
    for source, values in graph.parts:
        names = [f"{value.name}.cpu()" if len(graph.devices) > 1 else value.name for value in values]
        items.append(f'"{source}": ' + (names[0] if len(names) == 1 else f"torch.cat(({', '.join(names)}), dim=1)"))
    return "{" + ", ".join(items) + "}"


def _rows(graph: PlacedGraph) -> list[str]:
    """``("conv1.weight", "conv1_0.weight", 0, 48),`` for every part of every parameter."""
    own = ((step, p) for step in graph.computes for p in step.parameters if not p.tied)
    return [f'("{p.name}", "{step.module}.{p.path}", {p.rows.start}, {p.rows.stop}),' for step, p in own]


def _doc(graph: PlacedGraph, split: bool) -> str:
    if not split:
        return f"The net on one device: {graph.typed.parameter_count:,} parameters."
    floats = graph.cross_device_floats
    crossing = f"{floats:,} floats ({floats * FLOAT_BYTES:,} bytes) an image cross between them"
    return f"The net on {len(graph.devices)} devices; {crossing}, forward."


def _outputs_doc(graph: PlacedGraph, trace: bool) -> str:
    if trace:
        return "every layer's output by name"
    return ", ".join(f"{value.source} ({_sizes(value.shape)})" for value in graph.outputs)


def _sizes(shape: Shape) -> str:
    return ", ".join(["N", *map(str, shape.dims)])
