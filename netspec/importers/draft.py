"""A spec in the making: layers and keys with the places in a foreign file that they came from. It decides nothing.

It becomes the tree that a YAML file would be read to, so the language's own decoder checks every value, and what is
wrong is shown in the foreign file.
"""

from __future__ import annotations

from collections.abc import Mapping as MappingType
from collections.abc import Sequence as SequenceType
from dataclasses import dataclass, field

from netspec.source import Source, Span, whole
from netspec.spec import Spec
from netspec.spec.load import load_tree
from netspec.spec.model import LANGUAGE
from netspec.syntax.tree import Entry, Mapping, Scalar, Sequence, Tree


@dataclass(frozen=True)
class At:
    """A value with a place of its own; others have the place of what they stand in."""

    value: Plain
    place: Span


Plain = str | int | float | bool | SequenceType["Value"] | MappingType[str, "Value"]
Value = Plain | At


@dataclass
class LayerDraft:
    """A layer: its type and keys as in the language, with what may still change before the spec is made."""

    type: str
    place: Span
    keys: dict[str, Value] = field(default_factory=dict)


@dataclass
class Draft:
    """A spec: its top keys (``name``, ``input``, ``classes``, ``data``, ``train``), and its layers by name."""

    source: Source
    keys: dict[str, Value] = field(default_factory=dict)
    layers: dict[str, LayerDraft] = field(default_factory=dict)

    def add(self, name: str, type: str, place: Span, **keys: Value) -> LayerDraft:
        """A new layer at the end. Raises ValueError where the name is taken: ask Names for one."""
        if name in self.layers:
            raise ValueError(f"the draft has a layer `{name}` already")
        self.layers[name] = LayerDraft(type, place, keys)
        return self.layers[name]

    def tree(self) -> Mapping:
        """What a YAML file that says the same is read to."""
        place = whole(self.source)
        layers = Mapping(tuple(_layer(name, layer) for name, layer in self.layers.items()), place)
        keys: dict[str, Value] = {"netspec": LANGUAGE, **self.keys}
        entries = tuple(_entry(name, value, place) for name, value in keys.items())
        return Mapping((*entries, Entry(Scalar("layers", True, place), layers)), place)

    def spec(self) -> Spec:
        """The spec. Raises SpecError with places in the foreign file."""
        return load_tree(self.source, self.tree())


def _layer(name: str, layer: LayerDraft) -> Entry:
    keys: dict[str, Value] = {"type": layer.type, **layer.keys}
    entries = tuple(_entry(key, value, layer.place) for key, value in keys.items())
    return Entry(Scalar(name, True, layer.place), Mapping(entries, layer.place))


def _entry(name: str, value: Value, place: Span) -> Entry:
    here = value.place if isinstance(value, At) else place
    return Entry(Scalar(name, True, here), _tree(value, place))


def _tree(value: Value, place: Span) -> Tree:
    if isinstance(value, At):
        return _tree(value.value, value.place)
    if isinstance(value, str):
        return Scalar(value, False, place)  # as if quoted: a layer may be called `null`
    if isinstance(value, bool):
        return Scalar("true" if value else "false", True, place)
    if isinstance(value, int | float):
        return Scalar(repr(value), True, place)
    if isinstance(value, MappingType):
        return Mapping(tuple(_entry(key, item, place) for key, item in value.items()), place)
    return Sequence(tuple(_tree(item, place) for item in value), place)
