"""The same net in another file: other names, another order, every default written, one device. No meaning changes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import MISSING, replace
from random import Random

from netspec.ir.layer import Layer, LearnedLayer
from netspec.layers.fc import Fc
from netspec.layers.windowed import WindowedLayer
from netspec.schema.values import plain
from netspec.spec.dump import dump
from netspec.spec.load import load_text
from netspec.syntax.decode import keys_of


def renamed(text: str) -> str:
    """Every layer and the input are called otherwise, and layers stand in an order that says nothing."""
    spec = load_text(text)
    names = {name: f"other{number}" for number, name in enumerate(sorted(spec.layers, key=lambda n: n[::-1]))}
    names[spec.input.name] = "picture"
    layers = [(names[name], _rewired(layer, names)) for name, layer in spec.layers.items()]
    Random(len(text)).shuffle(layers)
    outputs, data = tuple(names[name] for name in spec.outputs), replace(spec.input, name="picture")
    return dump(replace(spec, name="another", layers=dict(layers), outputs=outputs, input=data))


def _rewired(layer: Layer, names: Mapping[str, str]) -> Layer:
    layer = replace(layer, inputs=tuple(names[name] for name in layer.inputs))
    if isinstance(layer, LearnedLayer):
        layer = replace(layer, share_weights=_owner(layer.share_weights, names))
    if isinstance(layer, WindowedLayer):
        windows = (replace(one, share_weights=_owner(one.share_weights, names)) for one in layer.per_input)
        return replace(layer, per_input=tuple(windows))
    if isinstance(layer, Fc):
        rows = (replace(one, share_weights=_owner(one.share_weights, names)) for one in layer.per_input)
        return replace(layer, per_input=tuple(rows))
    return layer


def _owner(name: str | None, names: Mapping[str, str]) -> str | None:
    """`conv1[1]` with the other name."""
    if name is None:
        return None
    layer, bracket, number = name.partition("[")
    return names[layer] + bracket + number


def on_one_device(text: str) -> str:
    """Every layer on device 5."""
    spec = load_text(text)
    return dump(replace(spec, layers={name: replace(layer, gpu=(5,)) for name, layer in spec.layers.items()}))


def with_defaults(text: str) -> str:
    """Every key of a layer that has a default is written."""
    spec = load_text(text)
    head, _, _ = dump(spec).partition("layers:\n")
    lines = dump(spec).partition("layers:\n")[2].splitlines()
    layers = [_with_defaults(line, layer) for line, layer in zip(lines, spec.layers.values(), strict=True)]
    return "\n".join([f"{head}layers:", *layers, ""])


def _with_defaults(line: str, layer: Layer) -> str:
    keys = {name: item.default for name, item in keys_of(type(layer)).items()}
    unsaid = {n: value for n, value in keys.items() if value not in (MISSING, None, ()) and getattr(layer, n) == value}
    return line.removesuffix("}") + "".join(f", {n}: {json.dumps(plain(value))}" for n, value in unsaid.items()) + "}"


REWRITINGS: dict[str, Callable[[str], str]] = {
    "other names, another order": renamed,
    "one device": on_one_device,
    "every default": with_defaults,
}
