"""What the file says about itself, so that `infer` needs nothing else: the spec, preprocessing, labels, licence."""

from __future__ import annotations

import json

import onnx

from netspec import __version__
from netspec.spec.dump import dump, spec_hash
from netspec.spec.model import Spec
from netspec_runtime.card import OUTPUT_KEY, PREPROCESSING_KEY
from netspec_runtime.model_file import SEAL_KEY


def add_metadata(
    model: onnx.ModelProto, spec: Spec, labels: tuple[str, ...], more: dict[str, str] | None = None
) -> None:
    """Write metadata_props, sorted by key."""
    entries = {
        "netspec.version": __version__,
        "netspec.spec": dump(spec),
        "netspec.hash": spec_hash(spec),
        **({PREPROCESSING_KEY: json.dumps(preprocessing(spec), sort_keys=True)} if takes_pictures(spec) else {}),
        OUTPUT_KEY: "probabilities" if _ends_in_softmax(spec) else "scores",
        **({"netspec.labels": json.dumps(labels, ensure_ascii=False)} if labels else {}),
        **({"netspec.licence": spec.licence} if spec.licence else {}),
        SEAL_KEY: "0" * 64,  # filled in by the writer
        **(more or {}),
    }
    for key, value in sorted(entries.items()):
        model.metadata_props.add(key=key, value=value)


def _ends_in_softmax(spec: Spec) -> bool:
    """Whether the first output is a softmax."""
    read = {source for layer in spec.layers.values() for source in layer.inputs}
    ends = spec.outputs or tuple(name for name in spec.layers if name not in read)
    return spec.layers[ends[0]].type == "softmax"


def takes_pictures(spec: Spec) -> bool:
    """Whether the input is a grey or a colour picture; other inputs have no preprocessing to record."""
    return spec.input.channels in (1, 3)


def preprocessing(spec: Spec) -> dict[str, object]:
    """How a picture becomes the input, as `netspec_runtime.card` reads it."""
    mean, std = colour_scale(spec)
    return {
        "resize": spec.data.resize,
        "crop": list(spec.input.size),
        "channels": spec.data.channels if spec.input.channels == 3 else "grey",
        "mean": list(mean),
        "std": list(std),
        "interpolation": "bilinear",
        "views": spec.data.test_views,
    }


def colour_scale(spec: Spec) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """What is subtracted from each channel and what the difference is divided by.

    The mean is the given one, or stands in until `train` has seen the data; zeros for none.
    """
    data = spec.data
    zeros, ones = (0.0,) * spec.input.channels, (1.0,) * spec.input.channels
    unseen = zeros if data.mean == "none" else (data.mean_color or zeros)
    return data.mean if isinstance(data.mean, tuple) else unseen, data.std or ones
