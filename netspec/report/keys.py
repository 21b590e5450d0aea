"""The keys of the language in words, from the classes' annotations: types, defaults, bounds. It lays nothing out."""

from __future__ import annotations

import json
import types
from dataclasses import dataclass, is_dataclass
from typing import Annotated, Any, Literal, TypeAlias, Union, get_args, get_origin

from netspec.schema.values import plain
from netspec.syntax.decode import hints_of, keys_of
from netspec.syntax.keys import Key, Spread, key_of, required
from netspec.syntax.words import Word

Hint: TypeAlias = Any  # a type annotation; Python has no narrower type for one


@dataclass(frozen=True)
class KeyDoc:
    """One key. ``default`` is as YAML writes it, empty where there is none; ``bounds`` in words."""

    name: str
    values: str
    default: str
    required: bool
    unit: str
    bounds: str
    doc: str


def key_docs(cls: type[Any]) -> tuple[KeyDoc, ...]:
    """The keys of a class, in the order of its fields."""
    return tuple(_key_doc(cls, name) for name in keys_of(cls))


def mappings(cls: type[Any]) -> tuple[tuple[str, type[Any]], ...]:
    """The keys whose values are mappings, or lists of mappings, with the classes that these become."""
    return tuple((name, inner) for name in keys_of(cls) for inner in _classes(hints_of(cls)[name]))


def _key_doc(cls: type[Any], name: str) -> KeyDoc:
    item = keys_of(cls)[name]
    info = key_of(item) or Key("")
    default = "" if required(item) else _default(item.default)
    values = type_words(hints_of(cls)[name])
    return KeyDoc(name, values, default, required(item), info.unit, _bounds(info), info.doc)


def _default(value: object) -> str:
    """As it would be written; empty where a key that is left out stands for nothing or for its own defaults."""
    if value is None or value in ("", ()) or (is_dataclass(value) and not isinstance(value, Word)):
        return ""
    written = plain(value)
    if isinstance(written, str):
        return written
    if isinstance(written, float) and written == int(written):
        return str(int(written))
    return json.dumps(written)


def _bounds(info: Key) -> str:
    """``1 to 1,024``, ``above 0``; empty without bounds."""
    low = f"above {_bound(info.above)}" if info.above is not None else ""
    low = f"at least {_bound(info.least)}" if info.least is not None else low
    if info.most is None:
        return low
    if info.least is not None:
        return f"{_bound(info.least)} to {_bound(info.most)}"
    return " and ".join(part for part in (low, f"at most {_bound(info.most)}") if part)


def _bound(value: float) -> str:
    if value >= 1 << 62:
        return f"2^{int(value).bit_length()} - 1"
    return f"{int(value):,}" if value == int(value) else f"{value:g}"


def type_words(hint: Hint) -> str:
    """``whole number, or [height, width]``, `` `floor` or `ceil` ``."""
    origin: object = get_origin(hint)
    if origin is Annotated:
        inner, spread = get_args(hint)[:2]
        return _spread_words(get_args(inner)[0], spread)
    if origin in (Union, types.UnionType):
        return ", or ".join(type_words(member) for member in get_args(hint) if member is not type(None))
    if origin is Literal:
        *most, last = [f"`{choice}`" for choice in get_args(hint)]
        return f"{', '.join(most)} or {last}" if most else last
    if origin is tuple:
        return f"list of {_plural(type_words(get_args(hint)[0]))}"
    if isinstance(hint, type) and issubclass(hint, Word):
        return hint.pattern
    names = {int: "whole number", float: "number", str: "text", bool: "`true` or `false`"}
    return names.get(hint, "mapping")


def _spread_words(element: Hint, spread: Spread) -> str:
    one = "name" if element is str else type_words(element)
    return f"{one}, or [{', '.join(spread.names)}]" if spread.names else f"{one}, or a list of {_plural(one)}"


def _plural(words: str) -> str:
    return words if words == "text" else f"{words}s"


def _classes(hint: Hint) -> list[type[Any]]:
    if isinstance(hint, type) and is_dataclass(hint) and not issubclass(hint, Word):
        return [hint]
    return [cls for member in get_args(hint) for cls in _classes(member)]
