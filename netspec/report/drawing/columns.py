"""Which column of its lane each box stands in, and along which column or side track a long line passes. No pixels.

A chain of layers keeps its column, so that most lines are straight; a branch gets the nearest free column, left and
right by turns; a line that passes layers it does not belong to runs in a narrow track at the lane's right.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

from netspec.report.drawing.net import Box
from netspec.report.drawing.wires import Wire

WireKey = tuple[str, int]


@dataclass
class Chain:
    """Boxes one below the other, and the rows that they and the lines at their ends take."""

    boxes: list[Box]
    first: int
    last: int
    column: int = 0


@dataclass
class Lane:
    """A device's boxes. ``seats`` has their columns, ``ways`` those of lines that pass rows, ``tracks`` of others."""

    device: int
    seats: dict[str, int] = field(default_factory=dict)
    ways: dict[tuple[WireKey, str], int] = field(default_factory=dict)
    tracks: dict[WireKey, int] = field(default_factory=dict)

    @property
    def columns(self) -> list[int]:
        return sorted(set(self.seats.values())) or [0]

    @property
    def track_count(self) -> int:
        return max(self.tracks.values(), default=-1) + 1


def plan_lane(device: int, boxes: list[Box], wires: tuple[Wire, ...]) -> Lane:
    """Seats and ways of one device's boxes; ``wires`` are those of the whole drawing."""
    return _Plan(device, boxes, wires).run()


class _Plan:
    def __init__(self, device: int, boxes: list[Box], wires: tuple[Wire, ...]) -> None:
        self.lane = Lane(device)
        self.boxes = boxes
        here = {box.id for box in boxes}
        self.arrivals = [(wire, box) for wire in wires for box in wire.targets if box.id in here]
        self.local = [(wire, box) for wire, box in self.arrivals if wire.source.id in here]
        self.incoming: dict[str, list[Wire]] = defaultdict(list)
        for wire, box in self.arrivals:
            self.incoming[box.id].append(wire)
        self.next = self._successors()
        self.chains = self._chains()

    def run(self) -> Lane:
        chain_of = {box.id: chain for chain in self.chains for box in chain.boxes}
        passing: dict[WireKey, tuple[int, int]] = {}
        guided: list[tuple[WireKey, str, Chain]] = []
        for wire, box in self.arrivals:
            if box.row <= wire.source.row + 1:
                continue
            chain = self._guide(wire, box, chain_of)
            if chain is None:
                first, last = passing.get(wire.key, (wire.source.row + 1, 0))
                passing[wire.key] = first, max(last, box.row - 1)
                continue
            chain.first = min(chain.first, wire.source.row + 1)
            chain.last = max(chain.last, box.row - 1)
            guided.append((wire.key, box.id, chain))
        self._seat()
        self.lane.ways = {(key, target): chain.column for key, target, chain in guided}
        self.lane.tracks = _pack([(key, first, last) for key, (first, last) in passing.items()])
        return self.lane

    def _successors(self) -> dict[str, str]:
        """The box that goes on in a box's column: of those that read it alone, the one with most layers below it."""
        depth = self._depths()
        sources: dict[str, set[str]] = defaultdict(set)
        for wire, box in self.local:
            sources[box.id].add(wire.source.id)
        follow: dict[str, str] = {}
        for wire, box in self.local:
            old = follow.get(wire.source.id)
            if len(sources[box.id]) == 1 and (old is None or depth[box.id] > depth[old]):
                follow[wire.source.id] = box.id
        return follow

    def _depths(self) -> dict[str, int]:
        depth = {box.id: 0 for box in self.boxes}
        for wire, box in sorted(self.local, key=lambda pair: -pair[1].row):
            depth[wire.source.id] = max(depth[wire.source.id], depth[box.id] + 1)
        return depth

    def _chains(self) -> list[Chain]:
        by_id = {box.id: box for box in self.boxes}
        heads = [box for box in self.boxes if box.id not in self.next.values()]
        chains = []
        for head in heads:
            boxes = [head]
            while boxes[-1].id in self.next:
                boxes.append(by_id[self.next[boxes[-1].id]])
            chains.append(Chain(boxes, head.row, boxes[-1].row))
        return chains

    def _guide(self, wire: Wire, box: Box, chain_of: dict[str, Chain]) -> Chain | None:
        """The chain in whose column a long line runs.

        Its reader's if that reads nothing else, its source's if nothing else reads that; other long lines run in
        tracks, so that the net's trunk keeps its column.
        """
        own = chain_of.get(wire.source.id)
        if own is chain_of[box.id] or len(self.incoming[box.id]) == 1:
            return chain_of[box.id]
        readers = {reader.id for line, reader in self.local if line.source.id == wire.source.id}
        return own if readers == {box.id} else None

    def _seat(self) -> None:
        taken: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for chain in sorted(self.chains, key=lambda c: (c.first, c.first - c.last)):
            free = (c for c in _outward() if all(chain.last < a or b < chain.first for a, b in taken[c]))
            chain.column = next(free)
            taken[chain.column].append((chain.first, chain.last))
            self.lane.seats |= {box.id: chain.column for box in chain.boxes}


def _outward() -> Iterator[int]:
    """0, 1, -1, 2, -2, ..."""
    yield 0
    for n in count(1):
        yield n
        yield -n


def _pack(intervals: list[tuple[WireKey, int, int]]) -> dict[WireKey, int]:
    """The first free track for each stretch of rows; long ones stay outside."""
    tracks: list[list[tuple[int, int]]] = []
    found: dict[WireKey, int] = {}
    for key, first, last in sorted(intervals, key=lambda i: (i[2] - i[1], i[1])):
        free = (n for n, used in enumerate(tracks) if all(last < a or b < first for a, b in used))
        number = next(free, len(tracks))
        if number == len(tracks):
            tracks.append([])
        tracks[number].append((first, last))
        found[key] = number
    return found
