"""What the file says about itself, so that `infer` needs nothing else: the spec, preprocessing, labels, licence."""

from __future__ import annotations

import json

import onnx

from netspec import __version__
from netspec.spec.dump import dump, spec_hash
from netspec.spec.model import Spec
from netspec_runtime.model_file import SEAL_KEY


def add_metadata(
    model: onnx.ModelProto, spec: Spec, labels: tuple[str, ...], more: dict[str, str] | None = None
) -> None:
    """Write metadata_props, sorted by key."""
    entries = {
        "netspec.version": __version__,
        "netspec.spec": dump(spec),
        "netspec.hash": spec_hash(spec),
        "netspec.preprocessing": json.dumps(preprocessing(spec), sort_keys=True),
        **({"netspec.labels": json.dumps(labels, ensure_ascii=False)} if labels else {}),
        **({"netspec.licence": spec.licence} if spec.licence else {}),
        SEAL_KEY: "0" * 64,  # filled in by the writer
        **(more or {}),
    }
    for key, value in sorted(entries.items()):
        model.metadata_props.add(key=key, value=value)


def preprocessing(spec: Spec) -> dict[str, object]:
    """How a picture becomes the input, as `netspec_runtime.card` reads it."""
    data = spec.data
    return {
        "resize": data.resize,
        "crop": list(spec.input.size),
        "channels": data.channels if spec.input.channels == 3 else "grey",
        "mean": list(mean_colour(spec)),
        "std": list(data.std or (1.0,) * spec.input.channels),
        "interpolation": "bilinear",
        "views": data.test_views,
    }


def mean_colour(spec: Spec) -> tuple[float, ...]:
    """What is subtracted from each channel: given, or standing in until `train` has seen the data; zeros for none."""
    data = spec.data
    if isinstance(data.mean, tuple):
        return data.mean
    zeros = (0.0,) * spec.input.channels
    return zeros if data.mean == "none" else (data.mean_color or zeros)
