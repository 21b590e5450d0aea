"""Lines, arrow heads and the sizes of copies as finished strings. How they run is decided elsewhere."""

from __future__ import annotations

from netspec.report.drawing.heights import Row, box_height
from netspec.report.drawing.marks import Path, Rect, Text, number
from netspec.report.drawing.metrics import text_width
from netspec.report.drawing.places import LABEL_SIZE, Places, label
from netspec.report.drawing.routes import Bend, Routes

RADIUS = 7.0
ARROW = 7.0


def line_marks(routes: Routes, rows: tuple[Row, ...]) -> tuple[Path, ...]:
    """Lines on one device first, so that copies between devices lie over them."""
    paths = []
    for gap, bends in enumerate(routes.gaps):
        ends = [a for a in routes.arrivals if a.box.row == gap + 1]
        for bend in bends:
            own = {a.x: a.box for a in ends if a.wire.key == bend.wire.key and a.x in bend.below}
            heads = tuple(_head(x, rows[box.row].top) for x, box in own.items())
            paths.append(Path("copy" if bend.wire.floats else "line", _outline(bend, gap, rows), heads))
    return tuple(sorted(paths, key=lambda path: path.cls == "copy"))


def _outline(bend: Bend, gap: int, rows: tuple[Row, ...]) -> tuple[str, ...]:
    """A path for each place where the wire goes on, from the nearest place where it comes down."""
    row = rows[gap]
    source = bend.wire.source
    starts = {x: row.top + box_height(source) if source.row == gap else row.top for x in bend.above}
    y = row.tracks[bend.track] if bend.crosses else row.end
    lines = []
    for x in sorted(bend.below):
        near = min(sorted(bend.above), key=lambda a: abs(a - x))
        lines.append(_curve(near, starts[near], x, row.bottom, y))
    return tuple(lines)


def _curve(x0: float, y0: float, x1: float, y1: float, across: float) -> str:
    """Down, across at a height, down, with round corners."""
    if abs(x0 - x1) < 0.5:
        return f"M{number(x0)} {number(y0)}V{number(y1)}"
    r = min(RADIUS, abs(x1 - x0) / 2, across - y0, y1 - across)
    side = r if x1 > x0 else -r
    a, b, y = number(x0), number(x1), number(across)
    down = f"M{a} {number(y0)}V{number(across - r)}Q{a} {y} {number(x0 + side)} {y}"
    return f"{down}H{number(x1 - side)}Q{b} {y} {b} {number(across + r)}V{number(y1)}"


def _head(x: float, y: float) -> str:
    """An arrow head that ends at (x, y)."""
    half = ARROW * 0.5
    return f"M{number(x)} {number(y)}L{number(x - half)} {number(y - ARROW)}H{number(x + half)}Z"


def label_marks(routes: Routes, places: Places, rows: tuple[Row, ...]) -> tuple[Rect, ...]:
    """The size of each copy between devices, once."""
    return tuple(_label(bend, places, rows) for bend in _leaving(routes) if bend.wire.floats)


def _leaving(routes: Routes) -> list[Bend]:
    """The bends where wires leave their boxes and cross to other columns."""
    return [bend for row, gap in enumerate(routes.gaps) for bend in gap if bend.wire.source.row == row and bend.crosses]


def _label(bend: Bend, places: Places, rows: tuple[Row, ...]) -> Rect:
    """The size of a copy, on its line in the space between two lanes."""
    wire = bend.wire
    lane = places.lane_of(wire.source)
    right = any(places.lane_of(target) > lane for target in wire.targets)
    left = any(places.lane_of(target) < lane for target in wire.targets)
    strip = places.strips[lane]
    middle = strip.x + strip.width + places.gutter / 2 if right else strip.x - places.gutter / 2
    text = ("← " if left else "") + label(wire) + (" →" if right else "")
    width = text_width(text, LABEL_SIZE) + 14
    y = rows[wire.source.row].tracks[bend.track]
    texts = (Text(number(middle), number(y + 3.8), "label", text, "middle"),)
    tip = f"{label(wire)} of {wire.source.name} an image, from gpu {wire.source.device}"
    return Rect(number(middle - width / 2), number(y - 8.5), number(width), "17", "pill", tip, texts)
