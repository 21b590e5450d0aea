"""`netspec import model.onnx`: the spec that a file of ours carries, or the layers that a graph's operators are.

It runs no graph. Raises DataError for files that are damaged or refer to others, SpecError for graphs that the language
cannot say, with all operators of the kind in one run; line n of the places is the n-th operator of the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Final

from netspec.diagnostics import Diagnostic, SpecError
from netspec.diagnostics.grammar import listed
from netspec.importers.onnx_file.candidate import Candidate, Fit, shape_of
from netspec.importers.onnx_file.carried import carries_spec, read_carried
from netspec.importers.onnx_file.dims import values_of
from netspec.importers.onnx_file.elementwise import ELEMENTWISE
from netspec.importers.onnx_file.file import OnnxFile, read_file
from netspec.importers.onnx_file.finish import finish
from netspec.importers.onnx_file.graph import OWN_DOMAINS, Node, OnnxGraph, ValueInfo, read_graph, whole_graph
from netspec.importers.onnx_file.learned import LEARNED
from netspec.importers.onnx_file.plain import PLAIN
from netspec.importers.onnx_file.plan import Step, plan
from netspec.importers.onnx_file.reading import INPUT, Made, Read, Reading, Ref, Weight
from netspec.importers.onnx_file.shaping import SHAPING
from netspec.importers.onnx_file.sliding import Unclear
from netspec.importers.remark import Imported, Remarks
from netspec.ir.shape import Maps, Vector

MOST_CHANNELS: Final = 4_096  # as in the language
MOST_PIXELS: Final = 16_384
# What the rules for well-formed operators raise for lists of other lengths, axes that are not there, and the like.
MALFORMED: Final = (ValueError, IndexError, ZeroDivisionError, OverflowError)
OPERATORS: Final[Mapping[str, Read]] = {**LEARNED, **PLAIN, **SHAPING, **ELEMENTWISE}


@dataclass(frozen=True)
class OnnxOptions:
    """``carried``: take the spec that a file of ours carries, and not its graph. ``name``: what the net is called.

    ``size`` is the height and width of an input that the file leaves open.
    """

    lenient: bool = False
    name: str | None = None
    carried: bool = True
    size: int | None = None


_EXPORT_AGAIN = "export the net again, with one input of [batch, channels, height, width]"
_ADVICE = {
    "If": "; torch's older exporter writes it for LocalResponseNorm: torch.onnx.export(..., dynamo=True) does not",
}


def read_onnx(path: Path, options: OnnxOptions) -> Imported:
    """The net in an ONNX file, with its weights. Raises SpecError, DataError."""
    file = read_file(path)
    if options.carried and carries_spec(file):
        return read_carried(file, options.name)
    return _read_graph(file, path, options)


def _read_graph(file: OnnxFile, path: Path, options: OnnxOptions) -> Imported:
    graph, remarks = read_graph(file), Remarks()
    image, batch = _image(graph, remarks, options.size)
    values = values_of(graph, image.name, image.dims, batch)
    if values.halves:
        text = f"{listed(sorted(values.halves))} weights become float32, and the net computes in float32"
        remarks.meaning("precision", text, whole_graph(graph))
    reading = Reading(values, remarks, Maps(*image.dims))
    reading.refs[image.name] = Ref(INPUT, image.dims)
    steps = plan(values)
    for step in steps:
        _take(reading, step, options.lenient)
    _say_unread(reading, steps)
    if not options.lenient:
        remarks.stop_on_lost()
    name = options.name or (graph.name if graph.ours else path.stem)
    return finish(reading, image.name, steps, name, options.lenient)


@dataclass(frozen=True)
class _Image:
    name: str
    dims: tuple[int, int, int]


def _image(graph: OnnxGraph, remarks: Remarks, size: int | None) -> tuple[_Image, int | None]:
    """The input that is the image, and the batch that the file fixes. Raises SpecError NS804."""
    place = whole_graph(graph)
    used = [value for value in graph.inputs if value.name in graph.readers or value.name in graph.ends]
    for value in graph.inputs:
        if value not in used:
            remarks.dropped("input", f"nothing reads the input `{value.name}`", place, value.name)
    if len(used) != 1:
        names = ", ".join(f"`{value.name}`" for value in used) or "none"
        raise _refusal(graph, f"a net of the language has one input, and this graph reads {names}")
    dims = _four(graph, used[0])
    if dims[0] is not None:
        remarks.meaning("batch", f"the file is for batches of {dims[0]:,}; a spec is for any", place, used[0].name)
    channels, height, width = dims[1:]
    if size is not None and (height is None or width is None):
        height, width = height or size, width or size
        text = f"the file leaves it open: {height} by {width} pixels are taken, as `--size` says"
        remarks.meaning("size", text, place, used[0].name)
    if channels is None or height is None or width is None:
        help = "`--size 224` says it" if channels is not None else _EXPORT_AGAIN
        raise _refusal(graph, f"the file leaves the size of its input `{used[0].name}` open", help)
    if channels > MOST_CHANNELS or max(height, width) > MOST_PIXELS:
        raise _refusal(graph, f"the input `{used[0].name}` is {channels:,}x{height:,}x{width:,}, which no net reads")
    return _Image(used[0].name, (channels, height, width)), dims[0]


def _four(graph: OnnxGraph, value: ValueInfo) -> tuple[int | None, ...]:
    if value.dims is None or len(value.dims) != 4:
        found = "no known shape" if value.dims is None else f"{len(value.dims)} dimensions"
        raise _refusal(graph, f"the input `{value.name}` has {found}, not batch, channels, height and width")
    return value.dims


def _refusal(graph: OnnxGraph, message: str, help: str = _EXPORT_AGAIN) -> SpecError:
    return SpecError([Diagnostic("NS804", message, whole_graph(graph), help=help)])


def _take(reading: Reading, step: Step, lenient: bool) -> None:
    """Add what a step is; what cannot be told is a lost remark, and something stands for it."""
    node = step.root
    try:
        if step.candidate is not None and step.fit is not None:
            found: Ref | dict[str, Ref] = _pattern(reading, node, step.candidate, step.fit)
        else:
            found = _operator(reading, node)
    except (Unclear, *MALFORMED) as error:
        passed = _passed(reading, node)
        if lenient or not passed.broken or not _known(node):
            reading.remarks.lost("operator", _says(node, error), node.place, node.name)
        reading.refs |= {name: _stands_for(reading, node, name, passed, lenient) for name in node.outputs}
        return
    reading.refs |= found if isinstance(found, dict) else {node.output: found}


def _says(node: Node, error: Exception) -> str:
    why = str(error) if isinstance(error, Unclear) else "its attributes or inputs are not those of the operator"
    return f"the operator {node.op} `{node.name}` cannot be told in the language: {why}"


def _known(node: Node) -> bool:
    return node.op in OPERATORS and node.domain in OWN_DOMAINS


def _passed(reading: Reading, node: Node) -> Ref:
    """What stands for an operator that is lost: the first layer that it reads, or the image."""
    refs = [reading.refs[name] for name in node.inputs if name in reading.refs]
    first = refs[0] if refs else Ref(INPUT, reading.input_shape.dims)
    return Ref(first.layer, first.dims, broken=any(ref.broken for ref in refs))


def _stands_for(reading: Reading, node: Node, name: str, passed: Ref, lenient: bool) -> Ref:
    """What stands for a value that is lost: what its operator reads.

    Where the import will fail anyway it is a layer of the value's shape, so that what reads it is judged by itself.
    """
    dims = reading.values.dims.get(name) or passed.dims
    if lenient or passed.broken or not reading.values.dims.get(name) or min(dims) < 1:
        return Ref(passed.layer, dims if prod(dims) == prod(passed.dims) else passed.dims, broken=True)
    reading.made.append(Made("lost", {}, [], shape_of(dims) or Vector(prod(dims)), node, ""))
    return Ref(len(reading.made) - 1, dims)


def _operator(reading: Reading, node: Node) -> Ref | dict[str, Ref]:
    if not _known(node):
        domain = "" if node.domain in OWN_DOMAINS else f" of {node.domain}"
        advice = "" if domain else _ADVICE.get(node.op, "")
        raise Unclear(f"netspec does not read this operator{domain}{advice}")
    if node.strange:
        raise Unclear(f"its attribute `{node.strange[0]}` is not of the operator")
    return OPERATORS[node.op](reading, node)


def _pattern(reading: Reading, node: Node, candidate: Candidate, fit: Fit) -> Ref:
    refs = [reading.refs[name] for name in candidate.reads]
    if any(any(ref.pads) for ref in refs):
        raise Unclear("zeros lie around what it reads")
    found = {path.strip("<>"): name for path, name in fit.parameters.items()}
    weights: dict[str, Weight] = {path: reading.weight(found[path]) for path in sorted(found, key=_place_of)}
    return reading.make(node, candidate.type, candidate.keys, refs, weights)


def _place_of(path: str) -> tuple[int, str]:
    """Order of the inputs: ``2.weight`` before ``10.weight``."""
    number = path.partition(".")[0]
    return (int(number) if number.isdigit() else 0, path)


def _say_unread(reading: Reading, steps: list[Step]) -> None:
    """Operators that no output needs."""
    taken = {node.number for step in steps for node in step.nodes}
    constants = reading.values.constants
    unread = [n for n in reading.values.graph.nodes if n.number not in taken and n.output not in constants]
    for node in unread:
        text = f"no output needs the operator {node.op} `{node.name}`"
        reading.remarks.dropped("operator", text, node.place, node.name)
