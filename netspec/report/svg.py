"""The drawing of a placed net as one SVG file: no scripts, no fonts and no pictures from elsewhere."""

from __future__ import annotations

from netspec.ir.placed import PlacedGraph
from netspec.report.drawing.scene import scene_of
from netspec.report.templates import render


def render_svg(graph: PlacedGraph, about: str = "") -> str:
    """SVG text; ``about`` is the sentence under the title. The same bytes for the same net."""
    return render("graph.svg.j2", scene=scene_of(graph, about))
