"""Where lanes, columns and boxes stand across the page. Heights come later: they depend on the lines between rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from netspec.ir.graph import FLOAT_BYTES
from netspec.report.drawing.columns import Lane, plan_lane
from netspec.report.drawing.metrics import text_width
from netspec.report.drawing.net import Box, Drawing
from netspec.report.drawing.wires import Wire, wires_of
from netspec.report.units import size

MARGIN = 24
PADDING = 20
COLUMN_GAP = 20
TRACK = 16
TEXT_PADDING = 24
NAME_SIZE, NOTE_SIZE = 13.0, 11.0
WIDEST, NARROWEST = 300, 264
LABEL_SIZE = 11.0


@dataclass(frozen=True)
class Strip:
    """A lane's place: left edge and width."""

    x: float
    width: float


@dataclass(frozen=True)
class Places:
    """The x of everything, and the box width that all share."""

    drawing: Drawing
    wires: tuple[Wire, ...]
    lanes: tuple[Lane, ...]
    box_width: float
    gutter: float

    @cached_property
    def strips(self) -> tuple[Strip, ...]:
        x: float = MARGIN
        strips = []
        for lane in self.lanes:
            columns = len(lane.columns)
            inner = columns * self.box_width + (columns - 1) * COLUMN_GAP + lane.track_count * TRACK
            strips.append(Strip(x, inner + 2 * PADDING))
            x += strips[-1].width + self.gutter
        return tuple(strips)

    @property
    def width(self) -> float:
        return self.strips[-1].x + self.strips[-1].width + MARGIN

    def lane_of(self, box: Box) -> int:
        return next(n for n, lane in enumerate(self.lanes) if lane.device == box.device)

    def column_center(self, lane: int, column: int) -> float:
        number = self.lanes[lane].columns.index(column)
        return self.strips[lane].x + PADDING + number * (self.box_width + COLUMN_GAP) + self.box_width / 2

    def track_center(self, lane: int, track: int) -> float:
        strip = self.strips[lane]
        right = strip.x + strip.width - PADDING - self.lanes[lane].track_count * TRACK
        return right + COLUMN_GAP / 2 + track * TRACK

    def center(self, box: Box) -> float:
        """The middle of a box; the input reaches over all lanes and has none of its own."""
        if box.kind == "input":
            return (MARGIN + self.width - MARGIN) / 2
        lane = self.lane_of(box)
        return self.column_center(lane, self.lanes[lane].seats[box.id])

    def way(self, wire: Wire, target: Box) -> float | None:
        """Where a line runs past rows; None for one to the next row."""
        lane = self.lane_of(target)
        column = self.lanes[lane].ways.get((wire.key, target.id))
        if column is not None:
            return self.column_center(lane, column)
        passes = target.row > wire.source.row + 1
        return self.track_center(lane, self.lanes[lane].tracks[wire.key]) if passes else None


def places_of(drawing: Drawing) -> Places:
    """Lanes from left to right in the order of the devices."""
    wires = wires_of(drawing)
    lanes = tuple(
        plan_lane(device, [box for box in drawing.boxes if box.device == device], wires) for device in drawing.devices
    )
    labels = [text_width(label(wire), LABEL_SIZE) for wire in wires if wire.floats]
    gutter = max(labels, default=0) + 60
    return Places(drawing, wires, lanes, _box_width(drawing), gutter if labels else COLUMN_GAP)


def label(wire: Wire) -> str:
    """``21,632 floats · 84.5 KiB``, each where several devices get them."""
    devices = {box.device for box in wire.targets}
    each = " each" if len(devices) > 1 else ""
    return f"{wire.floats:,} floats · {size(wire.floats * FLOAT_BYTES)}{each}"


def parameters(box: Box) -> str:
    """``17,472 params``; empty without any."""
    return f"{box.parameters:,} params" if box.parameters else ""


def _box_width(drawing: Drawing) -> float:
    needed = max((_needed(box) for box in drawing.boxes if box.kind == "layer"), default=NARROWEST)
    return float(round(min(max(needed, NARROWEST), WIDEST)))


def _needed(box: Box) -> float:
    """What a box's texts take beside each other."""
    name, shape = text_width(box.name, NAME_SIZE, bold=True), text_width(box.shape, NOTE_SIZE)
    note, more = text_width(box.caption, NOTE_SIZE), text_width(parameters(box), NOTE_SIZE)
    if not box.parameters:
        return name + 8 + note + 12 + shape + TEXT_PADDING
    return max(name + 12 + shape, note + 12 + more) + TEXT_PADDING
