"""The layer table as text in aligned columns, and as JSON. It counts nothing: netspec.report.rows does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from textwrap import wrap

from netspec.diagnostics.text import printable
from netspec.ir.graph import FLOAT_BYTES
from netspec.pipeline import Compiled
from netspec.report.flow import Crossing
from netspec.report.rows import Row, Table, layer_table
from netspec.report.units import count, size

WIDTH = 110
_MOST_READS = 24
_GAP = "  "


def render_table(compiled: Compiled, verbose: bool = False) -> str:
    """The net's layers with totals, then its devices and what crosses between them; lines end with a newline.

    ``verbose`` adds, for each layer, what the choices that frameworks make differently come to.
    """
    table = layer_table(compiled)
    several = len(table.devices) > 1
    blocks = [_heading(table), _layers(table, several)]
    blocks += [_devices(table), _crossings(table)] if several else []
    blocks += [_effective(table)] if verbose else []
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def aligned(rows: Sequence[Sequence[str]], right: Iterable[int]) -> list[str]:
    """Cells in columns; the columns numbered in ``right`` end where the widest cell ends."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    numbers = set(right)
    lines = []
    for row in rows:
        cells = (c.rjust(w) if n in numbers else c.ljust(w) for n, (c, w) in enumerate(zip(row, widths, strict=True)))
        lines.append(_GAP.join(cells).rstrip())
    return lines


def _heading(table: Table) -> list[str]:
    about = [f"  {line}" for line in wrap(printable(table.about), WIDTH - 2)]
    memory = size(table.parameters * FLOAT_BYTES)
    totals = f"{table.parameters:,} parameters ({memory}), {table.macs:,} multiply-adds an image, {table.units:,} units"
    return [table.name, *about, f"  {totals}", f"  sha256 {table.hash}"]


def _layers(table: Table, several: bool) -> list[str]:
    head = (
        "layer",
        "type",
        "gpu",
        "reads",
        "output",
        "on each gpu",
        "weights",
        "biases",
        "parameters",
        "MACs",
        "out KiB",
    )
    total = ("total", "", "", "", "", "", f"{table.weights:,}", f"{table.biases:,}", f"{table.parameters:,}")
    foot = (*total, f"{table.macs:,}", _kib(table.activation_bytes))
    rows = [head, *map(_cells, (table.input, *table.rows)), foot]
    shown = [i for i in range(len(head)) if several or head[i] not in ("gpu", "on each gpu")]
    right = [i for i, column in enumerate(shown) if column >= head.index("weights")]
    lines = aligned([[row[i] for i in shown] for row in rows], right)
    return [lines[0], _rule(lines), *lines[1:-1], _rule(lines), lines[-1]]


def _cells(row: Row) -> tuple[str, ...]:
    parts = [str(shape) for shape in row.parts]
    each = f"{parts[0]} x{len(parts)}" if len(parts) > 1 and row.type != "input" else ""
    return (
        row.name,
        row.type,
        ",".join(map(str, row.devices)),
        _names(row.reads),
        str(row.shape),
        each,
        count(row.weights),
        count(row.biases),
        count(row.parameters),
        count(row.macs),
        _kib(row.activation_bytes),
    )


def _names(names: Sequence[str]) -> str:
    """``conv1a, conv1b``, or the first of them and how many more there are."""
    for shown in range(len(names), 1, -1):
        rest = f", +{len(names) - shown}" if shown < len(names) else ""
        text = ", ".join(names[:shown]) + rest
        if len(text) <= _MOST_READS:
            return text
    return names[0] + (f", +{len(names) - 1}" if len(names) > 1 else "") if names else ""


def _kib(number: int) -> str:
    return f"{number / 1024:,.1f}"


def _rule(lines: Sequence[str]) -> str:
    return "-" * max(map(len, lines))


