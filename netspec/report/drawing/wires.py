"""Lines that carry the same numbers, drawn as one that branches. It gives them no place."""

from __future__ import annotations

from dataclasses import dataclass

from netspec.report.drawing.net import Box, Drawing


@dataclass(frozen=True)
class Wire:
    """All lines from one box that copy the same number of floats (0: none)."""

    source: Box
    targets: tuple[Box, ...]
    floats: int

    @property
    def key(self) -> tuple[str, int]:
        return self.source.id, self.floats


def wires_of(drawing: Drawing) -> tuple[Wire, ...]:
    """In the order of the first line of each."""
    boxes = {box.id: box for box in drawing.boxes}
    targets: dict[tuple[str, int], list[Box]] = {}
    for line in drawing.lines:
        targets.setdefault((line.source, line.floats), []).append(boxes[line.target])
    return tuple(Wire(boxes[source], tuple(ends), floats) for (source, floats), ends in targets.items())
