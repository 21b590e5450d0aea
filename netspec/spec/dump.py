"""A Spec to YAML text that reads back as the same Spec: keys at their defaults are left out."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import MISSING, is_dataclass
from textwrap import wrap
from typing import Annotated, Any, get_args, get_origin

from netspec.ir.layer import Layer
from netspec.spec.model import Header, Spec
from netspec.syntax.decode import hints_of, keys_of
from netspec.syntax.keys import Spread
from netspec.syntax.scalars import as_bool, as_float, is_null
from netspec.syntax.words import Word

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*")
_LONGEST, _WIDTH = 10_000, 120  # of a layer in one line, half of what is read; and of the lines of a longer one


def dump(spec: Spec) -> str:
    """The canonical text; its sha256 is the spec's identity."""
    lines = [f"{name}: {_value(value, hint)}" for name, value, hint in _written(spec, Header)]
    width = max(map(len, spec.layers), default=0) + 1
    lines += ["layers:"]
    lines += [f"  {name + ':':<{width}} {_layer(layer)}" for name, layer in spec.layers.items()]
    return "\n".join(lines) + "\n"


def spec_hash(spec: Spec) -> str:
    """sha256, in hex, of the canonical text."""
    return hashlib.sha256(dump(spec).encode()).hexdigest()


def flat(spec: Spec) -> dict[str, str]:
    """Each key by its path, as in `train.epochs` or `layers.conv1.filters`, to its value as text; defaults too."""
    found = {}
    for name, value, hint in _all(spec, Header):
        if is_dataclass(value) and not isinstance(value, type):
            found.update({f"{name}.{inner}": _value(v, h) for inner, v, h in _all(value, type(value))})
        else:
            found[name] = _value(value, hint)
    for name, layer in spec.layers.items():
        found[f"layers.{name}.type"] = layer.type
        found.update({f"layers.{name}.{inner}": _value(v, h) for inner, v, h in _all(layer, type(layer))})
    return found


def _layer(layer: Layer) -> str:
    pairs = [f"type: {layer.type}"]
    pairs += [f"{name}: {_value(value, hint)}" for name, value, hint in _written(layer, type(layer))]
    text = "{" + ", ".join(pairs) + "}"
    if len(text) <= _LONGEST:
        return text
    return "\n    ".join(wrap(text, _WIDTH, break_long_words=False, break_on_hyphens=False))


def _written(value: object, cls: type[Any]) -> list[tuple[str, object, Any]]:
    """(name, value, annotation) of the keys that differ from their default; required ones first."""
    keys, hints = keys_of(cls), hints_of(cls)
    ordered = sorted(keys.values(), key=lambda f: f.default is not MISSING)
    triples = [(f, getattr(value, f.name)) for f in ordered]
    return [(f.name, v, hints[f.name]) for f, v in triples if f.default is MISSING or v != f.default]


def _all(value: object, cls: type[Any]) -> list[tuple[str, object, Any]]:
    """(name, value, annotation) of every key."""
    hints = hints_of(cls)
    return [(name, getattr(value, name), hints[name]) for name in keys_of(cls)]


def _value(value: object, hint: Any = None) -> str:
    if isinstance(value, Word):
        text = str(value)
        return text if as_float(text) is not None or _PLAIN.fullmatch(text) else json.dumps(text)
    if is_dataclass(value) and not isinstance(value, type):
        named = [f"{name}: {_value(v, h)}" for name, v, h in _written(value, type(value))]
        return "{" + ", ".join(named) + "}"
    if isinstance(value, tuple):
        if value and len(set(value)) == 1 and _spread(hint, len(value)):
            return _value(value[0])
        return "[" + ", ".join(_value(v) for v in value) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return "null"
    return _text(value) if isinstance(value, str) else _number(value)


def _spread(hint: Any, length: int) -> bool:
    options = get_args(hint) if get_origin(hint) is not Annotated else (hint,)
    spreads = [get_args(o)[1] for o in options if get_origin(o) is Annotated]
    return any(isinstance(s, Spread) and (s.count or 1) == length for s in spreads)


def _number(value: object) -> str:
    return repr(int(value)) if isinstance(value, float) and value == int(value) and abs(value) < 1e15 else repr(value)


def _text(text: str) -> str:
    known = is_null(text) or as_bool(text) is not None or as_float(text) is not None
    plain = _PLAIN.fullmatch(text) and not known
    return text if plain else json.dumps(text, ensure_ascii=False)
