"""Measures of settings as the spec writes them: `layer.stride`, `train.batch`. What they come to is elsewhere.

They are made from the keys of the language: a new layer type brings its measures along.
"""

from __future__ import annotations

from dataclasses import is_dataclass
from typing import Any

from netspec.ir.graph import TypedNode
from netspec.layers import LAYER_TYPES
from netspec.ledger.measure import Claims, LayerMeasure, Measure, Scope, register
from netspec.ledger.net import Net
from netspec.ledger.place import says, spec_says
from netspec.ledger.plain import plain
from netspec.ledger.value import Item, Missing, Plain
from netspec.spec.model import DataSpec, Header, InputSpec, RateSpec, TrainSpec
from netspec.syntax.decode import keys_of
from netspec.syntax.keys import key_of

_NO_SETTINGS = {"per_input"}  # mappings, which no plain value says
_SECTIONS: tuple[tuple[str, type[Any]], ...] = (("input", InputSpec), ("data", DataSpec), ("train", TrainSpec))
_OF_THE_NET = ("name", "classes", "licence", "seed")


class LayerSetting(LayerMeasure):
    """One key of a layer."""

    def __init__(self, key: str, doc: str) -> None:
        self.key = key
        self.name = f"layer.{key}"
        self.doc = doc

    def of_layer(self, net: Net, node: TypedNode, scope: Scope) -> Plain | Missing:
        if not hasattr(node.layer, self.key):
            return Missing(f"`{node.name}` is a `{node.layer.type}` layer, which has no `{self.key}`")
        return plain(getattr(net.spec.layers[node.name], self.key))

    def why_layer(self, net: Net, node: TypedNode, claims: Claims) -> tuple[str, ...]:
        return (says(net, node.name, self.key),) if hasattr(node.layer, self.key) else ()


class NetSetting(Measure):
    """One key outside the layers, by its path."""

    takes = "net"

    def __init__(self, path: tuple[str, ...], doc: str) -> None:
        self.path = path
        self.name = ".".join(path)
        self.doc = doc

    def measure(self, net: Net, scope: Scope) -> tuple[Item, ...]:
        value = self._value(net)
        return (Item("", value if isinstance(value, Missing) else plain(value)),)

    def why(self, net: Net, scope: Scope, wrong: tuple[str, ...], claims: Claims) -> tuple[str, ...]:
        value = self._value(net)
        return () if isinstance(value, Missing) else (spec_says(net, self.path, value),)

    def _value(self, net: Net) -> object:
        """The value at the path. A rate that is one number is its own `start` and has nothing else."""
        value: object = net.spec
        for name in self.path:
            if is_dataclass(value):
                value = getattr(value, name)
            elif name != "start":
                return Missing(f"the spec's `{'.'.join(self.path[:-1])}` is {plain(value)}, so it has no `{name}`")
        return value


def _meanings() -> dict[str, dict[str, list[str]]]:
    """What each key of layers means, and in which types."""
    found: dict[str, dict[str, list[str]]] = {}
    for cls in LAYER_TYPES.values():
        for name, doc in _docs(cls).items():
            found.setdefault(name, {}).setdefault(doc, []).append(cls.type)
    return found


def _by_types(types: dict[str, list[str]]) -> str:
    """One meaning, or each with the layer types that have it."""
    if len(types) == 1:
        return next(iter(types))
    return " ".join(f"{', '.join(f'`{name}`' for name in names)}: {doc}" for doc, names in types.items())


def _register_all() -> None:
    for name, types in sorted(_meanings().items()):
        if name not in _NO_SETTINGS:
            register(LayerSetting(name, _by_types(types)))
    for section, part in _SECTIONS:
        for name, doc in _docs(part).items():
            if (section, name) not in (("train", "lr"), ("train", "lr_b")):
                register(NetSetting((section, name), doc))
    for rate in ("lr", "lr_b"):
        for name, doc in _docs(RateSpec).items():
            register(NetSetting(("train", rate, name), doc))
    for name in _OF_THE_NET:
        register(NetSetting((name,), _docs(Header)[name]))


def _docs(cls: type[Any]) -> dict[str, str]:
    infos = {name: key_of(field) for name, field in keys_of(cls).items()}
    return {name: info.doc for name, info in infos.items() if info is not None}


_register_all()
