"""Shared weights (`weightSource`) and random connections (`randSparse`), by the input. It adds no layer.

Source: reference/cuda-convnet.md 3.
"""

from __future__ import annotations

import re
from hashlib import sha256

from netspec.diagnostics import did_you_mean
from netspec.importers.cuda_convnet.layer import FileLayer
from netspec.importers.cuda_convnet.options import Refused
from netspec.ir.shape import Maps
from netspec.syntax.scalars import shorten

_SOURCE = re.compile(r"(?P<layer>[^\[\]]+?)\s*(?:\[\s*(?P<number>[0-9]{1,4})\s*\])?")
_MOST_CONNECTIONS = 1 << 14


def shared_weights(layer: FileLayer) -> tuple[str, ...]:
    """For each input the layer whose weights it uses, as the language writes it; empty for weights of its own."""
    sources = layer.options.texts("weightSource")
    if sources and len(sources) != len(layer.inputs):
        message = f"`weightSource` has {len(sources)} values for {len(layer.inputs)} inputs"
        layer.options.find("NS808", "weightSource", message, "one for each input; nothing between commas for its own")
        sources = ()
    own = [_written(layer.name, number, len(layer.inputs)) for number in range(len(layer.inputs))]
    for number, name in enumerate(own):
        layer.net.owners[layer.section.name, number] = name
    shared = []
    for number, source in enumerate(sources):
        shared.append(_owner(layer, source) if source else "")
        if shared[-1] == own[number]:
            shared[-1] = ""  # its own, by name
        if shared[-1]:
            layer.net.shared.add((layer.section.name, number))
        layer.net.owners[layer.section.name, number] = shared[-1] or own[number]
    return tuple(shared) or ("",) * len(layer.inputs)


def connections(layer: FileLayer, number: int, maps: Maps, groups: int, filter_channels: int) -> list[int]:
    """The channels that the groups of one `randSparse` input read: so many each, or as many as without it for 0."""
    if groups == 1:
        layer.refuse("`randSparse` draws what groups read, and there is one group", "randSparse", "more `groups`")
    channels, each = maps.channels, filter_channels or maps.channels // groups
    read = groups * each
    if read > _MOST_CONNECTIONS:
        message = f"{groups:,} groups read {each:,} channels each, and all of these would stand in the spec"
        layer.refuse(message, "filterChannels", f"at most {_MOST_CONNECTIONS:,} in all")
    if read % channels:
        message = f"{groups:,} groups of {each:,} channels do not read each of {channels:,} equally often"
        layer.refuse(message, "filterChannels", "`filterChannels` times `groups` must be a multiple of `channels`")
    text = (
        "which channels each group reads is drawn here from the layer's name; the original draws it at random and"
        " keeps it in its checkpoint"
    )
    layer.meaning("connections", text, "randSparse")
    names = [f"{layer.section.name} {number} {draw}" for draw in range(read // channels)]
    return [channel for name in names for channel in _permutation(name, channels)]


def _written(name: str, number: int, inputs: int) -> str:
    return name if inputs == 1 else f"{name}[{number}]"


def _owner(layer: FileLayer, source: str) -> str:
    """Who owns the weights of ``layer[number]`` of the file. Raises Refused."""
    match = _SOURCE.fullmatch(source)
    if match is None:
        layer.options.refuse("NS802", "weightSource", f"`{shorten(source)}` is no layer", "`conv1`, or `conv1[1]`")
    name, number = match["layer"], int(match["number"] or 0)
    owner = layer.net.owners.get((name, number))
    if owner is not None:
        return owner
    if name in layer.net.outputs and layer.net.outputs[name].shape is None:
        raise Refused  # it was refused itself
    known = dict.fromkeys(own for own, _ in layer.net.owners if own != layer.section.name)
    help = did_you_mean(name, known, "these layers above have weights:") if known else "no layer above has weights"
    return layer.options.refuse("NS805", "weightSource", f"`{shorten(source)}` has no weights to share", help)


def _permutation(name: str, channels: int) -> list[int]:
    """The same for the same name, on every machine and in every version of Python."""
    return sorted(range(channels), key=lambda channel: sha256(f"{name} {channel}".encode()).digest())
