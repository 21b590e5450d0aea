"""The schema of a whole file. What a single annotation cannot say, such as which names are free, is said here."""

from __future__ import annotations

import keyword
from dataclasses import is_dataclass
from typing import Any, get_args

from netspec.ir.layer import Layer
from netspec.layers import LAYER_TYPES
from netspec.schema.values import Hint, Schema, key_schema
from netspec.schema.words import WORD_PATTERNS, word_schema
from netspec.spec.model import LANGUAGE, DataSpec, Header, InputSpec
from netspec.spec.names import LAYER_NAME, NET_NAME, RESERVED
from netspec.syntax.decode import hints_of, keys_of
from netspec.syntax.keys import required
from netspec.syntax.words import Word

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_LAYER_NAME: Schema = {"$ref": "#/$defs/LayerName"}

# What the loader checks beyond the annotations: (class, key) -> more about its values.
_MORE: dict[tuple[type[Any], str], Schema] = {
    (Header, "netspec"): {"const": LANGUAGE},
    (Header, "name"): {"pattern": f"^{NET_NAME.pattern}$"},
    (InputSpec, "name"): _LAYER_NAME,
    (DataSpec, "test_views"): {"enum": [1, 10]},
}


def schema_document() -> Schema:
    """The schema, draft 2020-12; the same for every run of one version."""
    layers: Schema = {
        "description": "The layers by name; each reads the net's input or other layers, in any order.",
        "type": "object",
        "minProperties": 1,
        "propertyNames": _LAYER_NAME,
        "additionalProperties": {"$ref": "#/$defs/Layer"},
    }
    return {
        "$schema": _DIALECT,
        "title": f"netspec layer file, version {LANGUAGE} of the language",
        "type": "object",
        "properties": {**_keys(Header), "defaults": _defaults(), "layers": layers},
        "required": [*_needed(Header), "layers"],
        "additionalProperties": False,
        "if": {"not": {"required": ["defaults"]}},
        "then": {"properties": {"layers": {"additionalProperties": {"$ref": "#/$defs/CompleteLayer"}}}},
        "$defs": _definitions(),
    }


def _defaults() -> Schema:
    text = "Keys for every layer of a type that does not write them itself."
    types = {name: {"$ref": f"#/$defs/{name}", "properties": {"type": False}} for name in LAYER_TYPES}
    return {"description": text, "type": "object", "properties": types, "additionalProperties": False}


def _definitions() -> dict[str, Schema]:
    roots: tuple[type[Any], ...] = (Header, *LAYER_TYPES.values())
    nested = {cls.__name__: cls for root in roots for cls in _nested(root)}
    complete = [_when(name, {"required": _needed(cls)}) for name, cls in LAYER_TYPES.items()]
    return {
        "LayerName": {"type": "string", "pattern": f"^{LAYER_NAME.pattern}$", "not": _taken_names()},
        "Layer": _layer(),
        "CompleteLayer": {"allOf": complete},
        **{name: _layer_type(cls) for name, cls in LAYER_TYPES.items()},
        **{name: _mapping(cls) for name, cls in nested.items()},
        **{word.__name__: word_schema(word) for word in WORD_PATTERNS},
    }


def _taken_names() -> Schema:
    """Words of Python and of the generated module."""
    words = RESERVED | set(keyword.kwlist) | set(keyword.softkwlist)
    return {"anyOf": [{"enum": sorted(filter(LAYER_NAME.fullmatch, words))}, {"pattern": "^gpu[0-9]+$"}]}


def _layer() -> Schema:
    """Any layer; its `type` decides about the other keys."""
    types: Schema = {"enum": list(LAYER_TYPES), "description": "The layer type."}
    kinds = [_when(name, {"$ref": f"#/$defs/{name}"}) for name in LAYER_TYPES]
    return {"type": "object", "properties": {"type": types}, "required": ["type"], "allOf": kinds}


def _layer_type(cls: type[Layer]) -> Schema:
    """The keys of a layer type, none of them required: `defaults` may give any."""
    keys: dict[str, Schema] = {"type": {"const": cls.type}, **_keys(cls)}
    keys["inputs"] = {**_inputs(cls), "description": keys["inputs"]["description"]}
    about = " ".join((cls.__doc__ or "").split())
    return {"description": about, "type": "object", "properties": keys, "additionalProperties": False}


def _mapping(cls: type[Any]) -> Schema:
    needed = _needed(cls)
    schema: Schema = {"type": "object", "properties": _keys(cls), "additionalProperties": False}
    return {**schema, **({"required": needed} if needed else {})}


def _keys(cls: type[Any]) -> dict[str, Schema]:
    return {name: {**key_schema(cls, name), **_MORE.get((cls, name), {})} for name in keys_of(cls)}


def _inputs(cls: type[Layer]) -> Schema:
    """One name or a list of as many as the type takes."""
    least, most = cls.arity
    name: Schema = {"type": "string", "pattern": f"^{LAYER_NAME.pattern}$"}
    many: Schema = {"type": "array", "items": name, "minItems": least, **({"maxItems": most} if most else {})}
    return {"anyOf": [name, many]} if least == 1 else many


def _needed(cls: type[Any]) -> list[str]:
    return [name for name, item in keys_of(cls).items() if required(item)]


def _when(type: str, then: Schema) -> Schema:
    return {"if": {"properties": {"type": {"const": type}}}, "then": then}


def _nested(cls: type[Any]) -> list[type[Any]]:
    """The dataclasses among the annotations of a class, at any depth."""
    found: dict[type[Any], None] = {}
    for name in keys_of(cls):
        for inner in _classes(hints_of(cls)[name]):
            found |= dict.fromkeys((inner, *_nested(inner)))
    return list(found)


def _classes(hint: Hint) -> list[type[Any]]:
    if isinstance(hint, type) and is_dataclass(hint) and not issubclass(hint, Word):
        return [hint]
    return [cls for member in get_args(hint) for cls in _classes(member)]
