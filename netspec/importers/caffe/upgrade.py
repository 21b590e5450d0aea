"""Nets in the older forms that Caffe could still read, as nets in its last one. It drops no layer but padding.

Older than ``layer`` with types as text are ``layers`` with types as words, and before that ``layers`` that hold a
``layer`` with all parameters in one list. What a net reads was said by ``input`` and ``input_dim``, later by an Input
layer; how pictures are cropped and scaled stood with the data's source, later in ``transform_param``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import Final

from netspec.diagnostics import Diagnostic, Label, SpecError, did_you_mean
from netspec.importers.caffe.flat_layers import flat_upgraded
from netspec.importers.caffe.message import Field, Message
from netspec.importers.caffe.schema import LAYER_TYPES
from netspec.importers.remark import Remarks

_SOURCES: Final = ("data_param", "image_data_param", "window_data_param")
_TRANSFORM: Final = ("scale", "mean_file", "crop_size", "mirror")
_OF_PARAMETERS: Final = {  # lists of `layers`, one value for each parameter, and their names in `param`
    "param": "name",
    "blob_share_mode": "share_mode",
    "blobs_lr": "lr_mult",
    "weight_decay": "decay_mult",
}
_DEPTHWISE: Final = ("ConvolutionDepthwise", "DepthwiseConvolution")
_AXES: Final = 4  # sizes of one input in input_dim


def upgraded(net: Message, remarks: Remarks) -> Message:
    """A NetParameter in the last form: only ``layer``, types as text, what it reads as Input layers.

    Raises SpecError: NS806 for a type that Caffe never had, NS808 where a net has layers of two forms or as many sizes
    as fit no inputs.
    """
    net = _with_input_layer(_with_last_layers(net, remarks), remarks)
    for change in (_with_transform, _with_round_mode, _with_group):
        net = _mapped(net, lambda layer, change=change: change(layer, remarks))  # type: ignore[misc] # bound now
    return net


def _with_last_layers(net: Message, remarks: Remarks) -> Message:
    old, new = net.all("layers"), net.all("layer")
    if not old:
        return net
    if new:
        others = (Label(old[0].place, "the older form"),)
        message = "a net has either `layer` or `layers`, and this has both"
        help = "write all its layers in one form: Caffe took no other"
        raise SpecError([Diagnostic("NS808", message, new[0].place, others=others, help=help)])
    remarks.meaning("old form", "`layers` are those of an older Caffe, and read as it read them later", old[0].place)
    layers = flat_upgraded(net.children("layers"), remarks)
    return net.without("layers").plus(Field("layer", _from_words(layer), layer.place) for layer in layers)


def _from_words(layer: Message) -> Message:
    """A layer of ``layers`` as one of ``layer``; one that is so already stays."""
    if layer.type == "LayerParameter":
        return layer
    kept = [_with_type(field) for field in layer.fields if field.name not in _OF_PARAMETERS]
    lists = [[replace(field, name=new) for field in layer.all(old)] for old, new in _OF_PARAMETERS.items()]
    params = []
    for fields in zip_longest(*lists):
        own = tuple(field for field in fields if field)
        params.append(Field("param", Message("ParamSpec", own, own[0].place), own[0].place))
    return Message("LayerParameter", (*kept, *params), layer.place)


def _with_type(field: Field) -> Field:
    if field.name != "type":
        return field
    known = LAYER_TYPES.get(str(field.value))
    if known is None:
        message = f"no Caffe has the layer type {field.value}"
        raise SpecError([Diagnostic("NS806", message, field.place, help=did_you_mean(str(field.value), LAYER_TYPES))])
    return replace(field, value=known)


def _with_input_layer(net: Message, remarks: Remarks) -> Message:
    """``input`` with ``input_shape`` or ``input_dim`` as an Input layer before all others."""
    if not net.has("input"):
        return net
    tops = [replace(field, name="top") for field in net.all("input")]
    shapes = _input_shapes(net, len(tops))
    place = tops[0].place
    kind = [Field("name", "input", place), Field("type", "Input", place)]
    sizes = [Field("input_param", Message("InputParameter", shapes, place), place)] if shapes else []
    layer = Message("LayerParameter", (*kind, *tops, *sizes), place)
    remarks.meaning("old form", "`input` is read as an Input layer", place)
    rest = net.without("input", "input_shape", "input_dim")
    return replace(rest, fields=(Field("layer", layer, place), *rest.fields))


def _input_shapes(net: Message, count: int) -> tuple[Field, ...]:
    shapes, dims = net.all("input_shape"), net.all("input_dim")
    given, wanted, what = (len(shapes), count, "input_shape") if shapes else (len(dims), _AXES * count, "input_dim")
    if given not in (0, wanted):
        message = f"{count} `input` take {wanted} `{what}`, and there are {given}"
        help = "give batch, channels, height and width of each" if what == "input_dim" else "give one for each"
        raise SpecError([Diagnostic("NS808", message, net.place_of(what), help=help)])
    if shapes:
        return tuple(replace(field, name="shape") for field in shapes)
    return tuple(_shape(dims[start : start + _AXES]) for start in range(0, len(dims), _AXES))


def _shape(dims: Sequence[Field]) -> Field:
    sizes = tuple(replace(field, name="dim") for field in dims)
    return Field("shape", Message("BlobShape", sizes, dims[0].place), dims[0].place)


def _with_transform(layer: Message, remarks: Remarks) -> Message:
    """How pictures are scaled and cropped from the data's source to ``transform_param``, which goes before."""
    for source in _SOURCES:
        moved = [field for field in layer.child(source).fields if field.name in _TRANSFORM]
        if moved:
            text = f"the transformations in `{source}` are read as those of `transform_param`"
            remarks.meaning("old form", text, moved[0].place, layer.text("name", ""))
            layer = _with_child(layer, source, layer.child(source).without(*_TRANSFORM))
            transform = layer.child("transform_param")
            new = tuple(field for field in moved if not transform.has(field.name))
            place = transform.place if layer.has("transform_param") else moved[0].place
            both = Message("TransformationParameter", (*transform.fields, *new), place)
            layer = _with_child(layer, "transform_param", both)
    return layer


