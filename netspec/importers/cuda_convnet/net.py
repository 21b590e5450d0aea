"""A pair of cuda-convnet's files to a Spec. What each layer type means stands in files of their own.

Source: reference/cuda-convnet.md 0 (graph rules), 7 (dialects).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath

from netspec.diagnostics import Diagnostic, Findings, SpecError
from netspec.importers.cuda_convnet.costs import COSTS
from netspec.importers.cuda_convnet.dialect import dialect_of, type_of
from netspec.importers.cuda_convnet.layer import Net, inputs_of
from netspec.importers.cuda_convnet.params import LEARNED, apply_rates
from netspec.importers.cuda_convnet.picture import find_picture
from netspec.importers.cuda_convnet.reading import Reading
from netspec.importers.cuda_convnet.sections import Section, read_sections
from netspec.importers.cuda_convnet.types import DATA
from netspec.importers.draft import Draft
from netspec.importers.names import Names, net_name
from netspec.importers.remark import Imported, Remarks
from netspec.ir.shape import Vector
from netspec.source import Source, whole
from netspec.spec.load import MAX_LAYERS

_MOST_SECTIONS = 2 * MAX_LAYERS  # data layers and costs are no layers of ours


@dataclass(frozen=True)
class CudaConvnetOptions:
    """``size``: the input's side, which the file does not say. ``lenient``: leave out what cannot be said."""

    size: int | None = None
    lenient: bool = False
    name: str | None = None


def read_cuda_convnet(
    definition: Source, params: Source | None, options: CudaConvnetOptions, remarks: Remarks | None = None
) -> Imported:
    """The net of a definition, with the parameter file that belongs to it where there is one.

    Raises SpecError: NS801 to NS808 for what is wrong with the files, NS804 for what the language cannot say, and
    the language's own codes, with places in the files.
    """
    remarks = Remarks() if remarks is None else remarks
    sections, parameters = _read(definition, params, remarks)
    picture = find_picture(sections, options.size)
    draft = Draft(definition, {"name": options.name or net_name(PurePath(definition.name).stem)})
    net = Net(
        draft=draft,
        names=Names(remarks),
        remarks=remarks,
        findings=Findings(),
        dialect=dialect_of(sections, parameters or {}),
        side=picture.shape.height,
        definition=sections,
        params=parameters,
    )
    reading = Reading(net, picture)
    for section in sections.values():
        reading.read(section)
    _write_outputs(net, reading.judged)
    _finish(net)
    if not options.lenient:
        remarks.stop_on_lost()
    return Imported(draft.spec(), tuple(remarks.items), tuple(reading.origins))


def _read(
    definition: Source, params: Source | None, remarks: Remarks
) -> tuple[dict[str, Section], dict[str, Section] | None]:
    """Both files. Raises SpecError with what is wrong with either."""
    read: list[dict[str, Section]] = []
    findings: list[Diagnostic] = []
    for source in (definition, params) if params else (definition,):
        try:
            read.append(read_sections(source, remarks))
        except SpecError as error:
            findings.extend(error.diagnostics)
    if findings:
        raise SpecError(findings)
    _check_definition(definition, read[0])
    if params and any(type_of(section) for section in read[1].values()):
        message = "this is a layer definition, not a parameter file: its sections have types"
        help = "the definition comes first, the parameters with `--params`"
        raise SpecError([Diagnostic("NS807", message, whole(params), help=help)])
    return read[0], read[1] if params else None


def _check_definition(source: Source, sections: dict[str, Section]) -> None:
    place = whole(source)
    if not sections:
        raise SpecError([Diagnostic("NS801", "there is no layer in this file", place, help="`[data]` begins one")])
    if len(sections) > _MOST_SECTIONS:
        raise SpecError([Diagnostic("NS111", f"more than {_MOST_SECTIONS:,} sections", place, help="a net is shorter")])
    if not any(type_of(section) for section in sections.values()):
        message = "no section has a `type`: this is no layer definition"
        help = "a parameter file is given with `--params`, beside the definition that it belongs to"
        raise SpecError([Diagnostic("NS807", message, place, help=help)])
    if all(type_of(section) in (DATA, *COSTS) for section in sections.values()):
        message, help = "there are only data layers and costs in this file", "a net begins with a layer that reads data"
        raise SpecError([Diagnostic("NS801", message, place, help=help)])


def _write_outputs(net: Net, judged: list[str]) -> None:
    """What costs judge, then what nothing reads. `outputs` names them where there are several."""
    layers = net.draft.layers
    read = {name for layer in layers.values() for name in inputs_of(layer)}
    ends = [name for name in layers if name not in read]
    outputs = [name for name in dict.fromkeys(judged) if name in layers]
    for name in ends:
        if name not in outputs and judged:
            text = f"nothing reads `{name}`, so it is an output too; the original refuses such a file"
            net.remarks.meaning("unused", text, layers[name].place, name)
    outputs += [name for name in ends if name not in outputs]
    if len(outputs) > 1:
        net.draft.keys["outputs"] = outputs
    softmax = [name for name in outputs if layers[name].type == "softmax"]
    shape = next((o.shape for o in net.outputs.values() if softmax and o.layer == softmax[0]), None)
    if len(softmax) == 1 and isinstance(shape, Vector):
        net.draft.keys["classes"] = shape.units


def _finish(net: Net) -> None:
    """Rates, and every finding of both files."""
    found = list(net.findings.items)
    learned = [name for name, section in net.definition.items() if type_of(section) in LEARNED]
    layers = {name: net.outputs[name].layer for name in learned if name in net.outputs and net.outputs[name].shape}
    if net.params is not None:
        try:
            apply_rates(net.draft, net.definition, net.params, layers, net.remarks, net.shared)
        except SpecError as error:
            found.extend(error.diagnostics)
    if found:
        raise SpecError(found)
