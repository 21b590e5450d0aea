"""What a layer with weights reads, and the layer that several of them make. It compares no layers.

Its filters are theirs, one tower after the other, and so are its groups. Channels are a tower's own (`groups`), all (no
groups), or others (`connections`, which `fc` does not have).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from netspec.importers.towers.selection import Channels, Selection
from netspec.ir.graph import TypedNode
from netspec.ir.layer import Layer
from netspec.ir.parameter import Init
from netspec.layers.conv import Conv
from netspec.layers.fc import Fc, FcInput
from netspec.layers.local import Local
from netspec.layers.window import Window
from netspec.layers.windowed import ConvInput

Learned = Conv | Local | Fc
_NO_INIT = Init("constant", 0.0)
_NO_WINDOW = Window((1, 1), (1, 1))


class UnlikeTowersError(Exception):
    """Layers cannot be one; the message says why."""


@dataclass(frozen=True)
class View:
    """Where a written layer's output is now: these channels of a merged layer."""

    source: str
    channels: Channels


@dataclass(frozen=True)
class Branch:
    """One input of a layer: where it comes from, and how it is read. ``channels`` are those of all groups."""

    source: str
    window: Window
    groups: int
    channels: int
    init: Init


@dataclass(frozen=True)
class Read:
    """What a merged layer reads of one source; ``inputs`` are the numbers of the inputs that this was, by member."""

    branch: Branch
    inputs: tuple[tuple[int, ...], ...]
    selection: Selection

    @property
    def source(self) -> str:
        return self.branch.source


def branch_of(node: TypedNode, number: int, source: str) -> Branch:
    """How a layer with weights reads an input. Inits that depend on the size of the layer become the numbers."""
    path = "weight" if len(node.input_shapes) == 1 else f"{number}.weight"
    weight = next(owned.parameter for owned in node.parameters if owned.path == path)
    init = Init(*weight.distribution) if weight.init.kind in ("xavier", "he") else weight.init
    layer, shape = node.layer, node.input_shapes[number]
    if isinstance(layer, Conv | Local):
        return Branch(source, layer.window(number), layer.groups_of(number), layer.reads(number, shape), init)
    groups = layer.groups if isinstance(layer, Fc) else 1
    return Branch(source, _NO_WINDOW, groups, shape.channels, init)


def channels_read(layer: Layer, number: int, view: Channels) -> Channels:
    """The channels of a source that a layer reads of an input, those of its first group first."""
    connections = layer.connections_of(number) if isinstance(layer, Conv | Local) else None
    return view if connections is None else tuple(view[channel] for channel in connections)


def without_reads(layer: Learned) -> Learned:
    """The layer but for its inputs, what its branches say, and where it stands."""
    if isinstance(layer, Fc):
        return replace(layer, inputs=(), gpu=None, per_input=(), groups=1, init_w=_NO_INIT)
    bare = replace(layer, inputs=(), gpu=None, per_input=(), groups=1, connections=None, init_w=_NO_INIT)
    return replace(bare, size=(1, 1), stride=(1, 1), pad=(0, 0, 0, 0), dilation=(1, 1))


def joined(layer: Learned, members: int, reads: tuple[Read, ...]) -> Learned:
    """The layer of so many members like this one. Raises UnlikeTowersError."""
    sources = tuple(read.source for read in reads)
    if len(set(sources)) < len(sources):
        raise UnlikeTowersError("one of their inputs is read in two ways")
    inputs = tuple(_conv_input(read, reads[0]) for read in reads)
    if isinstance(layer, Fc):
        return _fc(replace(layer, inputs=sources, outputs=layer.outputs * members), reads)
    first = reads[0]
    window, alone = first.branch.window, len(reads) == 1
    return replace(
        layer,
        inputs=sources,
        filters=layer.filters * members,
        size=window.size,
        stride=window.stride,
        pad=window.pad,
        dilation=window.dilation,
        groups=first.selection.groups,
        connections=first.selection.connections if alone else None,
        init_w=first.branch.init,
        per_input=inputs if not alone and any(own != ConvInput() for own in inputs) else (),
    )


def _conv_input(read: Read, first: Read) -> ConvInput:
    """What one input has that the first has not."""
    own, common = read.branch.window, first.branch.window
    return ConvInput(
        size=own.size if own.size != common.size else None,
        stride=own.stride if own.stride != common.stride else None,
        pad=own.pad if own.pad != common.pad else None,
        dilation=own.dilation if own.dilation != common.dilation else None,
        groups=read.selection.groups if read.selection.groups != first.selection.groups else None,
        connections=read.selection.connections,
        init_w=read.branch.init if read.branch.init != first.branch.init else None,
    )


def _fc(layer: Fc, reads: tuple[Read, ...]) -> Fc:
    if any(read.selection.connections is not None for read in reads):
        raise UnlikeTowersError("each reads other towers than its own, which the groups of an `fc` layer cannot say")
    groups = {read.selection.groups for read in reads}
    if len(groups) > 1:
        raise UnlikeTowersError("they read all of one input and a part of another, and an `fc` layer has one `groups`")
    first, *others = (read.branch.init for read in reads)
    own = tuple(FcInput(init_w=init if init != first else None) for init in (first, *others))
    differ = any(init != first for init in others)
    return replace(layer, groups=groups.pop(), init_w=first, per_input=own if differ else ())
