"""Changes of a whole draft: what nothing reads goes, and one layer takes the place of another. It computes nothing."""

from __future__ import annotations

from collections.abc import Iterable

from netspec.importers.draft import Draft, LayerDraft


def inputs_of(layer: LayerDraft) -> tuple[str, ...]:
    """What a layer of a draft reads."""
    inputs = layer.keys["inputs"]
    return (inputs,) if isinstance(inputs, str) else tuple(str(name) for name in inputs)  # type: ignore[union-attr] # names


def readers_of(draft: Draft, name: str) -> list[LayerDraft]:
    """The layers that read a layer or the input."""
    return [layer for layer in draft.layers.values() if name in inputs_of(layer)]


def prune(draft: Draft, outputs: Iterable[str]) -> None:
    """Remove the layers that no output needs."""
    needed, left = set(outputs), list(outputs)
    while left:
        layer = draft.layers.get(left.pop())
        new = [name for name in inputs_of(layer) if name not in needed] if layer else []
        needed.update(new)
        left += new
    for name in [name for name in draft.layers if name not in needed]:
        del draft.layers[name]


def replace_layer(draft: Draft, old: str, new: str) -> None:
    """Remove ``old``; who read it reads ``new``."""
    del draft.layers[old]
    for layer in draft.layers.values():
        inputs = tuple(new if name == old else name for name in inputs_of(layer))
        layer.keys["inputs"] = inputs[0] if len(inputs) == 1 else inputs
