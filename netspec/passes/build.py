"""Build: a Spec to a Graph. It resolves names, refuses cycles and dead ends, and orders the layers.

1. every input names the net's input or a layer (NS301), and no layer has the input's name (NS317); 2. no layer reads
itself through others (NS303); 3. what nothing reads is an output: exactly one, or all of those that `outputs` names
(NS304).
"""

from __future__ import annotations

from collections.abc import Sequence

from netspec.diagnostics import Diagnostic, Findings, Label, did_you_mean
from netspec.diagnostics.grammar import listed
from netspec.ir.graph import Graph, Input, Node
from netspec.spec.model import Spec
from netspec.syntax.scalars import shorten

LONGEST_CYCLE = 7
_SHOWN = 4  # outputs


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
    known = dict.fromkeys((spec.input.name, *spec.layers))
    if spec.input.name in spec.layers:
        place = spec.spans.key("layers", spec.input.name)
        help = "rename the layer, or the input with `input: {name: ...}`"
        findings.add(Diagnostic("NS317", f"`{spec.input.name}` is the name of the net's input", place, help=help))
    for name, layer in spec.layers.items():
        for number, source in enumerate(layer.inputs):
            if source not in known:
                place = spec.spans.value("layers", name, "inputs", number)
                help = did_you_mean(source, (other for other in known if other != name), "there are")
                message = f"`{name}` reads `{shorten(source)}`, which is no layer"
                findings.add(Diagnostic("NS301", message, place, help=help))
    first: dict[str, int] = {}
    for number, output in enumerate(spec.outputs):
        if first.setdefault(output, number) != number:
            place = spec.spans.value("outputs", number)
            others = (Label(spec.spans.value("outputs", first[output]), "first here"),)
            message = f"the output `{shorten(output)}` is named twice"
            findings.add(Diagnostic("NS318", message, place, help="name each output once", others=others))
        elif output not in spec.layers:
            place = spec.spans.value("outputs", number)
            help = did_you_mean(output, spec.layers, "there are")
            findings.add(Diagnostic("NS301", f"the output `{shorten(output)}` is no layer", place, help=help))


def _order(spec: Spec, findings: Findings) -> list[str]:
    """The order of the file as far as inputs allow (depth first, without recursion). Each cycle is reported once."""
    done: dict[str, None] = {}
    for start in (name for name in spec.layers if name not in done):
        path = {start: iter(spec.layers[start].inputs)}
        while path:
            name, inputs = next(reversed(path.items()))
            source = next((s for s in inputs if s in spec.layers and s not in done), None)
            if source is None:
                del path[name]
                done[name] = None
            elif source in path:
                names = list(path)
                _report_cycle(spec, names[names.index(source) :], findings)
            else:
                path[source] = iter(spec.layers[source].inputs)
    return list(done)


def _report_cycle(spec: Spec, cycle: list[str], findings: Findings) -> None:
    """``cycle``: each reads the next, the last the first. It is told from the one that stands first in the file."""
    place = {name: number for number, name in enumerate(spec.layers)}
    turn = cycle.index(min(cycle, key=place.__getitem__))
    around = [*cycle[turn:], *cycle[:turn], cycle[turn]]
    name, source = around[:2]
    shown = around if len(around) <= LONGEST_CYCLE else [*around[: LONGEST_CYCLE - 2], "…", *around[-2:]]
    message = f"`{name}` reads itself"
    if len(cycle) > 1:
        message += ": " + " reads ".join(f"`{n}`" for n in shown)
    number = spec.layers[name].inputs.index(source)
    help = "a net is computed from the input on; remove one of these inputs"
    findings.add(Diagnostic("NS303", message, spec.spans.value("layers", name, "inputs", number), help=help))


def _outputs(spec: Spec, findings: Findings) -> tuple[str, ...]:
    read = {source for layer in spec.layers.values() for source in layer.inputs}
    ends = tuple(name for name in spec.layers if name not in read)
    if not spec.outputs and len(ends) == 1:
        return ends
    spans = spec.spans
    if not spec.outputs:
        others = tuple(Label(spans.key("layers", end), "nothing reads this either") for end in ends[1:4])
        names = listed([f"`{end}`" for end in ends], joint="nor")
        message = f"nothing reads {names}, so the net has no single output"
        help = f"let a layer read it, remove it, or name the outputs: {_all(ends)}"
        findings.add(Diagnostic("NS304", message, spans.key("layers", ends[0]), help=help, others=others))
        return ()
    unnamed = [end for end in ends if end not in spec.outputs]
    whole = (*spec.outputs, *unnamed)
    added = f"add it: {_all(whole)}" if len(whole) <= _SHOWN else "add it to `outputs`"
    help = f"remove it, let a layer read it, or {added}"
    for name in unnamed:
        message = f"nothing reads `{name}`, and it is not among `outputs`"
        findings.add(Diagnostic("NS304", message, spans.key("layers", name), help=help))
    return spec.outputs


def _all(outputs: Sequence[str]) -> str:
    """The key that names them, as far as that is short."""
    return f"`outputs: [{', '.join(outputs[:_SHOWN])}{', ...' * (len(outputs) > _SHOWN)}]`"
