"""The drawing as Graphviz text. It lays nothing out: Graphviz does."""

from __future__ import annotations

from netspec.ir.placed import PlacedGraph
from netspec.report.drawing.net import Box, Drawing, Line, drawing_of
from netspec.report.drawing.places import parameters
from netspec.report.units import size

_HEAD = (
    '  graph [rankdir=TB, fontname="sans-serif", labeljust=l, color="#d3dae3"];',
    '  node [shape=box, style="rounded", fontname="sans-serif", fontsize=11, color="#8793a3"];',
    '  edge [fontname="sans-serif", fontsize=10, color="#8793a3"];',
)
_COPY = "#c2550c"


def render_dot(graph: PlacedGraph) -> str:
    """A digraph with a cluster for each device and dashed arrows between devices."""
    drawing = drawing_of(graph)
    lines = [f'digraph "{_escaped(drawing.title)}" {{', *_HEAD]
    lines += [_box(box) for box in drawing.boxes if box.device is None]
    for device in drawing.devices:
        lines += _device(drawing, device)
    lines += [_line(line) for line in drawing.lines]
    return "\n".join([*lines, "}"]) + "\n"


def _device(drawing: Drawing, device: int) -> list[str]:
    title = f"gpu {device}" if len(drawing.devices) > 1 else "one device"
    boxes = [f"  {_box(box)}" for box in drawing.boxes if box.device == device]
    return [f"  subgraph cluster_{device} {{", f'    label="{title}";', *boxes, "  }"]


def _box(box: Box) -> str:
    rows = (box.name, box.caption, " · ".join(text for text in (box.shape, parameters(box)) if text))
    text = r"\n".join(_escaped(row) for row in rows if row)
    return f'  "{_escaped(box.id)}" [label="{text}"];'


def _line(line: Line) -> str:
    style = ""
    if line.floats:
        text = f"{line.floats:,} floats · {size(4 * line.floats)}"
        style = f' [label="{text}", style=dashed, color="{_COPY}", fontcolor="{_COPY}"]'
    return f'  "{_escaped(line.source)}" -> "{_escaped(line.target)}"{style};'


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
