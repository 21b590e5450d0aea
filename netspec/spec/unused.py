"""Warnings for keys that are written and do nothing: each is legal, and each is probably a mistake. No errors here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from netspec.diagnostics import Diagnostic, Findings
from netspec.diagnostics.grammar import a
from netspec.ir.layer import Layer, LearnedLayer
from netspec.source import Span
from netspec.spec.model import Header, RateSpec
from netspec.syntax.spans import SpanTable

Layers = dict[str, Layer]


def warn_of_unused(header: Header, layers: Layers, spans: SpanTable, findings: Findings) -> None:
    """NS218 for every key without effect."""
    for place, message, help in (
        *_unused_defaults(layers, spans),
        *_unused_layer_keys(layers, spans),
        *_unused_recipe(header, spans),
    ):
        findings.add(Diagnostic("NS218", message, place, "warning", help=help))


Found = tuple[Span, str, str]

_IDLE = {"bias": ("init_b", "lr_b"), "scale": ("lr_w",)}  # what does nothing where a layer is without


def _unused_defaults(layers: Layers, spans: SpanTable) -> Iterator[Found]:
    types = {layer.type for layer in layers.values()}
    for path, place in spans.keys.items():
        if path[:1] == ("defaults",) and len(path) == 2 and path[1] not in types:
            yield place, f"no layer is {a(str(path[1]))}, so these defaults do nothing", "remove them"
        if path[:1] == ("defaults",) and len(path) == 3 and path[1] in types:
            users = (name for name, layer in layers.items() if layer.type == path[1])
            if not any(spans.keys.get(("layers", name, path[2])) == place for name in users):
                yield place, f"every `{path[1]}` layer has its own `{path[2]}`: this default does nothing", "remove it"


def _unused_layer_keys(layers: Layers, spans: SpanTable) -> Iterator[Found]:
    for name, layer in layers.items():
        for without, idle in _IDLE.items():
            for key in _written(name, idle, spans) if getattr(layer, without, None) is False else ():
                yield spans.key("layers", name, key), f"`{name}` has no {without}, so `{key}` does nothing", "remove it"
        if isinstance(layer, LearnedLayer) and layer.share_weights:
            for key in _written(name, ("init_w", "lr_w", "decay"), spans):
                message = f"`{name}` uses the weights of `{layer.share_weights}`, so its `{key}` does nothing"
                yield spans.key("layers", name, key), message, f"set it on `{layer.share_weights}`"


def _written(name: str, keys: Iterable[str], spans: SpanTable) -> list[str]:
    return [key for key in keys if ("layers", name, key) in spans.keys]


def _unused_recipe(header: Header, spans: SpanTable) -> Iterator[Found]:
    for name, rate in (("lr", header.train.lr), ("lr_b", header.train.lr_b)):
        plateau = not isinstance(rate, RateSpec) or rate.curve != "steps" or rate.when == "plateau"
        for key, purpose in (("times", "counts plateaus"), ("patience", "is how long a plateau must last")):
            if not plateau and ("train", name, key) in spans.keys:
                message = f"`{key}` {purpose}, so it does nothing here"
                yield spans.key("train", name, key), message, "add `when: plateau`"
    if header.data.mean == "none" and header.data.mean_color is not None:
        message = "no mean is subtracted, so `mean_color` does nothing"
        yield spans.key("data", "mean_color"), message, "add `mean: color` or `mean: image`"
