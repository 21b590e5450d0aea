"""How the lines run between two rows: down from a box, across in a track of their own, down to the next. No strings."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from netspec.report.drawing.net import Box
from netspec.report.drawing.places import Places
from netspec.report.drawing.wires import Wire

PORT_STEP = 22.0
PLAIN_TRACK, LABEL_TRACK = 10.0, 22.0


@dataclass
class Bend:
    """One wire in the gap below a row: where it comes down, where it goes on, and in which track it crosses."""

    wire: Wire
    above: set[float] = field(default_factory=set)
    below: set[float] = field(default_factory=set)
    track: int = -1

    @property
    def crosses(self) -> bool:
        return self.above != self.below

    @property
    def span(self) -> tuple[float, float]:
        return min(self.above | self.below), max(self.above | self.below)


@dataclass(frozen=True)
class Arrival:
    """Where a line ends on a box's upper edge."""

    wire: Wire
    box: Box
    x: float


@dataclass(frozen=True)
class Routes:
    """``gaps`` has the bends below each row; ``arrivals`` the arrow heads."""

    gaps: tuple[tuple[Bend, ...], ...]
    arrivals: tuple[Arrival, ...]


def routes_of(places: Places) -> Routes:
    """Every line of a drawing."""
    rows = max(box.row for box in places.drawing.boxes)
    gaps: list[dict[tuple[str, float], Bend]] = [{} for _ in range(rows)]
    arrivals = _arrivals(places)
    for arrival in arrivals:
        _run(arrival, places, gaps)
    for gap in gaps:
        _assign_tracks([bend for bend in gap.values() if bend.crosses])
    return Routes(tuple(tuple(gap.values()) for gap in gaps), tuple(arrivals))


def exit_of(wire: Wire, places: Places) -> float:
    """Where a wire leaves its box: the middle, or to one side where it crosses to another device."""
    center = places.center(wire.source)
    if not wire.floats:
        return center
    right = sum(places.center(target) > center for target in wire.targets)
    return center + (0.3 if 2 * right >= len(wire.targets) else -0.3) * places.box_width


def _run(arrival: Arrival, places: Places, gaps: list[dict[tuple[str, float], Bend]]) -> None:
    """Enter one line into every gap that it passes."""
    wire, first, last = arrival.wire, arrival.wire.source.row, arrival.box.row - 1
    way = places.way(wire, arrival.box)
    start = exit_of(wire, places)
    if wire.source.kind == "input":
        start = arrival.x if way is None else way
    for gap in range(first, last + 1):
        bend = gaps[gap].setdefault(_key(wire, start), Bend(wire))
        bend.above.add(start if gap == first or way is None else way)
        bend.below.add(arrival.x if gap == last or way is None else way)


def _key(wire: Wire, start: float) -> tuple[str, float]:
    """The input is as wide as the page: its lines come straight down, those at different places apart."""
    return (wire.source.id, start) if wire.source.kind == "input" else (wire.source.id, wire.floats)


def _arrivals(places: Places) -> list[Arrival]:
    """Ports on the upper edges: straight lines in the middle, the others beside it in the order in which they come."""
    incoming: dict[str, list[tuple[Wire, Box, float]]] = defaultdict(list)
    for wire in places.wires:
        for box in wire.targets:
            way = places.way(wire, box)
            start = places.center(box) if wire.source.kind == "input" else exit_of(wire, places)
            incoming[box.id].append((wire, box, start if way is None else way))
    return [arrival for lines in incoming.values() for arrival in _ports(lines, places)]


def _ports(lines: list[tuple[Wire, Box, float]], places: Places) -> list[Arrival]:
    center = places.center(lines[0][1])
    if len(lines) == 1:
        return [Arrival(lines[0][0], lines[0][1], center)]
    left = sorted((line for line in lines if line[2] < center - 1), key=lambda line: -line[2])
    right = sorted((line for line in lines if line[2] > center + 1), key=lambda line: line[2])
    straight = [line for line in lines if abs(line[2] - center) <= 1]
    step = min(PORT_STEP, 0.4 * places.box_width / max(len(left), len(right), 1))
    ports = [Arrival(wire, box, center) for wire, box, _ in straight]
    ports += [Arrival(wire, box, center - step * n) for n, (wire, box, _) in enumerate(left, 1)]
    return ports + [Arrival(wire, box, center + step * n) for n, (wire, box, _) in enumerate(right, 1)]


def _assign_tracks(bends: list[Bend]) -> None:
    """Tracks from above to below, so that no two lines lie on each other, neither across nor where they go down."""
    placed: list[Bend] = []
    waiting = list(bends)
    while waiting:
        ready = [b for b in waiting if not any(_must_precede(other, b) for other in waiting if other is not b)]
        bend = (ready or waiting)[0]
        waiting.remove(bend)
        after = max((p.track for p in placed if _must_precede(p, bend)), default=-1) + 1
        used = {p.track for p in placed if _overlap(p.span, bend.span)}
        bend.track = next(n for n in range(after, after + len(placed) + 1) if n not in used)
        placed.append(bend)


def _must_precede(one: Bend, other: Bend) -> bool:
    """Where one comes down at the place at which the other goes on."""
    return any(abs(a - b) < 4 for a in one.above for b in other.below)


def _overlap(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return one[0] - 8 <= other[1] and other[0] - 8 <= one[1]
