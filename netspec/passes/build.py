"""Build: a Spec to a Graph. It resolves names, refuses cycles and dead ends, and orders the layers.

1. every input names the net's input or a layer (NS301); 2. no layer reads itself through others (NS303); 3. what
nothing reads is an output: exactly one, or all of those that `outputs` names (NS304).
"""

from __future__ import annotations

from netspec.diagnostics import Diagnostic, Findings, did_you_mean
from netspec.ir.graph import Graph, Input, Node
from netspec.spec.model import Spec


def build(spec: Spec) -> Graph:
    """Raises SpecError with every wiring error."""
    findings = Findings()
    _check_names(spec, findings)
    findings.stop_on_errors()
    order = _order(spec, findings)
    findings.stop_on_errors()
    outputs = _outputs(spec, findings)
    findings.stop_on_errors()
    nodes = tuple(Node(name, spec.layers[name]) for name in order)
    return Graph(spec.name, Input(spec.input.name, spec.input.shape), nodes, outputs)


def _check_names(spec: Spec, findings: Findings) -> None:
    known = (spec.input.name, *spec.layers)
    if spec.input.name in spec.layers:
        place = spec.spans.key("layers", spec.input.name)
        help = "rename the layer, or the input with `input: {name: ...}`"
        findings.add(Diagnostic("NS305", f"`{spec.input.name}` is the name of the net's input", place, help=help))
    for name, layer in spec.layers.items():
        for number, source in enumerate(layer.inputs):
            if source not in known:
                place = spec.spans.value("layers", name, "inputs", number)
                help = did_you_mean(source, known)
                findings.add(Diagnostic("NS301", f"`{name}` reads `{source}`, which is no layer", place, help=help))
    for number, output in enumerate(spec.outputs):
        if output not in spec.layers:
            place = spec.spans.value("outputs", number)
            help = did_you_mean(output, spec.layers)
            findings.add(Diagnostic("NS301", f"the output `{output}` is no layer", place, help=help))


def _order(spec: Spec, findings: Findings) -> list[str]:
    """The order of the file as far as inputs allow (depth first, without recursion)."""
    done: dict[str, None] = {}
    for start in spec.layers:
        path = [start]
        while path:
            name = path[-1]
            waiting = [s for s in spec.layers[name].inputs if s in spec.layers and s not in done]
            if not waiting:
                done[path.pop()] = None
            elif waiting[0] in path:
                _report_cycle(spec, path[path.index(waiting[0]) :], findings)
                return []
            else:
                path.append(waiting[0])
    return list(done)


def _report_cycle(spec: Spec, cycle: list[str], findings: Findings) -> None:
    first = min(cycle, key=list(spec.layers).index)
    turned = cycle[cycle.index(first) :] + cycle[: cycle.index(first)] + [first]
    way = " reads ".join(f"`{name}`" for name in turned)
    place = spec.spans.value("layers", first, "inputs")
    help = "a net is computed from the input on; remove one of these inputs"
    findings.add(Diagnostic("NS303", f"`{first}` reads itself: {way}", place, help=help))


def _outputs(spec: Spec, findings: Findings) -> tuple[str, ...]:
    read = {source for layer in spec.layers.values() for source in layer.inputs}
    ends = tuple(name for name in spec.layers if name not in read)
    if not spec.outputs and len(ends) == 1:
        return ends
    for name in ends:
        if name not in spec.outputs:
            place = spec.spans.key("layers", name)
            others = [f"`{end}`" for end in ends if end != name]
            message = f"nothing reads `{name}`" + (f" (nor {', '.join(others[:4])})" if not spec.outputs else "")
            help = f"let a layer read it, remove it, or name the net's outputs: `outputs: [{', '.join(ends[:4])}]`"
            findings.add(Diagnostic("NS304", message, place, help=help))
    return spec.outputs
