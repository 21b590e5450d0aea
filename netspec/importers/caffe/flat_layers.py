"""The oldest form of layers: ``layers { layer { type: "conv" num_output: 96 } }``, with all parameters in one list.

It makes layers of the last form of them. Layers of the form between go through as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import Final

from netspec.diagnostics import Diagnostic, SpecError, did_you_mean
from netspec.importers.caffe.message import Field, Message
from netspec.importers.caffe.schema import MESSAGES
from netspec.importers.remark import Remarks

PADDING: Final = "padding"

_TYPES: Final[Mapping[str, tuple[str, str]]] = {  # to the type now, and to the message of its parameters
    "accuracy": ("Accuracy", ""),
    "bnll": ("BNLL", ""),
    "concat": ("Concat", "concat_param"),
    "conv": ("Convolution", "convolution_param"),
    "data": ("Data", "data_param"),
    "dropout": ("Dropout", "dropout_param"),
    "euclidean_loss": ("EuclideanLoss", ""),
    "flatten": ("Flatten", ""),
    "hdf5_data": ("HDF5Data", "hdf5_data_param"),
    "hdf5_output": ("HDF5Output", "hdf5_output_param"),
    "im2col": ("Im2col", "convolution_param"),
    "images": ("ImageData", "image_data_param"),
    "infogain_loss": ("InfogainLoss", "infogain_loss_param"),
    "innerproduct": ("InnerProduct", "inner_product_param"),
    "lrn": ("LRN", "lrn_param"),
    "multinomial_logistic_loss": ("MultinomialLogisticLoss", ""),
    "pool": ("Pooling", "pooling_param"),
    "relu": ("ReLU", ""),
    "sigmoid": ("Sigmoid", ""),
    "softmax": ("Softmax", ""),
    "softmax_loss": ("SoftmaxWithLoss", ""),
    "split": ("Split", ""),
    "tanh": ("TanH", ""),
    "window_data": ("WindowData", "window_data_param"),
}
_RENAMED: Final = {
    "biasterm": "bias_term",
    "kernelsize": "kernel_size",
    "batchsize": "batch_size",
    "shuffle_images": "shuffle",
    "det_fg_threshold": "fg_threshold",
    "det_bg_threshold": "bg_threshold",
    "det_fg_fraction": "fg_fraction",
    "det_context_pad": "context_pad",
    "det_crop_mode": "crop_mode",
}
_TRANSFORM: Final = {"scale": "scale", "meanfile": "mean_file", "cropsize": "crop_size", "mirror": "mirror"}
_OF_PARAMETERS: Final = {"blobs_lr": "lr_mult", "weight_decay": "decay_mult"}
_PADDED: Final = ("conv", "pool")


def flat_upgraded(connections: Sequence[Message], remarks: Remarks) -> list[Message]:
    """The layers in ``layers``: those that hold a ``layer`` in the last form, the others unchanged.

    A layer of type ``padding`` becomes the pad of the convolution or pooling that reads it. Raises SpecError NS803 and
    NS806 for a type that is missing or that Caffe never had.
    """
    padding = _Padding(remarks)
    layers = []
    for connection in connections:
        flat = connection.child("layer") if connection.has("layer") else None
        if flat is None:
            layers.append(connection)
        elif flat.text("type") == PADDING:
            padding.learn(connection, flat)
        else:
            layers.append(_upgraded(*padding.applied(connection, flat), remarks))
    return layers


def _upgraded(connection: Message, flat: Message, remarks: Remarks) -> Message:
    """The layer with its parameters in messages of their own."""
    old = flat.text("type")
    if old not in _TYPES:
        help = did_you_mean(old, (*_TYPES, PADDING), "there are")
        raise SpecError(
            [Diagnostic("NS806", f"no Caffe has the layer type `{old[:40]}`", flat.place_of("type"), help=help)]
        )
    type, parameters = _TYPES[old]
    new = _Parts([], {parameters: [], "transform_param": []})
    for option in flat.without("type", *_OF_PARAMETERS).fields:
        if not new.place(option, parameters):
            text = f"`{option.name}` means nothing in a layer of type `{old}`: it is left out"
            remarks.dropped("unused option", text, option.place, flat.text("name", ""))
    lists = (("transform_param", "TransformationParameter"), (parameters, _kind(parameters)))
    own = [_nested(name, kind, fields) for name, kind in lists if (fields := new.nested[name])]
    kept = (Field("type", type, flat.place_of("type")), *connection.without("layer").fields, *new.layer)
    return Message("LayerParameter", (*kept, *own, *_params(flat)), connection.place)


@dataclass(frozen=True)
class _Parts:
    """Where fields of the old list go: to the layer itself, or to a message of it by name."""

    layer: list[Field]
    nested: dict[str, list[Field]]

    def place(self, field: Field, parameters: str) -> bool:
        """Whether there is a place for the field."""
        name = _RENAMED.get(field.name, field.name)
        if name in ("name", "blobs", "hdf5_output_param"):
            self.layer.append(field)
        elif name in _TRANSFORM:
            self.nested["transform_param"].append(replace(field, name=_TRANSFORM[name]))
        elif parameters and name in MESSAGES[_kind(parameters)].by_name:
            self.nested[parameters].append(replace(field, name=name))
        else:
            return False
        return True


def _kind(parameters: str) -> str:
    return MESSAGES["LayerParameter"].by_name[parameters].kind if parameters else ""


def _nested(name: str, kind: str, fields: Sequence[Field]) -> Field:
    return Field(name, Message(kind, tuple(fields), fields[0].place), fields[0].place)


def _params(flat: Message) -> list[Field]:
    """``blobs_lr`` and ``weight_decay``, one for each parameter, as ``param``."""
    lists = [[replace(field, name=new) for field in flat.all(old)] for old, new in _OF_PARAMETERS.items()]
    both = ([field for field in fields if field] for fields in zip_longest(*lists))
    return [_nested("param", "ParamSpec", fields) for fields in both]


@dataclass
class _Padding:
    """Layers of type ``padding`` that were met, by the blob that they make."""

    remarks: Remarks
    made: dict[str, tuple[Field, int]] = field(default_factory=dict)  # what they read, and how many pixels they add

    def learn(self, connection: Message, flat: Message) -> None:
        bottom, top = connection.get("bottom"), connection.text("top")
        if bottom is None or len(connection.all("bottom")) > 1:
            message = f"a padding layer reads one blob, not {len(connection.all('bottom'))}"
            raise SpecError([Diagnostic("NS808", message, connection.place, help="give it one `bottom`")])
        before, pad = self.made.get(str(bottom.value), (bottom, 0))
        self.made[top] = (replace(before, place=bottom.place), pad + flat.integer("pad", 0))

    def applied(self, connection: Message, flat: Message) -> tuple[Message, Message]:
        """A layer that reads what no padding layer made, and adds what it did."""
        padded = [field for field in connection.all("bottom") if str(field.value) in self.made]
        if padded:
            pad = self.made[str(padded[0].value)][1]
            self._say(padded[0], pad, flat)
            fields = tuple(self._unpadded(field) for field in connection.fields)
            both = Field("pad", flat.integer("pad", 0) + pad, padded[0].place)
            connection, flat = replace(connection, fields=fields), flat.without("pad").plus([both])
        for top in connection.texts("top"):
            self.made.pop(top, None)
        return connection, flat

    def _unpadded(self, field: Field) -> Field:
        if field.name != "bottom" or str(field.value) not in self.made:
            return field
        return replace(field, value=self.made[str(field.value)][0].value)

    def _say(self, bottom: Field, pad: int, flat: Message) -> None:
        name, type = flat.text("name", ""), flat.text("type", "")
        if type in _PADDED:
            text = f"the padding layer before it is its pad of {pad}"
            self.remarks.meaning("old form", text, bottom.place, name)
        else:
            text = f"a padding layer before a layer of type `{type}` has no counterpart: only conv and pool have a pad"
            self.remarks.lost("padding", text, bottom.place, name)
