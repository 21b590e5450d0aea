"""A net in canonical form: what computes the same in another spelling has the same operations. It compares nothing.

1. a layer's neuron is an operation of its own; 2. what changes nothing vanishes: identities, dropout at rate 0, a
flattening before what flattens anyway, relu of what is never negative; 3. a concat of concats is one; 4. neurons stand
before layers that only move numbers, and rising ones before what takes the largest (a relu before max pooling, not
after it), each once for each value.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from netspec.difference.fact import Fact, shown
from netspec.difference.layers import said
from netspec.difference.learning import Learning
from netspec.difference.neurons import IDENTITY, KEEP_POSITIVE, commutes, never_negative, plain
from netspec.difference.operation import FLATTENS, INPUT, NEURON, SAME_UNITS, Operation, Operations
from netspec.difference.windows import trivial
from netspec.difference.written import Written
from netspec.ir.graph import Input, TypedNode
from netspec.ir.neuron import Neuron
from netspec.layers.combine import EltSum
from netspec.pipeline import Compiled

Rule = Callable[[Operation, Operation], bool]


def canonical(net: Compiled) -> Operations:
    """The operations of a net, all of these rules applied."""
    found = spelled(net)
    for key in found.order():
        _move_up(found, key, commutes, once=True)
    _drop_idle_neurons(found)
    return found


def spelled(net: Compiled) -> Operations:
    """The operations of a net with neurons where they are written, but before layers that only change the shape."""
    found = _operations(net)
    for key in found.order():
        _drop_identity(found, key)
    for key in found.order():
        _join_concats(found, key)
    for key in found.order():
        _move_up(found, key, _only_reshapes, once=False)
    for key in found.order():
        _drop_identity(found, key)
    return found


def _operations(net: Compiled) -> Operations:
    found = Operations()
    keys = {net.typed.input.name: found.add(_input(net.typed.input))}
    learning = Learning(net.spec, net.typed)
    for node in net.typed.nodes:
        reads = tuple(keys[name] for name in node.layer.inputs)
        if node.layer.type == NEURON:
            keys[node.name] = reads[0]
        else:
            keys[node.name] = found.add(_layer(net, node, reads, learning))
        if node.layer.neuron is not None:
            after = node.layer.inputs[0] if node.layer.type == NEURON else node.name
            own = _neuron(plain(node.layer.neuron), node, after)
            keys[node.name] = found.add(replace(own, reads=(keys[node.name],)))
    found.outputs = [keys[name] for name in net.typed.outputs]
    return found


def _input(data: Input) -> Operation:
    size = data.shape.dims[1:]
    facts = (
        Fact("input.channels", data.shape.channels, shown(data.shape.channels), ("input", "channels")),
        Fact("input.size", size, shown(size), ("input", "size")),
    )
    return Operation(INPUT, data.name, "", (), data.shape, facts)


def _layer(net: Compiled, node: TypedNode, reads: tuple[int, ...], learning: Learning) -> Operation:
    """A layer without its neuron."""
    written = Written(node, net.spec.spans)
    own, devices = said(written), net.placed.devices_of[node.name]
    gpu = Fact("gpu", devices, ", ".join(map(str, devices)), written.path("gpu"), "placement")
    return Operation(
        kind=node.layer.type,
        layer=node.name,
        after=node.layer.inputs[0],
        reads=reads,
        shape=node.shape,
        facts=(*own.facts, *learning.facts(node), gpu, *_sizes(node)),
        windows=own.windows,
        factors=node.layer.factors() if isinstance(node.layer, EltSum) else (),
        weights=learning.weights(node),
        learned=bool(node.parameters),
    )


def _sizes(node: TypedNode) -> list[Fact]:
    """What follows from the rest. Weights that are another layer's count here too, whichever of the two owns them."""
    if node.layer.type == "dropout":
        return []  # it keeps the shape, and may move to before a flattening
    parameters = sum(p.parameter.count for p in node.parameters if p.parameter.role != "statistic")
    path = ("layers", node.name)
    return [
        Fact("output", node.shape.dims, str(node.shape), path, "size"),
        Fact("parameters", parameters, shown(parameters), path, "size"),
        Fact("MACs", node.macs, shown(node.macs), path, "size"),
    ]


def _neuron(neuron: Neuron, node: TypedNode, after: str) -> Operation:
    value = (neuron.kind, neuron.arguments)
    fact = Fact("neuron", value, str(neuron), ("layers", node.name, "neuron"))
    return Operation(NEURON, node.name, after, (), node.shape, (fact,), neuron=neuron)


