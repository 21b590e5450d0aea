"""A layer taken out of a spec's tree before it is decoded: what read it reads its input. It knows no shapes.

Whether the rest still fits together is found as in any spec, when it is compiled.
"""

from __future__ import annotations

from dataclasses import replace

from netspec.diagnostics import Diagnostic, SpecError, did_you_mean
from netspec.source import Span
from netspec.syntax.scalars import shorten
from netspec.syntax.tree import Mapping, Scalar, Sequence, Tree


def remove_layer(tree: Tree, name: str, place: Span) -> Tree:
    """``tree`` without the layer ``name``, which was asked for at ``place``. Raises SpecError NS705."""
    layers = tree.get("layers") if isinstance(tree, Mapping) else None
    if not isinstance(tree, Mapping) or layers is None or not isinstance(layers.value, Mapping):
        raise _refuse(place, "the spec has no layers")
    found = layers.value.get(name)
    if found is None:
        help = did_you_mean(name, [entry.key.text for entry in layers.value.entries], "its layers are")
        raise _refuse(place, f"there is no layer `{shorten(name)}`", help)
    below = _only_input(found.value, name, place)
    rest = tuple(
        replace(entry, value=_rewired(entry.value, name, below)) for entry in layers.value.entries if entry is not found
    )
    left = replace(layers.value, entries=rest)
    return replace(tree, entries=tuple(replace(e, value=left) if e is layers else e for e in tree.entries))


def _only_input(layer: Tree, name: str, place: Span) -> str:
    """What the layer reads."""
    inputs = layer.get("inputs") if isinstance(layer, Mapping) else None
    read = inputs.value if inputs is not None else None
    names = read.items if isinstance(read, Sequence) else (read,)
    if len(names) != 1 or not isinstance(names[0], Scalar):
        message = f"`{name}` does not read one layer, so those that read it would not know which to read"
        raise _refuse(place, message, "set their `inputs` instead")
    return names[0].text


def _rewired(layer: Tree, name: str, below: str) -> Tree:
    """A layer that reads ``below`` where it read ``name``."""
    inputs = layer.get("inputs") if isinstance(layer, Mapping) else None
    if inputs is None or not isinstance(layer, Mapping):
        return layer
    read = inputs.value
    if isinstance(read, Sequence):
        new: Tree = replace(read, items=tuple(_renamed(item, name, below) for item in read.items))
    else:
        new = _renamed(read, name, below)
    return replace(layer, entries=tuple(replace(e, value=new) if e is inputs else e for e in layer.entries))


def _renamed(item: Tree, name: str, below: str) -> Tree:
    return replace(item, text=below) if isinstance(item, Scalar) and item.text == name else item


def _refuse(place: Span, message: str, help: str = "") -> SpecError:
    return SpecError([Diagnostic("NS705", message, place, help=help)])
