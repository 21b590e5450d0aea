"""Where the keys of a layer stand in its spec, and what facts of one of its inputs are called."""

from __future__ import annotations

from dataclasses import dataclass

from netspec.ir.graph import TypedNode
from netspec.syntax.spans import Path, SpanTable


@dataclass(frozen=True)
class Written:
    """A layer as it was written."""

    node: TypedNode
    spans: SpanTable

    def path(self, key: str) -> Path:
        """A key of the layer."""
        return ("layers", self.node.name, key)

    def input_path(self, number: int, key: str) -> Path:
        """A key of one input: in `per_input`, or on the layer."""
        path: Path = ("layers", self.node.name, "per_input", number, key)
        return path if path in self.spans.keys else self.path(key)

    def or_else(self, key: str, *path: str) -> Path:
        """A key of the layer where it is written, else the one that holds for all layers."""
        return self.path(key) if self.path(key) in self.spans.keys else path

    def named(self, what: str, number: int) -> str:
        """A fact of one input of several."""
        return what if len(self.node.layer.inputs) == 1 else f"{what} of input {number + 1}"
