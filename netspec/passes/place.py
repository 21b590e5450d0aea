"""Place: a TypedGraph to a PlacedGraph. Every layer gets devices, every edge between devices becomes explicit steps.

1. a layer without `gpu` is where its first input is; the input is everywhere; 2. a list of devices splits the output
channels evenly, in order; 3. what a part reads is gathered: sliced where it lies, sent once to each device that needs
it, joined there. What may be read is the layer's rule alone, so placement never changes the numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from netspec.diagnostics import Diagnostic, Findings, Label, SpecError
from netspec.diagnostics.grammar import listed
from netspec.ir.graph import OwnedParameter, TypedGraph, TypedNode
from netspec.ir.layer import Illegal, Layer
from netspec.ir.placed import Compute, Join, PlacedGraph, PlacedParameter, Slice, Step, Transfer, Value
from netspec.ir.shape import Range, Shape, even_parts
from netspec.spec.model import Spec

MAX_STEPS = 10_000


def place(typed: TypedGraph, spec: Spec) -> PlacedGraph:
    """The graph on the devices that the spec names. Raises SpecError with every placement error."""
    findings = Findings()
    placement: dict[str, tuple[int, ...]] = {}
    for node in typed.nodes:
        placement[node.name] = node.layer.gpu or placement.get(node.layer.inputs[0], (0,))
    _check_reads(typed, placement, spec)
    for node in typed.nodes:
        _check_split(node, placement[node.name], spec, findings)
    _check_ties(typed, placement, spec, findings)
    _check_part_names(typed, placement, spec, findings)
    findings.stop_on_errors()
    try:
        placed = place_at(typed, placement)
    except _TooManySteps as error:
        raise _too_many_steps(error.layer, spec) from None
    _check_unread(placed, spec, findings)
    findings.stop_on_errors()
    return placed


def place_at(typed: TypedGraph, placement: dict[str, tuple[int, ...]]) -> PlacedGraph:
    """The graph with each layer on these devices, whatever its `gpu` says. Raises Illegal where one cannot be split."""
    return _Placement(typed, placement).run()


class _TooManySteps(Exception):  # noqa: N818 - a bound, not a fault
    def __init__(self, layer: str) -> None:
        super().__init__(layer)
        self.layer = layer


def _too_many_steps(layer: str, spec: Spec) -> SpecError:
    message = f"`{layer}` brings the net to over {MAX_STEPS:,} steps: each device reads from each"
    return SpecError([Diagnostic("NS406", message, spec.spans.value("layers", layer, "gpu"), help="use fewer devices")])


def _check_reads(typed: TypedGraph, placement: dict[str, tuple[int, ...]], spec: Spec) -> None:
    """Each part of a layer reads each input at least once: too many of these need no counting of steps."""
    reads = 0
    for node in typed.nodes:
        devices = len(placement[node.name])
        reads += devices * len(node.layer.inputs) if devices > 1 else 0
        if reads > MAX_STEPS:
            raise _too_many_steps(node.name, spec)


def merge(typed: TypedGraph) -> PlacedGraph:
    """The graph on one device: one Compute a layer."""
    return _Placement(typed, {node.name: (0,) for node in typed.nodes}).run()


def _check_split(node: TypedNode, devices: tuple[int, ...], spec: Spec, findings: Findings) -> None:
    where = spec.spans.value("layers", node.name, "gpu")
    first = f"`{node.name}` is where its first input `{node.layer.inputs[0]}` is: {_devices(devices)}"
    notes = () if node.layer.gpu else (first,)
    if node.shape.channels % len(devices):
        message = f"{node.shape.channels} channels of `{node.name}` do not split evenly over {len(devices)} devices"
        help = f"a number of channels that {len(devices)} divides, or other devices: `gpu: {devices[0]}`"
        findings.add(Diagnostic("NS401", message, where, notes=notes, help=help))
        return
    try:
        for part in even_parts(node.shape.channels, len(devices)):
            node.layer.shard(node.input_shapes, part)
    except Illegal as error:
        findings.add(Diagnostic(error.code, f"`{node.name}`: {error.message}", where, notes=notes, help=error.help))


def _check_ties(typed: TypedGraph, placement: dict[str, tuple[int, ...]], spec: Spec, findings: Findings) -> None:
    for node in typed.nodes:
        for parameter in node.parameters:
            owner = parameter.name.partition(".")[0]
            if parameter.tied and placement[owner] != placement[node.name]:
                message = f"`{node.name}` shares the weights of `{owner}`, which is on {_devices(placement[owner])}"
                gpu = placement[owner][0] if len(placement[owner]) == 1 else list(placement[owner])
                help = f"put both on the same devices: `gpu: {gpu}`"
                where = spec.spans.value("layers", node.name, "gpu")
                others = (Label(spec.spans.key("layers", owner), "its weights"),)
                findings.add(Diagnostic("NS404", message, where, help=help, others=others))


def _check_part_names(typed: TypedGraph, placement: dict[str, tuple[int, ...]], spec: Spec, findings: Findings) -> None:
    """The generated module calls the parts of a split `conv1` `conv1_0`, `conv1_1`: no layer may be called that too."""
    for name, devices in placement.items():
        for number, device in enumerate(devices if len(devices) > 1 else ()):
            part = f"{name}_{number}"
            if part in placement or part == typed.input.name:
                where = spec.spans.key("layers", part) if part in placement else spec.spans.value("input", "name")
                others = (Label(spec.spans.key("layers", name), "this is split"),)
                message = f"`{part}` is already the name of the part of `{name}` on gpu {device}"
                findings.add(Diagnostic("NS405", message, where, help="rename one of the two", others=others))


def _check_unread(graph: PlacedGraph, spec: Spec, findings: Findings) -> None:
    """A part without a reader, which a split `slice` can leave, has no gradient and nothing to do in its file."""
    read = {v for step in graph.steps for v in (step.inputs if isinstance(step, Compute | Join) else (step.input,))}
    for part in (part for _, parts in graph.parts for part in parts):
        if part in read or part in graph.outputs:
            continue
        where = spec.spans.value("layers", part.source, "gpu")
        numbers = f"{part.channels.start:,} to {part.channels.stop - 1:,}"
        message = f"nothing reads channels {numbers} of `{part.source}`, which gpu {part.device} would compute"
        help = "make the layer without these channels, or put it, or what reads it, on one device"
        findings.add(Diagnostic("NS407", message, where, help=help))


def _devices(devices: tuple[int, ...]) -> str:
    return f"gpu {devices[0]}" if len(devices) == 1 else f"gpus {listed([str(d) for d in devices])}"


def _rows(owned: OwnedParameter, part: Range | None) -> PlacedParameter:
    """The rows of some output channels; None: all rows, which may be fewer than channels."""
    count, *more = owned.parameter.dims
    rows = part or Range(0, count)
    return PlacedParameter(owned.name, owned.path, rows, (rows.size, *more), owned.tied, owned.parameter.role)


@dataclass
class _Placement:
    typed: TypedGraph
    placement: dict[str, tuple[int, ...]]
    steps: list[Step] = field(default_factory=list)
    parts: dict[str, list[Value]] = field(default_factory=dict)
    sent: dict[tuple[str, Range, int], Value] = field(default_factory=dict)
    inputs: dict[int, Value] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)

    @property
    def devices(self) -> tuple[int, ...]:
        return tuple(sorted({d for devices in self.placement.values() for d in devices})) or (0,)

    def run(self) -> PlacedGraph:
        self.names = {self.typed.input.name, *(node.name for node in self.typed.nodes)}
        for node in self.typed.nodes:
            self._place(node)
        outputs = tuple(self._gather(name, None, self.placement[name][0]) for name in self.typed.outputs)
        placement = tuple(self.placement.items())
        inputs = tuple(self.inputs[device] for device in sorted(self.inputs))
        parts = tuple((name, tuple(values)) for name, values in self.parts.items())
        return PlacedGraph(self.typed, self.devices, placement, inputs, parts, tuple(self.steps), outputs)

    def _place(self, node: TypedNode) -> None:
        devices = self.placement[node.name]
        ranges = even_parts(node.shape.channels, len(devices))
        if len(devices) == 1:
            whole = Range(0, node.shape.channels)
            self.parts[node.name] = [self._compute(node, None, whole, devices[0])]
            return
        self.parts[node.name] = []
        for number, (part, device) in enumerate(zip(ranges, devices, strict=True)):
            self.parts[node.name].append(self._compute(node, number, part, device))

    def _compute(self, node: TypedNode, number: int | None, part: Range, device: int) -> Value:
        """Steps for one part of a layer; the value it leaves."""
        if len(self.steps) > MAX_STEPS:
            raise _TooManySteps(node.name)
        layer: Layer = node.layer
        reads: tuple[Range | None, ...] = tuple(Range(0, s.channels) for s in node.input_shapes)
        keep = None
        if number is not None:
            shard = node.layer.shard(node.input_shapes, part)
            layer, reads, keep = shard.layer, shard.reads, shard.keep
        pairs = [(s, r) for s, r in zip(node.layer.inputs, reads, strict=True) if r is not None]
        inputs = tuple(self._gather(source, read, device) for source, read in pairs)
        shapes = tuple(value.shape for value in inputs)
        base = node.name if number is None else self._name(f"{node.name}_{number}")
        made = part.size if keep is None else layer.infer(shapes).channels
        name = base if keep is None else self._name(f"{base}_wide")
        value = Value(name, node.name, part, node.shape.with_channels(made), device)
        parameters = tuple(_rows(p, None if number is None else part) for p in node.parameters)
        self.steps.append(Compute(node.name, number, layer, inputs, value, parameters, layer.macs(shapes)))
        return value if keep is None else self._slice(value, keep, base, part)

    def _slice(self, value: Value, keep: Range, name: str, channels: Range) -> Value:
        kept = Value(name, value.source, channels, value.shape.with_channels(keep.size), value.device)
        self.steps.append(Slice(value, keep.start, kept))
        return kept

    def _gather(self, source: str, wanted: Range | None, device: int) -> Value:
        """Channels of a layer's output, as one value on a device."""
        if source == self.typed.input.name:
            return self._input(wanted, device)
        shape = self.typed.shape(source)
        wanted = wanted or Range(0, shape.channels)
        pieces = [self._fetch(part, wanted, device) for part in self.parts[source] if part.channels.overlap(wanted)]
        if len(pieces) == 1:
            return pieces[0]
        return self._join(source, wanted, device, tuple(pieces), shape)

    def _input(self, wanted: Range | None, device: int) -> Value:
        """The input is on every device."""
        if device not in self.inputs:
            source, shape = self.typed.input.name, self.typed.input.shape
            name = source if len(self.devices) == 1 else self._name(f"{source}_on{device}")
            self.inputs[device] = Value(name, source, Range(0, shape.channels), shape, device)
        whole = self.inputs[device]
        return self._fetch(whole, wanted or whole.channels, device)

    def _join(self, source: str, wanted: Range, device: int, pieces: tuple[Value, ...], shape: Shape) -> Value:
        key = (f"{source}+", wanted, device)
        if key not in self.sent:
            whole = wanted == Range(0, shape.channels)
            label = f"{source}_on{device}" if whole else f"{source}_{wanted.start}to{wanted.stop}_on{device}"
            joined = Value(self._name(label), source, wanted, shape.with_channels(wanted.size), device)
            self.steps.append(Join(pieces, joined))
            self.sent[key] = joined
        return self.sent[key]

    def _fetch(self, part: Value, wanted: Range, device: int) -> Value:
        """The wanted channels of one value, on a device: sliced where they lie, sent once."""
        own = part.channels.overlap(wanted) or wanted
        here = part if own == part.channels else self._sliced(part, own)
        if here.device == device:
            return here
        key = (here.name, own, device)
        if key not in self.sent:
            copy = Value(self._name(f"{here.name}_to{device}"), here.source, own, here.shape, device)
            self.steps.append(Transfer(here, copy))
            self.sent[key] = copy
        return self.sent[key]

    def _sliced(self, part: Value, own: Range) -> Value:
        key = (f"{part.name}[", own, part.device)
        if key not in self.sent:
            name = self._name(f"{part.name}_{own.start}to{own.stop}")
            self.sent[key] = self._slice(part, own.shift(-part.channels.start), name, own)
        return self.sent[key]

    def _name(self, wanted: str) -> str:
        """A value name that no layer and no other value has."""
        name = wanted
        while name in self.names:
            name += "_"
        self.names.add(name)
        return name
