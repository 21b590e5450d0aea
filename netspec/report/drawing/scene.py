"""A drawing as finished strings: every place, path and text that the template puts into tags. It escapes nothing."""

from __future__ import annotations

from dataclasses import dataclass

from netspec.ir.placed import PlacedGraph
from netspec.report.drawing.boxes import box_mark
from netspec.report.drawing.heights import rows_of
from netspec.report.drawing.lines import label_marks, line_marks
from netspec.report.drawing.marks import Path, Rect, Text, number
from netspec.report.drawing.metrics import fitted, text_width
from netspec.report.drawing.net import drawing_of
from netspec.report.drawing.places import MARGIN, NAME_SIZE, NOTE_SIZE, PADDING, Places, places_of
from netspec.report.drawing.routes import routes_of
from netspec.report.units import rounded, size

TITLE, LANE_HEAD, FOOTER = 66.0, 40.0, 34.0


@dataclass(frozen=True)
class Scene:
    """The whole page."""

    title: str
    description: str
    width: str
    height: str
    heading: tuple[Text, ...]
    lanes: tuple[Rect, ...]
    paths: tuple[Path, ...]
    boxes: tuple[Rect, ...]
    labels: tuple[Rect, ...]


def scene_of(graph: PlacedGraph, about: str = "") -> Scene:
    """The drawing of a placed net; the same strings for the same net."""
    drawing = drawing_of(graph)
    places = places_of(drawing)
    routes = routes_of(places)
    rows = rows_of(drawing, routes, TITLE + LANE_HEAD)
    bottom = rows[-1].end + PADDING
    footer = _footer(graph, bottom)
    return Scene(
        drawing.title,
        _description(graph, about),
        number(places.width),
        number(bottom + (FOOTER if footer else MARGIN)),
        (*_heading(graph, places, about), *footer),
        tuple(_lane(graph, places, n, bottom) for n in range(len(places.lanes))),
        line_marks(routes, rows),
        tuple(box_mark(box, places, rows) for box in drawing.boxes),
        label_marks(routes, places, rows),
    )


def _description(graph: PlacedGraph, about: str) -> str:
    """For those who hear the picture."""
    devices = len(graph.devices)
    where = "on one device" if devices == 1 else f"on {devices} devices, side by side"
    layers = f"{len(graph.typed.nodes)} layers {where}, from the input above to the output below."
    return " ".join((*about.split(), layers))


def _heading(graph: PlacedGraph, places: Places, about: str) -> tuple[Text, ...]:
    room = places.width - 2 * MARGIN
    typed = graph.typed
    counts = f"{typed.parameter_count:,} parameters · {typed.macs:,} multiply-adds an image"
    lines = (graph.typed.name, " ".join(about.split()) or counts)
    texts = [Text(number(MARGIN), "34", "title", fitted(lines[0], room, 18, bold=True))]
    texts.append(Text(number(MARGIN), "54", "note", fitted(lines[1], room, NOTE_SIZE)))
    return tuple(texts)


def _footer(graph: PlacedGraph, bottom: float) -> tuple[Text, ...]:
    floats = graph.cross_device_floats
    if not floats:
        return ()
    text = (
        f"{floats:,} floats ({size(4 * floats)}) an image cross between devices, forward; as many gradients come back."
    )
    return (Text(number(MARGIN), number(bottom + 22), "note", text),)


def _lane(graph: PlacedGraph, places: Places, lane: int, bottom: float) -> Rect:
    strip, device = places.strips[lane], places.lanes[lane].device
    name = f"gpu {device}" if len(places.lanes) > 1 else "one device"
    held = f"{graph.parameters_on(device):,} params · {rounded(graph.macs_on(device))} MACs"
    room = strip.width - 2 * PADDING - text_width(name, NAME_SIZE, bold=True) - 8
    beside = fitted(held, room, NOTE_SIZE)
    texts = (Text(number(strip.x + PADDING), number(TITLE + 25), "name", name, beside=beside),)
    return Rect(
        number(strip.x), number(TITLE), number(strip.width), number(bottom - TITLE), "lane", f"{name}: {held}", texts
    )
