"""Why a value has its size: the layers on the way that change it. It explains; it computes no shape."""

from __future__ import annotations

from collections.abc import Mapping

from netspec.ir.graph import TypedNode
from netspec.ir.shape import Maps

MOST = 6


def size_reasons(nodes: Mapping[str, TypedNode], name: str, wanted: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Each layer that changes height or width on the way to ``name``, nearest first, with its arithmetic.

    The way follows first inputs. ``wanted`` are the shapes that layers should have, as text: a layer that has its shape
    is left out, a layer with another one says "not" what it should be.
    """
    reasons: list[str] = []
    while name in nodes and len(reasons) < MOST:
        node = nodes[name]
        reason, should_be = _reason(node), (wanted or {}).get(name, "")
        if reason and should_be != str(node.shape):
            contrast = f", not {should_be}" if should_be else ""
            reasons.append(f"`{name}` is {node.shape}{contrast}: {reason}")
        name = node.layer.inputs[0]
    return tuple(reasons)


def _reason(node: TypedNode) -> str:
    """The arithmetic of a layer that changes the size; empty for one that keeps it."""
    before, after = node.input_shapes[0], node.shape
    if not isinstance(after, Maps) or not isinstance(before, Maps) or before.dims[1:] == after.dims[1:]:
        return ""
    return node.layer.reason(node.input_shapes)
