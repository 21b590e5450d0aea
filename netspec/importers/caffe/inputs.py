"""How large the pictures are that a Caffe net reads: its data layers say it, a mean image, or the user. No pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from netspec.diagnostics import Diagnostic, SpecError
from netspec.importers.caffe.message import Message
from netspec.importers.remark import Remarks
from netspec.source import Span

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

GREY: Final = 1
COLOUR: Final = 3
_MAPS: Final = 4  # axes
_SIZES: Final = ("num", "channels", "height", "width")
_OPTIONS: Final = {  # where each type of data layer has its own options
    "Data": "data_param",
    "HDF5Data": "hdf5_data_param",
    "ImageData": "image_data_param",
    "MemoryData": "memory_data_param",
    "WindowData": "window_data_param",
}


@dataclass(frozen=True)
class Mean:
    """The mean image of a file: [channels, height, width] on the scale 0 to 255."""

    image: NDArray[np.float32]
    place: Span


@dataclass(frozen=True)
class Known:
    """What is known of the input beside its layers: the user's side, a mean image, the channels that weights want."""

    size: int | None = None
    mean: Mean | None = None
    channels: int | None = None


def input_shape(layer: Message, top: int, known: Known, remarks: Remarks) -> tuple[int, ...]:
    """The shape, batch first, of a top of a data layer: four sizes, or two of what is flat.

    Raises SpecError NS803 where nothing says the size, NS804 for what is no picture.
    """
    declared = _declared(layer, top)
    shape = declared or _of_pictures(layer, known, remarks)
    if known.size is not None and len(shape) == _MAPS and shape[2:] != (known.size, known.size):
        said = "x".join(map(str, shape[2:]))
        text = f"`--size {known.size}` is not used: the size of pictures is {said} in the files"
        if declared:
            shape = (*shape[:2], known.size, known.size)
            text = f"the input is {known.size}x{known.size}, as `--size` says; the file says {said}"
        remarks.meaning("size", text, layer.place, layer.text("name", ""))
    if len(shape) not in (2, 4) or min(shape) < 1:
        text = " x ".join(map(str, shape)) or "no sizes"
        message = f"an input of {text} is no batch of pictures"
        help = "a batch, channels, height and width, each at least 1"
        raise SpecError([Diagnostic("NS804", message, layer.place, help=help)])
    return shape


def describes(layer: Message) -> bool:
    """Whether a data layer says anything about pictures."""
    return layer.has("transform_param") or bool(options_of(layer).fields)


def declares(layer: Message) -> bool:
    """Whether a data layer gives its shape itself."""
    return bool(_declared(layer, 0))


def options_of(layer: Message) -> Message:
    """The options of a data layer that are its type's own."""
    return layer.child(_OPTIONS.get(layer.word("type", ""), ""))


def _declared(layer: Message, top: int) -> tuple[int, ...]:
    """The shape that a layer gives itself; nothing where it has none."""
    dummy, memory = layer.child("dummy_data_param"), layer.child("memory_data_param")
    shapes = layer.child("input_param").children("shape") or dummy.children("shape")
    if shapes:
        return shapes[min(top, len(shapes) - 1)].integers("dim")
    sizes = [dummy.integers(name) for name in _SIZES]
    if all(sizes):
        return tuple(size[min(top, len(size) - 1)] for size in sizes)
    return tuple(memory.integer(name) for name in ("batch_size", *_SIZES[1:])) if memory.fields else ()


def _of_pictures(layer: Message, known: Known, remarks: Remarks) -> tuple[int, ...]:
    """The shape of pictures that stand elsewhere, in a database or a list of files."""
    transform, options = layer.child("transform_param"), options_of(layer)
    batch, channels = options.integer("batch_size", 1), _channels(layer, known, remarks)
    if crop := transform.integer("crop_size", 0):
        return (batch, channels, crop, crop)
    if options.has("new_height") and options.has("new_width"):
        return (batch, channels, options.integer("new_height"), options.integer("new_width"))
    if known.mean is not None:
        return (batch, *known.mean.image.shape)
    if known.size is not None:
        return (batch, channels, known.size, known.size)
    message = "the file does not say how large the pictures of this layer are"
    help = "give the size, `--size 32`, or the mean image, a .binaryproto"
    if layer.word("type", "") == "HDF5Data":
        help = "give the size, `--size 32`; that of 4 numbers without a place is `--size 1 --channels 4`"
    raise SpecError([Diagnostic("NS803", message, layer.place, help=help)])


def _channels(layer: Message, known: Known, remarks: Remarks) -> int:
    transform, options = layer.child("transform_param"), options_of(layer)
    if known.mean is not None:
        return int(known.mean.image.shape[0])
    if known.channels is not None:
        return known.channels
    if transform.flag("force_gray", default=False) or not options.flag("is_color", default=True):
        return GREY
    sure = layer.word("type", "") == "ImageData" or transform.has("force_color")
    if not sure and len(transform.all("mean_value")) < COLOUR:
        text = "the file does not say how many channels pictures have, so 3; `--channels 1` makes them grey"
        remarks.meaning("channels", text, layer.place, layer.text("name", ""))
    return COLOUR
