"""The registry of layer types. It refuses a name that is taken, and a class that lacks a rule."""

from __future__ import annotations

from inspect import isabstract
from typing import TypeVar

from netspec.ir.layer import Layer

LAYER_TYPES: dict[str, type[Layer]] = {}
LayerT = TypeVar("LayerT", bound=Layer)


def layer_type(cls: type[LayerT]) -> type[LayerT]:
    """Register a layer class under its ``type``. ValueError where that is taken, TypeError where a rule lacks."""
    if isabstract(cls):
        raise TypeError(f"layer type `{cls.type}` lacks {', '.join(sorted(cls.__abstractmethods__))}")
    if cls.type in LAYER_TYPES:
        raise ValueError(f"layer type `{cls.type}` is registered twice")
    LAYER_TYPES[cls.type] = cls
    return cls
