"""What the file says about itself, so that `infer` needs nothing else: the spec, preprocessing, labels, licence."""

from __future__ import annotations

import json

import onnx

from netspec import __version__
from netspec.spec.dump import dump, spec_hash
from netspec.spec.model import DataSpec, Spec


def add_metadata(model: onnx.ModelProto, spec: Spec, labels: tuple[str, ...], more: dict[str, str] | None = None) -> None:
    """Write metadata_props, sorted by key."""
    entries = {
        "netspec.version": __version__,
        "netspec.spec": dump(spec),
        "netspec.hash": spec_hash(spec),
        "netspec.preprocessing": json.dumps(preprocessing(spec), sort_keys=True),
        **({"netspec.labels": json.dumps(labels, ensure_ascii=False)} if labels else {}),
        **({"netspec.licence": spec.licence} if spec.licence else {}),
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
        "mean": list(_mean(data, spec.input.channels)),
        "std": list(data.std or (1.0,) * spec.input.channels),
        "interpolation": "bilinear",
        "views": data.test_views,
    }


def _mean(data: DataSpec, channels: int) -> tuple[float, ...]:
    """The mean colour: given, or standing in until the data has been seen."""
    if isinstance(data.mean, tuple):
        return data.mean
    return (0.0,) * channels if data.mean == "none" else (data.mean_color or (0.0,) * channels)