def _drop_identity(found: Operations, key: int) -> None:
    """Its readers read what it reads."""
    if key not in found.by_key or found[key].kind == INPUT:
        return
    operation = found[key]
    if _changes_nothing(found, operation):
        _replace(found, key, operation.reads[0])
    elif operation.kind in FLATTENS:
        reads = tuple(_before_flattening(found, read) for read in operation.reads)
        _reread(found, key, reads)


def _reread(found: Operations, key: int, reads: tuple[int, ...]) -> None:
    if reads != found[key].reads:
        found.by_key[key] = replace(found[key], reads=reads)
        _forget_unread(found)


def _before_flattening(found: Operations, key: int) -> int:
    """The last value before layers that only change the shape."""
    while found[key].kind in SAME_UNITS:
        key = found[key].reads[0]
    return key


def _changes_nothing(found: Operations, operation: Operation) -> bool:
    """Whether its output is its one input."""
    before, kind = found[operation.reads[0]].shape, operation.kind
    if len(operation.reads) > 1:
        return False
    if kind == NEURON:
        return operation.neuron == IDENTITY
    if kind in ("crop", "slice", "reshape", "flatten"):
        return before == operation.shape
    if kind in ("pool", "cmpool"):
        channels = tuple((n, n + 1) for n in range(before.channels))
        return operation.windows == channels if kind == "cmpool" else trivial(operation.windows, before)
    if kind in ("blur", "dropout"):
        return operation.fact("size") == 1 if kind == "blur" else operation.fact("rate") == 0
    return kind == "concat" or (kind == "eltsum" and operation.factors == (1,))


def _replace(found: Operations, key: int, by: int) -> None:
    """Let all that read one operation read another, and forget the first."""
    for reader, operation in found.by_key.items():
        if key in operation.reads:
            reads = tuple(by if read == key else read for read in operation.reads)
            found.by_key[reader] = replace(operation, reads=reads)
    found.outputs = [by if output == key else output for output in found.outputs]
    del found.by_key[key]


def _forget_unread(found: Operations) -> None:
    """Remove what the outputs do not need."""
    needed = set(found.order())
    for key in [key for key in found if key not in needed and found[key].kind != INPUT]:
        del found.by_key[key]


def _join_concats(found: Operations, key: int) -> None:
    """Read what inner concats read."""
    if key in found.by_key and found[key].kind == "concat":
        inner = [found[read].reads if found[read].kind == "concat" else (read,) for read in found[key].reads]
        _reread(found, key, tuple(read for reads in inner for read in reads))


def _move_up(found: Operations, key: int, commute: Rule, *, once: bool) -> None:
    """An operation before what it commutes with, and so on; ``once``: an equal one that is there already serves too."""
    waiting = [key]
    while waiting:
        key = waiting.pop()
        if key not in found.by_key or len(found[key].reads) != 1:
            continue
        moved, before = found[key], found[key].reads[0]
        if not commute(moved, found[before]) or _is_needed(found, before):
            continue
        above = found[before]
        wanted = [replace(moved, reads=(read,), shape=found[read].shape) for read in above.reads]
        copies = [(_twin(found, one) if once else None) or found.add(one) for one in wanted]
        found.by_key[before] = replace(above, reads=tuple(copies))
        _replace(found, key, before)
        waiting += copies


def _is_needed(found: Operations, key: int) -> bool:
    """Whether more than one operation reads a value, or the net returns it."""
    return key in found.outputs or sum(read == key for other in found.by_key.values() for read in other.reads) > 1


def _only_reshapes(moved: Operation, before: Operation) -> bool:
    return moved.kind in (NEURON, "dropout") and before.kind in SAME_UNITS


def _twin(found: Operations, neuron: Operation) -> int | None:
    """The key of the same neuron of the same value; dropout has none: each draws its own units."""
    twins = (
        key for key, other in found.by_key.items() if other.neuron == neuron.neuron and other.reads == neuron.reads
    )
    return next(twins, None) if neuron.neuron is not None else None


def _drop_idle_neurons(found: Operations) -> None:
    """Those that change negative numbers only, where there are none."""
    positive: dict[int, bool] = {}
    for key in found.order():
        operation = found[key]
        positive[key] = never_negative(operation, tuple(positive[read] for read in operation.reads))
        if operation.neuron and operation.neuron.kind in KEEP_POSITIVE and positive[operation.reads[0]]:
            _replace(found, key, operation.reads[0])
