"""The registry of layer types. It refuses a name that is taken."""

from __future__ import annotations

from typing import TypeVar

from netspec.ir.layer import Layer

LAYER_TYPES: dict[str, type[Layer]] = {}
LayerT = TypeVar("LayerT", bound=Layer)


def layer_type(cls: type[LayerT]) -> type[LayerT]:
    """Register a layer class under its ``type``. Raises ValueError where the name is taken."""
    if cls.type in LAYER_TYPES:
        raise ValueError(f"layer type `{cls.type}` is registered twice")
    LAYER_TYPES[cls.type] = cls
    return cls