def _with_round_mode(layer: Message, remarks: Remarks) -> Message:
    """``ceil_mode`` of other versions of Caffe as ``round_mode``."""
    pooling = layer.child("pooling_param")
    old = pooling.get("ceil_mode")
    if old is None:
        return layer
    remarks.meaning("rounding", "`ceil_mode` is no field of BVLC Caffe: read as other versions have it", old.place)
    word = "CEIL" if pooling.flag("ceil_mode") else "FLOOR"
    changed = pooling.without("ceil_mode").plus([Field("round_mode", word, old.place)])
    return _with_child(layer, "pooling_param", changed)


def _with_group(layer: Message, remarks: Remarks) -> Message:
    """Depthwise convolutions of other versions of Caffe, which are faster, as convolutions with a group a filter."""
    kind = layer.get("type")
    if kind is None or kind.value not in _DEPTHWISE:
        return layer
    text = f"`{kind.value}` is no type of BVLC Caffe: read as a convolution with a group for each of its filters"
    remarks.meaning("depthwise", text, kind.place, layer.text("name", ""))
    parameter = layer.child("convolution_param")
    if not parameter.has("group") and parameter.has("num_output"):
        parameter = parameter.plus([replace(parameter.all("num_output")[0], name="group")])
    changed = replace(layer, fields=tuple(replace(f, value="Convolution") if f is kind else f for f in layer.fields))
    return _with_child(changed, "convolution_param", parameter)


def _with_child(message: Message, name: str, child: Message) -> Message:
    return message.without(name).plus([Field(name, child, child.place)])


def _mapped(net: Message, change: Callable[[Message], Message]) -> Message:
    """The net with each of its layers changed."""
    fields = []
    for field in net.fields:
        is_layer = field.name == "layer" and isinstance(field.value, Message)
        fields.append(replace(field, value=change(field.value)) if is_layer else field)  # type: ignore[arg-type] # so it is
    return replace(net, fields=tuple(fields))
