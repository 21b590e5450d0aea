"""How pictures become the input of a Caffe net: data layers to the spec's `data`. It reads no pictures.

Source: data_transformer.cpp: (pixel - mean) * scale of a crop, in OpenCV's order: blue, green, red. A deploy file says
nothing about it; then the defaults of Caffe's ImageNet example are taken, with a remark.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from netspec.diagnostics import Diagnostic, SpecError
from netspec.importers.caffe.inputs import COLOUR, GREY, Mean, options_of
from netspec.importers.caffe.message import Message
from netspec.importers.caffe.reading import at
from netspec.importers.draft import Value
from netspec.importers.remark import Remarks
from netspec.source import Span

_IMAGENET_MEAN: Final = (104.0, 117.0, 123.0)  # blue, green, red
_IMAGENET_SIDE: Final = 256
_CIFAR_SIDE: Final = 32
_IMAGENET_CROPS: Final = range(200, _IMAGENET_SIDE + 1)
_MAPS: Final = 4  # axes


def preparation(
    layers: Sequence[Message], shape: tuple[int, ...], mean: Mean | None, remarks: Remarks
) -> dict[str, Value]:
    """The keys of `data` for an input of that shape, batch first; none for one that is no picture.

    ``layers`` are the data layers that give it, that of training first. Raises SpecError NS808.
    """
    if len(shape) != _MAPS or shape[1] not in (GREY, COLOUR):
        remarks.dropped("preprocessing", "the input is no grey or colour picture: there is no `data`", layers[0].place)
        return {}
    layer = next((one for one in layers if one.has("transform_param") or options_of(one).fields), None)
    chosen = layer or layers[0]
    pictures = _Pictures(chosen, chosen.child("transform_param"), shape, mean, remarks)
    if layer is None:
        return pictures.order() | pictures.unsaid()
    return pictures.order() | pictures.geometry() | pictures.mean_of_file() | pictures.scale()


@dataclass(frozen=True)
class _Pictures:
    """The pictures of one data layer; each method gives some keys of `data`."""

    layer: Message
    transform: Message
    shape: tuple[int, ...]
    mean: Mean | None
    remarks: Remarks

    @property
    def sides(self) -> tuple[int, ...]:
        return self.shape[2:]

    @property
    def channels(self) -> int:
        return self.shape[1]

    @property
    def as_imagenet(self) -> bool:
        """Whether they are as large as the crops that ImageNet's nets take."""
        return self.channels == COLOUR and min(self.sides) == max(self.sides) and self.sides[0] in _IMAGENET_CROPS

    def order(self) -> dict[str, Value]:
        """`channels`."""
        if self.channels == GREY:
            return {"channels": "grey"}
        if self._of_cifar():
            self._say("channel order", "Caffe's CIFAR database holds pictures as red, green, blue, unlike others")
            return {}
        self._say("channel order", "Caffe reads pictures as blue, green, red; `--rgb` turns the first weights around")
        return {"channels": "bgr"}

    def unsaid(self) -> dict[str, Value]:
        """What a file without data layers leaves open: the mean that was given, or what ImageNet's nets take."""
        keys: dict[str, Value] = {}
        if self.as_imagenet:
            keys = {"resize": _IMAGENET_SIDE, "crop": self.sides}
            how = f"the shorter side to {_IMAGENET_SIDE}, then the centre"
        else:
            how = "stretched to its size"
        if self.mean is not None:
            keys |= _colour(self.mean, self.remarks)
            what = "the given mean"
        elif self.as_imagenet:
            keys["mean"] = _IMAGENET_MEAN
            what = f"ImageNet's mean {', '.join(f'{value:g}' for value in _IMAGENET_MEAN)} (blue, green, red)"
        else:
            what = "no mean"
        self._say("preprocessing", f"the file does not say how pictures become the input: {how}, {what}")
        return keys

    def geometry(self) -> dict[str, Value]:
        """`resize`, `crop` and `mirror`."""
        mirrored = self.transform.flag("mirror", default=False)
        keys: dict[str, Value] = {"mirror": at(self.transform, "mirror", value=True)} if mirrored else {}
        if not self.transform.integer("crop_size", 0):
            return keys
        side, place = self._stored_side(), self.transform.place_of("crop_size")
        if side < max(self.sides):
            text = (
                "nothing says how large pictures are before Caffe cuts this out of them: here they are stretched to it"
            )
            self._say("preprocessing", text, place)
            return keys
        text = f"the shorter side of pictures is scaled to {side} before the crop; Caffe {self._stored()}"
        self._say("preprocessing", text, place)
        return keys | {"resize": side, "crop": at(self.transform, "crop_size", self.sides)}

    def _stored(self) -> str:
        """What Caffe does with a picture before the crop."""
        options = options_of(self.layer)
        if not _has_size(options):
            return "takes them as they are stored"
        return f"stretches them to {options.integer('new_height')}x{options.integer('new_width')}"

    def _stored_side(self) -> int:
        """The shorter side of pictures before the crop, where something tells it; else 0."""
        options = options_of(self.layer)
        if _has_size(options):
            return min(options.integer("new_height"), options.integer("new_width"))
        if self.mean is not None:
            return int(min(self.mean.image.shape[1:]))
        if self._of_cifar():
            return _CIFAR_SIDE
        return _IMAGENET_SIDE if self.as_imagenet else 0

    def _of_cifar(self) -> bool:
        """Whether they are of the database that Caffe's example makes of CIFAR."""
        source = options_of(self.layer).text("source", "").lower()
        return self.layer.word("type", "") == "Data" and "cifar" in source

    def mean_of_file(self) -> dict[str, Value]:
        """`mean`: numbers, those of the image that was given, or that of an image that training measures."""
        values = self.transform.numbers("mean_value")
        if values:
            return {"mean": at(self.transform, "mean_value", self._each(values))}
        if self.mean is not None:
            return _colour(self.mean, self.remarks)
        if not self.transform.has("mean_file"):
            return {}
        name = self.transform.text("mean_file").lower()
        known = self.channels == COLOUR and any(word in name for word in ("imagenet", "ilsvrc"))
        text = "the mean image itself is not given (a .binaryproto): training measures one"
        text += ", and ImageNet's mean colour stands in for it until then" if known else ""
        self._say("mean", text, self.transform.place_of("mean_file"))
        stand_in: dict[str, Value] = {"mean_color": _IMAGENET_MEAN} if known else {}
        return {"mean": "image", **stand_in}

    def _each(self, values: tuple[float, ...]) -> tuple[float, ...]:
        if len(values) not in (1, self.channels):
            message = f"{len(values)} mean values for {self.channels} channels"
            place = self.transform.place_of("mean_value")
            raise SpecError([Diagnostic("NS808", message, place, help="one for all channels, or one for each")])
        return values if len(values) == self.channels else values * self.channels

    def scale(self) -> dict[str, Value]:
        """`std`, which divides."""
        factor = self.transform.number("scale", 1.0)
        if factor == 1:
            return {}
        place = self.transform.place_of("scale")
        if factor <= 0:
            help = "a number above 0"
            raise SpecError([Diagnostic("NS802", f"pictures are scaled by {factor:g}", place, help=help)])
        self._say("scale", f"a factor of {factor:g} after the mean is a `std` of {1 / factor:g}", place)
        return {"std": at(self.transform, "scale", (float(f"{1 / factor:.7g}"),) * self.channels)}

    def _say(self, topic: str, text: str, place: Span | None = None) -> None:
        self.remarks.meaning(topic, text, place or self.layer.place, self.layer.text("name", ""))


def _has_size(options: Message) -> bool:
    return options.has("new_height") and options.has("new_width")


def _colour(mean: Mean, remarks: Remarks) -> dict[str, Value]:
    """The mean colour of a mean image, for every pixel."""
    import numpy as np

    image = np.asarray(mean.image, np.float64)
    colour = image.mean(axis=(1, 2))
    away = float(np.abs(image - colour[:, None, None]).max())
    values = tuple(float(f"{value:.7g}") for value in colour)
    text = f"its mean colour, {', '.join(f'{v:g}' for v in values)}, is taken at every pixel: up to {away:.3g} away"
    remarks.meaning("mean", text, mean.place)
    return {"mean": values}
