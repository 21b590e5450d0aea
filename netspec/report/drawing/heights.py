"""Where rows and the gaps between them stand down the page, and how high each track in a gap is. No strings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from netspec.report.drawing.net import Box, Drawing
from netspec.report.drawing.routes import LABEL_TRACK, PLAIN_TRACK, Bend, Routes

HEAD: Final = 8.0  # from a box to the first track below it
FOOT: Final = 13.0  # from the last track to a box: room for an arrow head
STRAIGHT_GAP: Final = 18.0


@dataclass(frozen=True)
class Row:
    """A row of boxes and the gap below it."""

    top: float
    height: float
    tracks: tuple[float, ...]
    bottom: float

    @property
    def end(self) -> float:
        """The lower edge of the boxes, where the gap begins."""
        return self.top + self.height


def box_height(box: Box) -> float:
    """Layers with parameters are twice as high, so that the paper's eight stand out."""
    if box.kind == "output":
        return 24.0
    return 44.0 if box.parameters or box.kind == "input" else 27.0


def rows_of(drawing: Drawing, routes: Routes, top: float) -> tuple[Row, ...]:
    """From above to below, the first at ``top``."""
    rows: list[Row] = []
    count = max(box.row for box in drawing.boxes) + 1
    tallest = [0.0] * count
    for box in drawing.boxes:
        tallest[box.row] = max(tallest[box.row], box_height(box))
    for number, height in enumerate(tallest):
        bends = [b for b in routes.gaps[number] if b.crosses] if number < count - 1 else []
        start = top + height
        tracks, end = _tracks(bends, start)
        bottom = start if number == count - 1 else max(end + FOOT if bends else 0.0, start + STRAIGHT_GAP)
        rows.append(Row(top, height, tracks, bottom))
        top = bottom
    return tuple(rows)


def _tracks(bends: list[Bend], start: float) -> tuple[tuple[float, ...], float]:
    """The y of every track, and of the last one's end."""
    y = start + HEAD
    middles = []
    for track in range(max((bend.track for bend in bends), default=-1) + 1):
        high = LABEL_TRACK if any(b.wire.floats for b in bends if b.track == track) else PLAIN_TRACK
        middles.append(y + high / 2)
        y += high
    return tuple(middles), y
