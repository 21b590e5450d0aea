"""What the file says about itself, so that `infer` needs nothing else: the spec, preprocessing, labels, licence."""

from __future__ import annotations

import json

import onnx

from netspec import __version__
from netspec.seen import Seen
from netspec.spec.dump import dump, spec_hash
from netspec.spec.model import Spec
from netspec_runtime.card import (
    HELD_OUT_OF_KEY,
    MEAN_IMAGE_KEY,
    OUTPUT_KEY,
    PREPROCESSING_KEY,
    CardError,
    MeanImage,
)
from netspec_runtime.errors import DataError
from netspec_runtime.model_file import SEAL_KEY


def add_metadata(
    model: onnx.ModelProto,
    spec: Spec,
    labels: tuple[str, ...],
    seen: Seen | None = None,
    more: dict[str, str] | None = None,
) -> None:
    """Write metadata_props, sorted by key. Raises as `describe` does."""
    entries = {
        **describe(spec, labels, seen),
        SEAL_KEY: "0" * 64,  # filled in by the writer
        **(more or {}),
    }
    for key, value in sorted(entries.items()):
        model.metadata_props.add(key=key, value=value)


def describe(spec: Spec, labels: tuple[str, ...], seen: Seen | None = None) -> dict[str, str]:
    """What a model says of itself; with ``seen``, the measured mean. Raises DataError for one too large."""
    return {
        "netspec.version": __version__,
        "netspec.spec": dump(spec),
        "netspec.hash": spec_hash(spec),
        **(_preparation(spec, seen) if takes_pictures(spec) else {}),
        OUTPUT_KEY: "probabilities" if _ends_in_softmax(spec) else "scores",
        **({"netspec.labels": json.dumps(labels, ensure_ascii=False)} if labels else {}),
        **({"netspec.licence": spec.licence} if spec.licence else {}),
        **({HELD_OUT_OF_KEY: seen.held_out_of} if seen is not None and seen.held_out_of else {}),
    }


def _ends_in_softmax(spec: Spec) -> bool:
    """Whether the first output is a softmax."""
    read = {source for layer in spec.layers.values() for source in layer.inputs}
    ends = spec.outputs or tuple(name for name in spec.layers if name not in read)
    return spec.layers[ends[0]].type == "softmax"


def takes_pictures(spec: Spec) -> bool:
    """Whether the input is a grey or a colour picture; other inputs have no preprocessing to record."""
    return spec.input.channels in (1, 3)


def _preparation(spec: Spec, seen: Seen | None) -> dict[str, str]:
    entries = {PREPROCESSING_KEY: json.dumps(preprocessing(spec, seen), sort_keys=True)}
    if seen is not None and spec.data.mean == "image":
        try:
            entries[MEAN_IMAGE_KEY] = MeanImage.of(seen.image(spec)).text()
        except CardError as error:
            raise DataError("the mean image", str(error), "write `mean: color`") from None
    return entries


def preprocessing(spec: Spec, seen: Seen | None = None) -> dict[str, object]:
    """How a picture becomes the input, as `netspec_runtime.card` reads it.

    Where a mean image is subtracted, `mean` names its key, so that nobody takes the colour for it.
    """
    mean, std = colour_scale(spec, seen)
    has_image = seen is not None and spec.data.mean == "image"
    return {
        "resize": spec.data.resize,
        "crop": list(spec.input.size),
        "channels": spec.data.channels if spec.input.channels == 3 else "grey",
        **({"mean": MEAN_IMAGE_KEY, "mean_color": list(mean)} if has_image else {"mean": list(mean)}),
        "std": list(std),
        "interpolation": "bilinear",
        "views": spec.data.test_views,
    }


def colour_scale(spec: Spec, seen: Seen | None = None) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """What is subtracted from each channel and what the difference is divided by.

    The mean is the given one, or that of the data, or what stands in until `train` has seen them; zeros for none. With
    a mean image it is the mean colour: near to what is subtracted, at every pixel.
    """
    zeros, ones = (0.0,) * spec.input.channels, (1.0,) * spec.input.channels
    return _mean(spec, seen) or zeros, spec.data.std or ones


def _mean(spec: Spec, seen: Seen | None) -> tuple[float, ...] | None:
    if spec.data.mean == "none":
        return None
    if isinstance(spec.data.mean, tuple):
        return spec.data.mean
    return seen.color(spec) if seen is not None else spec.data.mean_color
