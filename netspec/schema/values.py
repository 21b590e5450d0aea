"""An annotation of a key as a JSON schema of its values. It knows no layers and no specs."""

from __future__ import annotations

import types
from dataclasses import is_dataclass
from typing import Annotated, Any, Literal, TypeAlias, Union, get_args, get_origin

from netspec.schema.words import takes_numbers
from netspec.syntax.decode import hints_of, keys_of
from netspec.syntax.keys import Key, Spread, key_of, required
from netspec.syntax.words import Word

Schema: TypeAlias = dict[str, object]
Hint: TypeAlias = Any  # a type annotation; Python has no narrower type for one


def value_schema(hint: Hint, info: Key) -> Schema:
    """The values of an annotation, numbers within the key's bounds."""
    origin: object = get_origin(hint)
    if origin is Annotated:
        inner, spread = get_args(hint)[:2]
        return _spread_schema(get_args(inner)[0], spread, info)
    if origin in (Union, types.UnionType):
        return _any_of([value_schema(member, info) for member in get_args(hint)])
    if origin is tuple:
        return {"type": "array", "items": value_schema(get_args(hint)[0], info)}
    if origin is Literal:
        return {"enum": list(get_args(hint))}
    if isinstance(hint, type) and is_dataclass(hint):
        return {"$ref": f"#/$defs/{hint.__name__}"}
    return _scalar_schema(hint, info)


def key_schema(cls: type[Any], name: str) -> Schema:
    """One key: its values, what it means, and its default."""
    item = keys_of(cls)[name]
    info = key_of(item) or Key("")
    unit = f" Unit: {info.unit}." if info.unit else ""
    schema = {"description": info.doc + unit, **value_schema(hints_of(cls)[name], info)}
    return schema if required(item) else {**schema, "default": plain(item.default)}


def plain(value: object) -> object:
    """A default as JSON writes it; equal numbers for all sides are one number, a mapping at its defaults is empty."""
    if isinstance(value, Word):
        text = str(value)
        return float(text) if takes_numbers(type(value)) and text[0].isdigit() else text
    if isinstance(value, tuple):
        return plain(value[0]) if value and len(set(value)) == 1 else [plain(v) for v in value]
    return {} if is_dataclass(value) else value


def _spread_schema(element: Hint, spread: Spread, info: Key) -> Schema:
    one = value_schema(element, info)
    many: Schema = {"type": "array", "items": one, "minItems": spread.count or 1}
    if spread.count is not None:
        many["maxItems"] = spread.count
    return _any_of([one, many])


def _any_of(members: list[Schema]) -> Schema:
    """Alternatives in one list, however they were nested."""
    flat: list[object] = []
    for member in members:
        inner = member.get("anyOf")
        flat += inner if isinstance(inner, list) and len(member) == 1 else [member]
    return {"anyOf": flat}


def _scalar_schema(hint: Hint, info: Key) -> Schema:
    if hint in (int, float):
        return {"type": "integer" if hint is int else "number", **_bounds(info)}
    return {"type": {str: "string", bool: "boolean", type(None): "null"}[hint]}


def _bounds(info: Key) -> Schema:
    bounds = {"minimum": info.least, "exclusiveMinimum": info.above, "maximum": info.most}
    return {name: bound for name, bound in bounds.items() if bound is not None}
