"""What a netspec model says about itself in its ONNX metadata: preprocessing, labels, origin. It reads no files.

The keys: `netspec.version`, `netspec.hash`, `netspec.licence`, `netspec.labels`, `netspec.preprocessing`,
`netspec.mean_image`.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

MAX_SIDE: Final = 16384  # pixels; larger inputs are no pictures for these nets, but a way to exhaust memory
PREPROCESSING_KEY: Final = "netspec.preprocessing"
MEAN_IMAGE_KEY: Final = "netspec.mean_image"  # where training subtracted a mean image; `mean` then holds this very name
LABELS_KEY: Final = "netspec.labels"
OUTPUT_KEY: Final = "netspec.output"  # "probabilities" or "scores"
HELD_OUT_OF_KEY: Final = "netspec.held_out_of"  # only where it learned from raw pictures without a test split
SPLIT_KEY: Final = "netspec.split"  # only in the file of one device of several

MAX_MEAN_IMAGE: Final = 1 << 25  # bytes of float32: 1672 x 1672 in colour; `model_file` reads twice that as text

_KEYS: Final = frozenset({"resize", "crop", "channels", "mean", "std", "interpolation", "views"})
_COLOR: Final = "mean_color"  # what `mean` is in files without a mean image, and was in the first ones with one


class CardError(ValueError):
    """The metadata is not what netspec writes. The text names the key and what is wrong with it."""


class Channels(StrEnum):
    """The order in which a net wants the colours."""

    RGB = "rgb"
    BGR = "bgr"
    GREY = "grey"

    @property
    def planes(self) -> int:
        return 1 if self is Channels.GREY else 3


@dataclass(frozen=True)
class MeanImage:
    """The training set's mean picture, cut as the input: ``shape`` is [channels, height, width].

    ``pixels`` are its float32 numbers, little endian, on the scale from 0 to 255, in the order of the net's channels.
    """

    shape: tuple[int, int, int]
    pixels: bytes

    @classmethod
    def of(cls, image: NDArray[np.float32]) -> MeanImage:
        """From [channels, height, width]. Raises CardError for one that `read_card` would refuse."""
        channels, height, width = image.shape
        return cls((channels, height, width), image.astype("<f4").tobytes()).checked()

    @property
    def array(self) -> NDArray[np.float32]:
        """[channels, height, width]."""
        return np.frombuffer(self.pixels, "<f4").reshape(self.shape).astype(np.float32, copy=False)

    def text(self) -> str:
        """As it stands under MEAN_IMAGE_KEY."""
        return json.dumps({"shape": list(self.shape), "float32": base64.b64encode(self.pixels).decode("ascii")})

    def checked(self) -> MeanImage:
        """Itself. Raises CardError."""
        if len(self.pixels) > MAX_MEAN_IMAGE:
            raise CardError(f"mean_image has more than {MAX_MEAN_IMAGE:,} bytes")
        if not np.all(np.abs(self.array) < 1e9):  # false for what is no number, too
            raise CardError("mean_image has something that is no finite number")
        return self


@dataclass(frozen=True)
class Preprocessing:
    """How a picture becomes the net's input.

    ``resize``: the shorter side in pixels; None stretches the picture to ``crop``. ``crop``: height and width of the
    input. ``mean`` and ``std``: a number a channel, in the order of ``channels``, on the scale from 0 to 255; the mean
    is subtracted first. ``views``: 1 or 10, what the spec is evaluated with; `infer` takes its own option.
    ``mean_image``, where there is one, is subtracted from every view instead of ``mean``.
    """

    resize: int | None
    crop: tuple[int, int]
    channels: Channels
    mean: tuple[float, ...]
    std: tuple[float, ...]
    views: int
    mean_image: MeanImage | None = None


@dataclass(frozen=True)
class ModelCard:
    """What a model says about itself. Empty ``labels``: its classes have no names.

    ``scores``: its output is no softmax, so probabilities are the softmax of it. ``held_out_of`` says which raw
    pictures without a test split it learned from, and the fraction that was set aside (netspec_runtime.data.source).
    """

    preprocessing: Preprocessing
    labels: tuple[str, ...]
    version: str
    spec_hash: str
    licence: str
    scores: bool
    held_out_of: str = ""

    def label(self, index: int) -> str:
        return self.labels[index] if self.labels else f"class {index}"


def read_card(metadata: Mapping[str, str]) -> ModelCard:
    """The card in the metadata of a model that has PREPROCESSING_KEY. Raises CardError."""
    document = _json(metadata, PREPROCESSING_KEY)
    preprocessing = _preprocessing(document)
    if _points(document) and MEAN_IMAGE_KEY not in metadata:
        raise CardError(f"mean is {MEAN_IMAGE_KEY}, which is missing")
    if MEAN_IMAGE_KEY in metadata:
        shape = (preprocessing.channels.planes, *preprocessing.crop)
        preprocessing = replace(preprocessing, mean_image=_mean_image(_json(metadata, MEAN_IMAGE_KEY), shape))
    return ModelCard(
        preprocessing=preprocessing,
        labels=_labels(_json(metadata, LABELS_KEY)) if LABELS_KEY in metadata else (),
        version=metadata.get("netspec.version", ""),
        spec_hash=metadata.get("netspec.hash", ""),
        licence=metadata.get("netspec.licence", ""),
        scores=metadata.get(OUTPUT_KEY) == "scores",
        held_out_of=metadata.get(HELD_OUT_OF_KEY, ""),
    )


def _json(metadata: Mapping[str, str], key: str) -> object:
    try:
        value: object = json.loads(metadata[key])
    except (ValueError, RecursionError) as error:
        raise CardError(f"{key} is no JSON") from error
    return value


def _labels(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise CardError(f"{LABELS_KEY} is no list of names")
    names = tuple(name for name in value if isinstance(name, str))
    if len(names) != len(value):
        raise CardError(f"{LABELS_KEY} has a name that is no text")
    return names


def _preprocessing(value: object) -> Preprocessing:
    if not isinstance(value, dict):
        raise CardError(f"{PREPROCESSING_KEY} is no mapping")
    color = _COLOR if _points(value) else "mean"
    unknown = sorted(set(value) ^ (_KEYS | {color}))
    if unknown:
        raise CardError(f"{PREPROCESSING_KEY} has a missing or unknown key: {', '.join(unknown)[:80]}")
    if value["interpolation"] != "bilinear":
        raise CardError("interpolation is not bilinear")
    if value["views"] not in (1, 10):
        raise CardError("views is neither 1 nor 10")
    channels = _channels(value["channels"])
    crop = _crop(value["crop"])
    return Preprocessing(
        resize=_resize(value["resize"], crop),
        crop=crop,
        channels=channels,
        mean=_numbers(color, value[color], channels.planes),
        std=_std(value["std"], channels.planes),
        views=int(value["views"]),
    )


def _points(value: object) -> bool:
    """Whether the preprocessing says that its mean is the image under MEAN_IMAGE_KEY."""
    return isinstance(value, dict) and value.get("mean") == MEAN_IMAGE_KEY


def _mean_image(value: object, shape: tuple[int, int, int]) -> MeanImage:
    """The image, which must have the shape of the net's input."""
    if not isinstance(value, dict) or value.keys() != {"shape", "float32"}:
        raise CardError(f"{MEAN_IMAGE_KEY} is no mapping of shape and float32")
    if value["shape"] != list(shape) or not all(type(number) is int for number in value["shape"]):
        raise CardError(f"mean_image has not the shape of the input, {list(shape)}")
    text, size = value["float32"], 4 * shape[0] * shape[1] * shape[2]
    if size > MAX_MEAN_IMAGE:
        raise CardError(f"mean_image has more than {MAX_MEAN_IMAGE:,} bytes")
    if not isinstance(text, str) or len(text) != (size + 2) // 3 * 4:
        raise CardError(f"mean_image is no text of {size:,} bytes in base64")
    try:
        pixels = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise CardError("mean_image is no base64") from error
    if len(pixels) != size:
        raise CardError(f"mean_image has {len(pixels):,} bytes, not {size:,}")
    return MeanImage(shape, pixels).checked()


