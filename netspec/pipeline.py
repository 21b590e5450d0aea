"""The pipeline: from a layer file to a placed graph, in one screen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from netspec.ir.graph import Graph, TypedGraph
from netspec.ir.placed import PlacedGraph
from netspec.ir.verify import verify
from netspec.passes.build import build
from netspec.passes.infer import infer
from netspec.passes.place import merge, place
from netspec.spec import Spec, load_spec


@dataclass(frozen=True)
class Compiled:
    """A spec and every stage that was made of it. ``merged`` is the net on one device."""

    spec: Spec
    graph: Graph
    typed: TypedGraph
    placed: PlacedGraph
    merged: PlacedGraph

    @property
    def classes(self) -> int:
        """How many classes the net tells apart: the numbers of its first output."""
        return self.typed.shape(self.typed.outputs[0]).units


def compile_spec(spec: Spec) -> Compiled:
    """All stages of a spec. Raises SpecError with every error of the first stage that fails."""
    graph = build(spec)
    typed = infer(graph, spec)
    placed, merged = place(typed, spec), merge(typed)
    verify(placed)
    verify(merged)
    return Compiled(spec, graph, typed, placed, merged)


def compile_file(path: Path, assignments: Iterable[str] = (), name: str | None = None) -> Compiled:
    """All stages of a layer file; ``assignments`` are ``path=value`` overrides. Raises SpecError."""
    return compile_spec(load_spec(path, assignments, name))
