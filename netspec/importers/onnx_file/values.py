"""Shapes and constants of a graph's values, by name. They are worked out in `dims`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from netspec.importers.onnx_file.constants import Dims
from netspec.importers.onnx_file.graph import Node, OnnxGraph
from netspec.importers.onnx_file.sliding import Unclear

if TYPE_CHECKING:
    from netspec.importers.onnx_file.file import Constant


@dataclass
class Values:
    """Shapes and constants of a graph by value name; ``batch`` is the batch that the file fixes, or None.

    ``halves`` are the types of half precision that constants have in the file: here they are float32.
    """

    graph: OnnxGraph
    dims: dict[str, Dims | None] = field(default_factory=dict)
    constants: dict[str, Constant] = field(default_factory=dict)
    batch: int | None = None
    halves: frozenset[str] = frozenset()

    def constant(self, name: str) -> Constant | None:
        return self.constants.get(name) if name else None

    def integers(self, name: str) -> tuple[int, ...] | None:
        """A constant list of whole numbers, at most 64 of them; None where it is none."""
        array = self.constant(name)
        if array is None or array.size > 64 or array.dtype.kind not in "iu":
            return None
        return tuple(int(value) for value in array.reshape(-1))

    def scalar(self, name: str) -> float | None:
        """A constant of one number; None where it is none. In files of ours one of some rank is a parameter."""
        array = self.constant(name)
        if array is None or array.size != 1 or (array.ndim and self.graph.ours):
            return None
        return float(array.reshape(-1)[0])

    def known(self, node: Node, number: int = 0) -> Dims:
        """The shape of an input. Raises Unclear."""
        dims = self.dims.get(node.input(number))
        if dims is None:
            raise Unclear("what it reads has no known shape")
        return dims

    def maps(self, node: Node) -> tuple[int, int, int]:
        """The first input as channels, height, width. Raises Unclear."""
        dims = self.known(node)
        if len(dims) != 3:
            raise Unclear(f"it reads {len(dims) + 1} dimensions, not 4")
        return dims[0], dims[1], dims[2]