def _channels(value: object) -> Channels:
    try:
        return Channels(value)  # type: ignore[arg-type]  # any value may be asked for; others raise
    except ValueError as error:
        raise CardError("channels is none of rgb, bgr, grey") from error


def _crop(value: object) -> tuple[int, int]:
    if not isinstance(value, list) or len(value) != 2:
        raise CardError("crop is no pair of height and width")
    return _side("crop", value[0]), _side("crop", value[1])


def _resize(value: object, crop: tuple[int, int]) -> int | None:
    if value is None:
        return None
    side = _side("resize", value)
    if side < max(crop):
        raise CardError(f"a picture resized to {side} is too small for a crop of {max(crop)}")
    return side


def _side(key: str, value: object) -> int:
    if type(value) is not int or not 1 <= value <= MAX_SIDE:
        raise CardError(f"{key} is no number of pixels from 1 to {MAX_SIDE}")
    return value


def _std(value: object, count: int) -> tuple[float, ...]:
    numbers = _numbers("std", value, count)
    if min(numbers) <= 0:
        raise CardError("std is not above 0")
    return numbers


def _numbers(key: str, value: object, count: int) -> tuple[float, ...]:
    if not isinstance(value, list) or len(value) != count:
        raise CardError(f"{key} is no list of {count} numbers")
    if not all(type(number) in {int, float} and abs(number) < 1e9 for number in value):
        raise CardError(f"{key} has something that is no finite number")
    return tuple(float(number) for number in value)
