"""Which blob of a net is its input, and which of the data layers says how large it is. It reads no sizes itself."""

from __future__ import annotations

from collections.abc import Sequence

from netspec.diagnostics import Diagnostic, SpecError
from netspec.importers.caffe.caffemodel import CaffeModel
from netspec.importers.caffe.ends import Ends
from netspec.importers.caffe.inputs import Known, declares, describes, input_shape, options_of
from netspec.importers.caffe.message import Message
from netspec.importers.caffe.phases import SOURCES
from netspec.importers.caffe.wiring import Activation, Wired
from netspec.importers.remark import Remarks
from netspec.source import Span

_CONVOLVED = 4  # axes of a convolution's weights


def only_source(ends: Ends, place: Span) -> tuple[Wired, Activation]:
    """The data layer that the net reads, and its blob. Raises SpecError NS804 for none or several."""
    read = {bottom for layer in ends.layers for bottom in layer.bottoms}
    found = [(layer, top) for layer in ends.layers if layer.type in SOURCES for top in layer.tops if top in read]
    if not found:
        raise SpecError([_no_source(ends, place)])
    if len(found) > 1:
        names = ", ".join(f"`{top.name}`" for _, top in found)
        message = f"the net reads {len(found)} inputs, {names}, and the language has one"
        raise SpecError([Diagnostic("NS804", message, found[1][0].place, help="import the part with one input")])
    return found[0]


def _no_source(ends: Ends, place: Span) -> Diagnostic:
    """What is wrong with a net without data layers: it may have one of a type that says no size."""
    for layer in ends.layers:
        if not layer.bottoms and layer.tops and not layer.broken:
            message = f"the net reads what its {layer.type} layer makes, and nothing says how large that is"
            help = "put an Input layer in its place, with `input_param { shape { dim: 1 dim: 3 dim: 224 dim: 224 } }`"
            return Diagnostic("NS804", message, layer.message.place_of("type"), help=help)
    return Diagnostic("NS804", "the net reads no data", place, help="add an Input layer, or a data layer")


def say_unread(wired: Sequence[Wired], remarks: Remarks) -> None:
    """A remark on each input that no layer reads."""
    read = {bottom for layer in wired for bottom in layer.bottoms}
    for layer in wired:
        for top in layer.tops if layer.type == "Input" else ():
            if top not in read:
                text = f"no layer reads the input `{top.name}`: it is left out"
                remarks.dropped("unread input", text, layer.place, layer.name)


def shape_of(
    layer: Wired, top: Activation, given: Sequence[Message], known: Known, remarks: Remarks
) -> tuple[int, ...]:
    """The input's, batch first: the layer's own, or that of the first of ``given`` that speaks of pictures.

    ``given`` are the data layers that make this blob, that of training first. Raises SpecError as input_shape does.
    """
    if declares(layer.message):
        return input_shape(layer.message, top.top, known, remarks)
    first = next((one for one in given if describes(one)), layer.message)
    shape = input_shape(first, first.texts("top").index(top.name), known, remarks)
    return (options_of(layer.message).integer("batch_size", shape[0]), *shape[1:])


def channels_of_weights(ends: Ends, top: Activation, model: CaffeModel) -> int | None:
    """How many channels the weights of the first convolution want."""
    for layer in ends.layers:
        blobs = model.blobs.get(layer.name, ())
        if layer.type == "Convolution" and top in layer.bottoms and blobs and len(blobs[0].shape) == _CONVOLVED:
            return blobs[0].shape[1] * layer.message.child("convolution_param").integer("group", 1)
    return None
