"""The facts of each layer type: what its keys come to. A key that no function here names counts as it is written."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import singledispatch

from netspec.difference.fact import Fact, Value, shown
from netspec.difference.windows import (
    channel_facts,
    channel_windows,
    conv_facts,
    conv_windows,
    pool_facts,
    pool_windows,
)
from netspec.difference.written import Written
from netspec.ir.layer import Layer, LearnedLayer
from netspec.ir.shape import Shape
from netspec.layers.batchnorm import BatchNorm
from netspec.layers.channels import CrossMapPool
from netspec.layers.conv import Conv
from netspec.layers.fc import Fc
from netspec.layers.image import Nailbed
from netspec.layers.pool import Pool
from netspec.layers.reshape import Reshape
from netspec.layers.rnorm import Normalisation, ResponseNorm
from netspec.layers.windowed import WindowedLayer
from netspec.syntax.decode import keys_of

# wiring (with an eltsum's coefficients), placement, neurons, and how weights start and learn are told elsewhere
_ELSEWHERE = frozenset(keys_of(Layer)) | {"coefficients", "per_input", "lr_w", "lr_b"}
_LEARNING = frozenset(keys_of(LearnedLayer))
_MOST_SHOWN = 6  # channels of `connections`


@dataclass(frozen=True)
class Said:
    """What one layer type's keys come to; ``keys`` are those that its facts speak for."""

    facts: tuple[Fact, ...] = ()
    keys: frozenset[str] = frozenset()
    windows: Value = None


def said(written: Written) -> Said:
    """All facts of a layer's own keys."""
    layer = written.node.layer
    own = _said(layer, written)
    told = own.keys | _ELSEWHERE | (_LEARNING if isinstance(layer, LearnedLayer) else frozenset())
    rest = (name for name in keys_of(type(layer)) if name not in told)
    return replace(own, facts=(*own.facts, *(_plain(written, name, getattr(layer, name)) for name in rest)))


def _plain(written: Written, name: str, value: object) -> Fact:
    return Fact(name, _as_value(value), shown(value), written.path(name))


def _as_value(value: object) -> Value:
    if isinstance(value, tuple):
        return tuple(map(_as_value, value))
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


@singledispatch
def _said(layer: Layer, written: Written) -> Said:  # noqa: ARG001 - those of most types are what is written
    return Said()


@_said.register
def _windowed(layer: WindowedLayer, written: Written) -> Said:
    """Conv and local: filters, and for each input its kernels and the channels that they read."""
    shapes = written.node.input_shapes
    facts = [_plain(written, "filters", layer.filters)]
    for number, shape in enumerate(shapes):
        facts += conv_facts(layer, number, written)
        facts += _channels(layer, number, shape, written)
    windows = tuple(conv_windows(layer, number, shape) for number, shape in enumerate(shapes))
    keys = frozenset(("filters", "size", "stride", "pad", "dilation", "groups", "connections", "round"))
    return Said(tuple(facts), keys, windows)


def _channels(layer: WindowedLayer, number: int, shape: Shape, written: Written) -> list[Fact]:
    """Which channels the kernels of one input read."""
    groups, connections = layer.groups_of(number), layer.connections_of(number)
    value: Value = None if connections == tuple(range(shape.channels)) else connections
    text = "all, in order" if value is None else _some(connections or ())
    where = (written.input_path(number, key) for key in ("groups", "connections"))
    return [
        Fact(written.named("groups", number), groups, shown(groups), next(where)),
        Fact(written.named("connections", number), value, text, next(where), written=connections),
    ]


def _some(connections: tuple[int, ...]) -> str:
    more = ", ..." if len(connections) > _MOST_SHOWN else ""
    return ", ".join(map(str, connections[:_MOST_SHOWN])) + more


@_said.register
def _conv(layer: Conv, written: Written) -> Said:
    """Biases of positions are shared anyway where there is one position."""
    own = _windowed(layer, written)
    shared = layer.shared_biases or written.node.shape.dims[1:] == (1, 1)
    text, path = shown(layer.shared_biases), written.path("shared_biases")
    fact = Fact("shared_biases", shared, text, path, written=layer.shared_biases)
    facts = (*own.facts, fact) if layer.bias else own.facts
    return replace(own, facts=facts, keys=own.keys | {"shared_biases"})


@_said.register
def _fc(layer: Fc, written: Written) -> Said:
    return Said((_plain(written, "outputs", layer.outputs),), frozenset({"outputs"}))


@_said.register
def _pool(layer: Pool, written: Written) -> Said:
    keys = frozenset(("pool", "size", "stride", "pad", "start", "round", "count"))
    return Said(tuple(pool_facts(layer, written)), keys, pool_windows(layer, written.node.input_shapes[0]))


@_said.register
def _nailbed(layer: Nailbed, written: Written) -> Said:
    """Which rows and columns are kept."""
    grids = tuple(layer.grid(side) for side in written.node.input_shapes[0].dims[1:])
    windows = tuple((count, first, layer.stride if count > 1 else 0) for count, first in grids)
    return Said((replace(_plain(written, "stride", layer.stride), windowed=True),), frozenset({"stride"}), windows)


@_said.register
def _cross_map_pool(layer: CrossMapPool, written: Written) -> Said:
    keys = frozenset(("size", "stride", "start", "outputs"))
    windows = channel_windows(layer, written.node.input_shapes[0].channels)
    return Said(tuple(channel_facts(layer, written)), keys, windows)


@_said.register
def _normalisation(layer: Normalisation, written: Written) -> Said:
    """Alpha is that of each square, whichever way it is written."""
    neighbours = layer.neighbours()
    alpha, text = layer.per_square(neighbours), shown(layer.alpha)
    if layer.alpha_over == "size":
        text = f"{text} / {neighbours} = {shown(alpha)}"
    as_written = (layer.alpha, layer.alpha_over)
    fact = Fact("alpha", alpha, text, written.path("alpha"), written=as_written)
    return Said((fact,), frozenset({"alpha", "alpha_over"}))


@_said.register
def _response_norm(layer: ResponseNorm, written: Written) -> Said:
    """Within a map, and for a window of one, channels do not see each other anyway."""
    own = _normalisation(layer, written)
    groups = layer.groups if layer.size > 1 else 1
    fact = Fact("groups", groups, shown(layer.groups), written.path("groups"), written=layer.groups)
    facts = (*own.facts, fact) if layer.across == "channels" else own.facts
    return replace(own, facts=facts, keys=own.keys | {"groups"})


@_said.register
def _batch_norm(layer: BatchNorm, written: Written) -> Said:
    """The momentum of the statistics is part of the recipe."""
    fact = replace(_plain(written, "momentum", layer.momentum), aspect="train")
    return Said((fact,), frozenset({"momentum"}))


@_said.register
def _reshape(layer: Reshape, written: Written) -> Said:
    shape = written.node.shape
    fact = Fact("shape", shape.dims, str(shape), written.path("shape"), written=layer.shape)
    return Said((fact,), frozenset({"shape"}))
