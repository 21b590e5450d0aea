"""A box as a rectangle and its texts, cut to fit. Where it stands is decided elsewhere."""

from __future__ import annotations

from netspec.report.drawing.heights import Row, box_height
from netspec.report.drawing.marks import Rect, Text, number
from netspec.report.drawing.metrics import fitted, text_width
from netspec.report.drawing.net import Box
from netspec.report.drawing.places import MARGIN, NAME_SIZE, NOTE_SIZE, PADDING, Places, parameters

# Layer modules that the template has a colour for; others are grey.
FAMILIES = frozenset(
    {"conv", "local", "fc", "pool", "rnorm", "cnorm", "batchnorm", "activation", "dropout", "combine", "image"}
)


def box_mark(box: Box, places: Places, rows: tuple[Row, ...]) -> Rect:
    """The rectangle of a box, its tooltip with everything in full."""
    left, width = _extent(box, places)
    height, top = box_height(box), rows[box.row].top
    family = box.family if box.family in FAMILIES or box.kind != "layer" else "layer"
    tip = ", ".join(text for text in (box.name, box.caption, box.shape, parameters(box)) if text)
    texts = {"input": _wide_texts, "output": _output_texts, "layer": _layer_texts}[box.kind](box, left, width, top)
    cls = f"box {box.kind}"
    return Rect(number(left), number(top), number(width), number(height), cls, tip, texts, family)


def _extent(box: Box, places: Places) -> tuple[float, float]:
    """Left edge and width."""
    if box.kind == "input":
        return MARGIN + PADDING, places.width - 2 * (MARGIN + PADDING)
    if box.kind == "output":
        width = text_width(_output(box), NOTE_SIZE) + 28
        return places.center(box) - width / 2, width
    return places.center(box) - places.box_width / 2, places.box_width


def _output(box: Box) -> str:
    return f"output · {box.shape}"


def _output_texts(box: Box, left: float, width: float, top: float) -> tuple[Text, ...]:
    return (Text(number(left + width / 2), number(top + 16), "note", _output(box), "middle"),)


def _wide_texts(box: Box, left: float, width: float, top: float) -> tuple[Text, ...]:
    middle = left + width / 2
    name = fitted(box.name, width - 24, NAME_SIZE, bold=True)
    second = Text(number(middle), number(top + 34), "note", f"{box.shape} · {box.caption}", "middle")
    return Text(number(middle), number(top + 19), "name", name, "middle"), second


def _layer_texts(box: Box, left: float, width: float, top: float) -> tuple[Text, ...]:
    start, end = left + 13, left + width - 10
    shape_width = text_width(box.shape, NOTE_SIZE)
    name = fitted(box.name, end - start - shape_width - 10, NAME_SIZE, bold=True)
    shape = Text(number(end), number(top + 18), "shape", box.shape, "end")
    if box.parameters:
        more = parameters(box)
        note = fitted(box.caption, end - start - text_width(more, NOTE_SIZE) - 10, NOTE_SIZE)
        second = (
            Text(number(start), number(top + 35), "note", note),
            Text(number(end), number(top + 35), "note", more, "end"),
        )
        return (Text(number(start), number(top + 18), "name", name), shape, *second)
    room = end - shape_width - 10 - start - text_width(name, NAME_SIZE, bold=True) - 8
    beside = fitted(box.caption, room, NOTE_SIZE) if room > 24 else ""
    return Text(number(start), number(top + 18), "name", name, beside=beside), shape
