"""The result of a comparison, as data. Text and JSON are made of it elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from netspec.difference.fact import Aspect

# value: a key comes to something else; only: a layer that one net alone has; order: it stands elsewhere;
# wiring: it reads something else; size: what follows from all these
Kind = Literal["value", "only", "order", "wiring", "size"]


@dataclass(frozen=True)
class Scope:
    """What is compared beside what is computed and the pictures. ``start``: how weights start."""

    train: bool = False
    placement: bool = False
    start: bool = True

    def has(self, aspect: Aspect) -> bool:
        return {"train": self.train, "placement": self.placement, "start": self.start}.get(aspect, True)


@dataclass(frozen=True)
class Side:
    """One net's half of a difference: the layer ("" for the whole net), what it has there, and where that stands.

    ``source`` is the file and ``line`` counts from 1; 0 where the place is not known.
    """

    layer: str
    text: str
    source: str = ""
    line: int = 0

    @property
    def place(self) -> str:
        return f"{self.source}:{self.line}" if self.line else ""


@dataclass(frozen=True)
class Row:
    """One difference. A side is None where its net has nothing of the kind."""

    kind: Kind
    what: str
    a: Side | None
    b: Side | None


@dataclass(frozen=True)
class Total:
    """A number of the whole net."""

    what: str
    a: int
    b: int


@dataclass(frozen=True)
class Difference:
    """Two nets: ``rows`` are what differs, ``sizes`` what follows from that, ``pairs`` the layers that both have."""

    a: str
    b: str
    rows: tuple[Row, ...]
    sizes: tuple[Row, ...]
    totals: tuple[Total, ...]
    pairs: tuple[tuple[str, str], ...]

    @property
    def equal(self) -> bool:
        return not (self.rows or self.sizes)
