"""How pictures become the input of a Caffe net: data layers to the spec's `data`. It reads no pictures.

Source: data_transformer.cpp: (pixel - mean) * scale of a crop, in OpenCV's order: blue, green, red. A deploy file says
nothing about it; then the defaults of Caffe's ImageNet example are taken, with a remark.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import Final

from netspec.diagnostics import Diagnostic, SpecError
from netspec.importers.caffe.inputs import COLOUR, GREY, Mean, describes, options_of
from netspec.importers.caffe.message import Message
from netspec.importers.caffe.reading import at
from netspec.importers.draft import Value
from netspec.importers.remark import Remarks
from netspec.source import Span

_IMAGENET_MEAN: Final = (104.0, 117.0, 123.0)  # blue, green, red
_IMAGENET_SIDE: Final = 256
_CIFAR_SIDE: Final = 32
_IMAGENET_CROPS: Final = range(224, _IMAGENET_SIDE + 1)  # of the nets whose pictures are scaled to 256
_MARGIN: Final = Fraction(256, 227)  # of the scaled picture over the crop, for inputs of other sizes
_SMALL: Final = 64  # up to here pictures are taken whole
_MAPS: Final = 4  # axes
_COMPARED: Final = ("crop_size", "scale", "mean_file", "mean_value", "force_color", "force_gray")
_COMPARED_SIZES: Final = ("new_height", "new_width", "is_color")


def preparation(
    layers: Sequence[Message], shape: tuple[int, ...], mean: Mean | None, remarks: Remarks
) -> dict[str, Value]:
    """The keys of `data` for an input of that shape, batch first; none for one that is no picture.

    ``layers`` are the data layers that give it, that of training first. Raises SpecError NS808.
    """
    if len(shape) != _MAPS or shape[1] not in (GREY, COLOUR):
        remarks.dropped("preprocessing", "the input is no grey or colour picture: there is no `data`", layers[0].place)
        return {}
    layer = next((one for one in layers if describes(one)), None)
    chosen = layer or layers[0]
    pictures = _Pictures(chosen, chosen.child("transform_param"), shape, mean, remarks)
    for other in layers:
        if layer is not None and other is not layer and describes(other):
            _say_other(layer, other, remarks)
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
        """Whether they are taken for photos like those of ImageNet."""
        return self.channels == COLOUR and min(self.sides) > _SMALL

    @property
    def usual_side(self) -> int:
        """To what the shorter side is scaled before a crop that is taken for one of photos; 0 for no such crop."""
        side = max(self.sides)
        if not self.as_imagenet or min(self.sides) != side:
            return 0
        return _IMAGENET_SIDE if side in _IMAGENET_CROPS else ceil(side * _MARGIN)

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
        if side := self.usual_side:
            keys = {"resize": side, "crop": self.sides}
            how = f"the shorter side to {side}, then the centre"
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
        self._check_crop()
        if self._warped() == self.sides:
            return keys
        if side < max(self.sides):
            text = (
                "nothing says how large pictures are before Caffe cuts this out of them: here they are stretched to it"
            )
            self._say("preprocessing", text, place)
            return keys
        text = f"the shorter side of pictures is scaled to {side} before the crop, and proportions stay; Caffe "
        text += self._stored()
        self._say("preprocessing", text, place)
        return keys | {"resize": side, "crop": at(self.transform, "crop_size", self.sides)}

    def _stored(self) -> str:
        """What Caffe does with a picture before the crop."""
        if not (size := self._warped()):
            return "takes them as they are stored"
        same = ": the same for square pictures only" if size[0] == size[1] else ""
        return f"stretches them to {size[0]}x{size[1]}{same}"

    def _warped(self) -> tuple[int, ...]:
        """The height and width that Caffe stretches pictures to before the crop; nothing where it does not."""
        options = options_of(self.layer)
        if not (options.has("new_height") and options.has("new_width")):
            return ()
        return options.integer("new_height"), options.integer("new_width")

    def _check_crop(self) -> None:
        """Raise SpecError NS808 for a crop that is larger than what it is cut out of."""
        mean = self.mean.image.shape[1:] if self.mean is not None and self.transform.has("mean_file") else ()
        crop = self.transform.integer("crop_size")
        for what, sizes in (("the mean image", mean), ("a picture", self._warped())):
            if sizes and min(sizes) < crop:
                message = f"a crop of {crop} does not fit {what} of {sizes[0]}x{sizes[1]}"
                place = self.transform.place_of("crop_size")
                raise SpecError([Diagnostic("NS808", message, place, help="Caffe takes none: give the right one")])

    def _stored_side(self) -> int:
        """The shorter side of pictures before the crop, where something tells it; else 0."""
        if size := self._warped():
            return min(size)
        if self.mean is not None:
            return int(min(self.mean.image.shape[1:]))
        if self._of_cifar():
            return _CIFAR_SIDE
        return self.usual_side

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


def _say_other(taken: Message, other: Message, remarks: Remarks) -> None:
    """A remark on what another phase's data layer says otherwise; that only training mirrors is as it should be."""
    pairs = ((taken.child("transform_param"), other.child("transform_param")), (options_of(taken), options_of(other)))
    differ = [
        f"`{name}`"
        for (ours, theirs), names in zip(pairs, (_COMPARED, _COMPARED_SIZES), strict=True)
        for name in names
        if [field.value for field in ours.all(name)] != [field.value for field in theirs.all(name)]
    ]
    if differ:
        text = f"training's data layer is taken, and that of testing says another {', '.join(differ)}"
        remarks.meaning("phases", text, other.place, other.text("name", ""))


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