def _devices(table: Table) -> list[str]:
    rows = [("device", "parameters", "in memory", "MACs", "activations")]
    for d in table.devices:
        name = f"gpu {d.device}"
        rows.append((name, f"{d.parameters:,}", size(d.parameter_bytes), f"{d.macs:,}", size(d.activation_bytes)))
    held = sum(d.parameters for d in table.devices)
    everything = sum(d.activation_bytes for d in table.devices)
    macs = sum(d.macs for d in table.devices)
    rows.append(("total", f"{held:,}", size(held * FLOAT_BYTES), f"{macs:,}", size(everything)))
    return aligned(rows, range(1, 5))


def _crossings(table: Table) -> list[str]:
    if not table.crossings:
        return ["nothing crosses between devices"]
    rows = [("crosses, an image", "from", "to", "for", "floats", "forward", "backward")]
    for c in table.crossings:
        both = size(c.forward_bytes)
        readers = _names(c.readers) or "the output"
        rows.append((c.source, f"gpu {c.start}", f"gpu {c.end}", readers, f"{c.floats:,}", both, both))
    total = size(table.crossing_floats * FLOAT_BYTES)
    rows.append(("total", "", "", "", f"{table.crossing_floats:,}", total, total))
    return aligned(rows, (4, 5, 6))


def _effective(table: Table) -> list[str]:
    """Both backends get these values; what one framework would have assumed is never left to it."""
    rows = [("layer", "what frameworks do differently, as both backends get it")]
    for row in table.rows:
        facts = [f"{what}: {value}" for what, value in row.effective]
        facts += [f"height: {row.reason}"] if row.reason else []
        rows += [(row.name, "; ".join(facts))] if facts else []
    return aligned(rows, ()) if len(rows) > 1 else []


def table_as_json(compiled: Compiled) -> dict[str, object]:
    """The table as a JSON document: every number, no layout. Shapes are lists, bytes are of float32."""
    table = layer_table(compiled)
    return {
        "name": table.name,
        "about": table.about,
        "hash": table.hash,
        "input": {
            "name": table.input.name,
            "shape": list(table.input.shape.dims),
            "devices": list(table.input.devices),
        },
        "layers": [_row_as_json(row) for row in table.rows],
        "totals": {
            "weights": table.weights,
            "biases": table.biases,
            "parameters": table.parameters,
            "parameter_bytes": table.parameters * FLOAT_BYTES,
            "macs": table.macs,
            "units": table.units,
            "activation_bytes": table.activation_bytes,
            "cross_device_floats": table.crossing_floats,
            "cross_device_bytes_forward": table.crossing_floats * FLOAT_BYTES,
            "cross_device_bytes_backward": table.crossing_floats * FLOAT_BYTES,
        },
        "devices": [{**asdict(row), "parameter_bytes": row.parameter_bytes} for row in table.devices],
        "transfers": [_crossing_as_json(crossing) for crossing in table.crossings],
    }


def _row_as_json(row: Row) -> dict[str, object]:
    pairs = zip(row.devices, row.parts, strict=True)
    return {
        "name": row.name,
        "type": row.type,
        "devices": list(row.devices),
        "reads": list(row.reads),
        "shape": list(row.shape.dims),
        "parts": [{"device": device, "shape": list(shape.dims)} for device, shape in pairs],
        "weights": row.weights,
        "biases": row.biases,
        "statistics": row.statistics,
        "parameters": row.parameters,
        "parameter_bytes": row.parameters * FLOAT_BYTES,
        "macs": row.macs,
        "activation_bytes": row.activation_bytes,
        "reason": row.reason,
        "effective": dict(row.effective),
    }


def _crossing_as_json(crossing: Crossing) -> dict[str, object]:
    return {
        "source": crossing.source,
        "readers": list(crossing.readers),
        "from": crossing.start,
        "to": crossing.end,
        "floats": crossing.floats,
        "bytes_forward": crossing.forward_bytes,
        "bytes_backward": crossing.forward_bytes,
    }
