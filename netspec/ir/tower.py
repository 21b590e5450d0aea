"""Programs of towers: what one process of several computes of a placed graph, step by step. Backends print them."""

from __future__ import annotations

from dataclasses import dataclass

from netspec.ir.placed import Compute, Join, Slice, Transfer, Value


@dataclass(frozen=True)
class Exchange:
    """Transfers that are done together, in every direction; a tower takes part with those that leave or reach it."""

    transfers: tuple[Transfer, ...]


@dataclass(frozen=True)
class Gather:
    """A value that every tower has for its own images, to one of all images."""

    input: Value
    output: Value


@dataclass(frozen=True)
class Scatter:
    """A value of all images, which tower ``owner`` has, to one of each tower's own images."""

    owner: int
    input: Value
    output: Value


TowerStep = Compute | Slice | Join | Exchange | Gather | Scatter


@dataclass(frozen=True)
class Tower:
    """One tower's program. Every exchange, gather and scatter comes in the same order in all towers of a net.

    ``input`` is its name for the net's images; ``result`` what the softmax takes, None in a tower without it;
    ``devices`` are those of all towers, in order: a tower's number is its device's place there.
    """

    number: int
    devices: tuple[int, ...]
    input: str
    steps: tuple[TowerStep, ...]
    result: Value | None

    @property
    def device(self) -> int:
        return self.devices[self.number]
