"""What the ledger reads of a compiled net: a part of `netspec.pipeline.Compiled`, which it does not import."""

from __future__ import annotations

from typing import Protocol

from netspec.ir.graph import TypedGraph
from netspec.ir.placed import PlacedGraph
from netspec.spec.model import Spec


class Net(Protocol):
    """A spec with its shapes, costs and devices."""

    @property
    def spec(self) -> Spec: ...

    @property
    def typed(self) -> TypedGraph: ...

    @property
    def placed(self) -> PlacedGraph: ...
