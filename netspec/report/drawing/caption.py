"""A layer's keys in a few words, as they stand in a box: `conv 11x11 /4, ceil, relu`. It is no complete description."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING

from netspec.ir.layer import Layer
from netspec.syntax.decode import keys_of

# What a box does not say: the shape and the arrows say it, or it is about training.
_UNSAID = frozenset(
    {"inputs", "gpu", "filters", "outputs", "bias", "shared_biases", "init_w", "init_b", "lr_w", "lr_b", "decay"}
    | {"per_input", "count", "k", "alpha", "alpha_over", "beta", "eps", "momentum", "init_a"}
)


def caption(layer: Layer) -> str:
    """The type with its window, then the keys that differ from their defaults."""
    said = {name: _phrase(layer, name) for name in keys_of(type(layer)) if name not in _UNSAID}
    said = {name: phrase for name, phrase in said.items() if phrase}
    head = [said.pop("pool", ""), "" if layer.type == "neuron" else layer.type]
    head += [said.pop(name, "") for name in ("size", "stride")]
    neuron = said.pop("neuron", "")
    return ", ".join(part for part in (" ".join(filter(None, head)), *said.values(), neuron) if part)


def _phrase(layer: Layer, name: str) -> str:
    value = getattr(layer, name)
    default = keys_of(type(layer))[name].default
    if value is None or (default is not MISSING and value == default):
        return ""
    if isinstance(value, bool):
        return name if value else f"no {name}"
    return _PHRASES[name](value) if name in _PHRASES else f"{name} {_numbers(value)}"


def _numbers(value: object) -> str:
    """One number where all are equal."""
    if not isinstance(value, tuple):
        return f"{value:g}" if isinstance(value, float) else str(value)
    return _numbers(value[0]) if len(set(value)) == 1 else ",".join(_numbers(v) for v in value)


def _size(value: object) -> str:
    """``11x11`` of a window; how many neighbours of a normalisation."""
    if isinstance(value, tuple):
        return "x".join(_numbers(v) for v in value)
    return str(value) if isinstance(value, str) else f"over {value}"


def _stride(value: object) -> str:
    return f"/{_numbers(value)}"


_PHRASES: dict[str, Callable[[object], str]] = {
    "size": _size,
    "stride": _stride,
    "groups": lambda value: f"{value} groups",
    "connections": lambda value: "connections",
    "round": str,
    "pool": str,
    "neuron": str,
    "across": lambda value: f"across {value}",
    "share_weights": lambda value: f"weights of {value}",
    "scale": lambda value: f"scaled at {value}" if isinstance(value, str) else f"scale {_numbers(value)}",
}
