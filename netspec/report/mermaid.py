"""The drawing as Mermaid text, which many wikis and GitHub show as a picture. It lays nothing out: Mermaid does."""

from __future__ import annotations

from netspec.ir.placed import PlacedGraph
from netspec.report.drawing.net import Box, Drawing, Line, drawing_of
from netspec.report.drawing.places import parameters
from netspec.report.units import size


def render_mermaid(graph: PlacedGraph) -> str:
    """A flowchart with a subgraph for each device and dotted arrows between devices."""
    drawing = drawing_of(graph)
    names = {box.id: f"n{number}" for number, box in enumerate(drawing.boxes)}
    lines = ["---", f"title: {drawing.title}", "---", "flowchart TB"]
    lines += [_box(box, names) for box in drawing.boxes if box.device is None]
    for device in drawing.devices:
        lines += _device(drawing, device, names)
    lines += [_line(line, names) for line in drawing.lines]
    return "\n".join(lines) + "\n"


def _device(drawing: Drawing, device: int, names: dict[str, str]) -> list[str]:
    boxes = [f"  {_box(box, names)}" for box in drawing.boxes if box.device == device]
    title = f"gpu {device}" if len(drawing.devices) > 1 else "one device"
    return [f'  subgraph gpu{device}["{title}"]', *boxes, "  end"]


def _box(box: Box, names: dict[str, str]) -> str:
    rows = (box.name, box.caption, " · ".join(text for text in (box.shape, parameters(box)) if text))
    text = "<br/>".join(_escaped(row) for row in rows if row)
    start, end = ("([", "])") if box.kind == "output" else ("[", "]")
    return f'  {names[box.id]}{start}"{text}"{end}'


def _line(line: Line, names: dict[str, str]) -> str:
    arrow = "-->"
    if line.floats:
        arrow = f'-. "{line.floats:,} floats · {size(4 * line.floats)}" .->'
    return f"  {names[line.source]} {arrow} {names[line.target]}"


def _escaped(text: str) -> str:
    """Mermaid's own escapes, for text between double quotes."""
    escapes = {"#": "#35;", '"': "#quot;", "<": "#lt;", ">": "#gt;", "&": "#amp;", "`": "#96;"}
    return "".join(escapes.get(char, char) for char in text)
