"""The data layers of a definition: the net's input, its size, and how pictures become it. It reads no pictures.

Source: reference/cuda-convnet.md 0, 1.2 (data), 5.3, 6 (data providers).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from netspec.importers.cuda_convnet.dialect import type_of
from netspec.importers.cuda_convnet.layer import INPUT, FileLayer, Output
from netspec.importers.cuda_convnet.sections import Section
from netspec.importers.draft import Value
from netspec.ir.shape import Maps

_CIFAR, _CIFAR_CROP, _IMAGENET = 32, 24, 224
_THUMBNAIL = 64  # up to this, pictures are taken as they are
_CIFAR_CLASSES = ("10", "100")
_COLOURS = 3
_PROVIDERS: Mapping[int, Mapping[str, Value]] = {
    _IMAGENET: {  # specs/alexnet-2012.yaml says more of each
        "resize": 256,
        "crop": _IMAGENET,
        "mirror": True,
        "mean": "image",
        "mean_color": [127.3, 119.72, 104.91],
        "color_pca": 0.1,
        "color_pca_of": "std",
        "test_views": 10,
    },
    _CIFAR: {"mean": "image"},
    _CIFAR_CROP: {"resize": _CIFAR, "crop": _CIFAR_CROP, "mirror": True, "mean": "image"},
}


@dataclass(frozen=True)
class Picture:
    """The net's input: its shape, and the data layers that are pictures, by name. ``assumed``: nobody said the size."""

    shape: Maps
    layers: frozenset[str]
    assumed: bool


def find_picture(definition: Mapping[str, Section], size: int | None) -> Picture:
    """Data layers that a layer reads are pictures; those that only costs read are labels."""
    data = {name for name, section in definition.items() if type_of(section) == "data"}
    readers = [section for section in definition.values() if not type_of(section).startswith("cost.")]
    read = [(name, section, number) for section in readers for number, name in enumerate(_inputs(section))]
    pictures = [(name, section, number) for name, section, number in read if name in data]
    channels = next((c for _, section, number in pictures if (c := _channels(section, number))), _COLOURS)
    side = size or _usual_size(definition)
    return Picture(Maps(channels, side, side), frozenset(name for name, _, _ in pictures), size is None)


def read_data(layer: FileLayer, picture: Picture, index_of_first: int | None) -> tuple[Output, int | None]:
    """What a data layer gives, and the number of the provider's output that pictures are."""
    index, units = layer.options.integer("dataIdx", least=0), picture.shape.units
    rows = _rows(layer, units)
    if layer.section.name not in picture.layers:
        layer.dropped("labels", "no layer reads it, so it is no input: `train` finds labels with the pictures")
        return Output("", None), index_of_first
    if index_of_first not in (None, index):
        layer.lost("input", "a second kind of data, and a net has one input", "dataIdx")
    if rows != (0, units):
        layer.lost("input", "only some rows of the data are read", "start" if rows[0] else "end")
    if index_of_first is None:
        _write_input(layer, picture)
    return Output(INPUT, picture.shape), index if index_of_first is None else index_of_first


def _rows(layer: FileLayer, units: int) -> tuple[int, int]:
    """The rows of the data that are read, the end excluded; before 2014 all are."""
    if layer.net.dialect == "2012":
        return 0, units
    return layer.options.integer("start", 0), layer.options.integer("end", units)


def _write_input(layer: FileLayer, picture: Picture) -> None:
    shape, keys = picture.shape, layer.net.draft.keys
    if picture.assumed:
        text = f"the file does not say how large pictures are: {shape.height} pixels are taken; `--size` sets others"
        layer.meaning("size", text)
    keys["input"] = {"name": INPUT, "channels": shape.channels, "size": shape.height}
    data = _provider(shape.height)
    if shape.channels != _COLOURS:
        data = {name: value for name, value in data.items() if "color" not in name}
    if shape.channels == 1:
        data["channels"] = "grey"
    keys["data"] = data
    said = ", ".join(f"{name}: {str(value).lower()}" for name, value in data.items())
    whose = "from the authors' programs" if shape.height in _PROVIDERS else "after the authors' programs"
    layer.meaning("data", f"the file does not say how pictures are read; {whose}: `{said}`")


def _provider(side: int) -> dict[str, Value]:
    """How pictures of this size are read: as the authors did, and photos of another size with the same margin."""
    if side in _PROVIDERS or side <= _THUMBNAIL:
        return dict(_PROVIDERS.get(side, _PROVIDERS[_CIFAR]))
    return {**_PROVIDERS[_IMAGENET], "resize": round(side * 256 / _IMAGENET), "crop": side}


def _usual_size(definition: Mapping[str, Section]) -> int:
    """CIFAR's where the last layer with classes has as many as one of its two sets."""
    classes = [section for section in definition.values() if type_of(section) in ("fc", "treefc")]
    outputs = classes[-1].options.get("outputs") if classes else None
    return _CIFAR if outputs is not None and outputs.text in _CIFAR_CLASSES else _IMAGENET


def _inputs(section: Section) -> list[str]:
    option = section.options.get("inputs")
    return [name.strip() for name in option.text.split(",")] if option else []


def _channels(section: Section, number: int) -> int:
    """How many channels a layer says that its input has; 0 where it says nothing that can be read."""
    option = section.options.get("channels")
    values = [value.strip() for value in option.text.split(",")] if option else []
    value = values[number] if number < len(values) else (values[0] if len(values) == 1 else "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 6 else 0
