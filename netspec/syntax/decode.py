"""A spanned tree to typed dataclasses. The annotations are the schema; all misfits are reported in one run.

It does not know layers or specs: `netspec.spec` says which class a mapping becomes.
"""

from __future__ import annotations

import dataclasses
import types
from dataclasses import Field, dataclass, is_dataclass
from functools import cache
from typing import Annotated, Any, Final, Literal, Union, cast, get_args, get_origin, get_type_hints

from netspec.diagnostics import Diagnostic, Findings, did_you_mean
from netspec.source import Span
from netspec.syntax.keys import Key, Spread, key_of, required
from netspec.syntax.scalars import YAML_11_BOOL, as_bool, as_float, as_int, describe, is_null
from netspec.syntax.spans import Path, SpanTable
from netspec.syntax.tree import Mapping, Scalar, Sequence, Tree
from netspec.syntax.words import Word, WordError


class Invalid:
    """Stands for a value that was refused; what holds it is refused too, in silence."""


INVALID: Final = Invalid()
Hint = Any  # a type annotation; Python has no narrower type for one


@dataclass(frozen=True)
class Decoder:
    """Decodes trees, recording places in ``spans`` and misfits in ``findings``."""

    spans: SpanTable
    findings: Findings

    def decode(self, tree: Tree, hint: Hint, path: Path, info: Key | None = None) -> object:
        """The value of a tree for an annotation, or INVALID."""
        origin = get_origin(hint)
        if origin is Annotated:
            inner, spread = get_args(hint)[:2]
            return self._spread(tree, inner, cast(Spread, spread), path, info)
        if origin in (Union, types.UnionType):
            return self._union(tree, get_args(hint), path, info)
        if origin is tuple:
            return self._tuple(tree, get_args(hint), path, info)
        if origin is Literal:
            return self._literal(tree, get_args(hint))
        if is_dataclass(hint) and isinstance(hint, type) and not issubclass(hint, Word):
            return self.dataclass(tree, hint, path)
        return self._scalar(tree, hint, info)

    def dataclass(self, tree: Tree, cls: type[Any], path: Path, skip: tuple[str, ...] = ()) -> object:
        """An instance of ``cls`` from a mapping, or INVALID. Keys in ``skip`` are someone else's."""
        if not isinstance(tree, Mapping):
            return self.refuse("NS203", tree.span, f"expected {a_what(cls)}, found {found(tree)}")
        fields = keys_of(cls)
        hints = hints_of(cls)
        values: dict[str, object] = {}
        for entry in tree.entries:
            name = entry.key.text
            if name in skip:
                continue
            if name not in fields:
                self.refuse("NS201", entry.key.span, f"{a_what(cls)} has no key `{name}`", did_you_mean(name, fields))
                continue
            self.spans.record((*path, name), entry.key.span, entry.value.span)
            values[name] = self.decode(entry.value, hints[name], (*path, name), key_of(fields[name]))
        for name, item in fields.items():
            if required(item) and name not in values:
                doc = key_of(item)
                values[name] = self.refuse(
                    "NS202",
                    self.spans.key(*path) if path in self.spans.keys else tree.span,
                    f"{a_what(cls)} needs the key `{name}`",
                    f"`{name}`: {doc.doc[0].lower() + doc.doc[1:]}" if doc else "",
                )
        if any(v is INVALID for v in values.values()):
            return INVALID
        return cls(**values)

    def refuse(self, code: str, span: Span, message: str, help: str = "") -> Invalid:
        self.findings.add(Diagnostic(code, message, span, help=help))
        return INVALID

    def _spread(self, tree: Tree, inner: Hint, spread: Spread, path: Path, info: Key | None) -> object:
        element = get_args(inner)[0]
        if not isinstance(tree, Sequence):
            value = self.decode(tree, element, path, info)
            return value if value is INVALID else (value,) * (spread.count or 1)
        if spread.count is None and not tree.items:
            return self.refuse("NS209", tree.span, "the list is empty", f"write {hint_name(element)} or a list of them")
        if spread.count is not None and len(tree.items) != spread.count:
            order = f" [{', '.join(spread.names)}]" if spread.names else ""
            message = f"expected one value or {spread.count}{order}, found {len(tree.items)}"
            return self.refuse("NS209", tree.span, message)
        return self._items(tree, (element,) * len(tree.items), path, info)

    def _tuple(self, tree: Tree, args: tuple[Hint, ...], path: Path, info: Key | None) -> object:
        if not isinstance(tree, Sequence):
            return self.refuse("NS203", tree.span, f"expected a list, found {found(tree)}")
        if len(args) == 2 and args[1] is Ellipsis:
            return self._items(tree, (args[0],) * len(tree.items), path, info)
        if len(args) != len(tree.items):
            return self.refuse("NS209", tree.span, f"expected {len(args)} values, found {len(tree.items)}")
        return self._items(tree, args, path, info)

    def _items(self, tree: Sequence, hints: tuple[Hint, ...], path: Path, info: Key | None) -> object:
        for number, item in enumerate(tree.items):
            self.spans.record((*path, number), None, item.span)
        pairs = enumerate(zip(tree.items, hints, strict=True))
        values = [self.decode(item, hint, (*path, n), info) for n, (item, hint) in pairs]
        return INVALID if any(v is INVALID for v in values) else tuple(values)

    def _union(self, tree: Tree, members: tuple[Hint, ...], path: Path, info: Key | None) -> object:
        if isinstance(tree, Scalar) and tree.plain and is_null(tree.text) and type(None) in members:
            return None
        fitting = [m for m in members if _fits(tree, m)]
        if len(fitting) == 1:
            return self.decode(tree, fitting[0], path, info)
        for member in fitting:
            attempt = Decoder(self.spans, Findings())
            value = attempt.decode(tree, member, path, info)
            if value is not INVALID:
                return value
        expected = " or ".join(hint_name(m) for m in members if m is not type(None))
        return self.refuse("NS203", tree.span, f"expected {expected}, found {found(tree)}")

    def _literal(self, tree: Tree, choices: tuple[str, ...]) -> object:
        if isinstance(tree, Scalar) and tree.text in choices:
            return tree.text
        words = ", ".join(f"`{c}`" for c in choices)
        near = did_you_mean(tree.text, choices) if isinstance(tree, Scalar) else ""
        help = near if near.startswith("did") else ""
        return self.refuse("NS205", tree.span, f"expected one of {words}, found {found(tree)}", help)

    def _scalar(self, tree: Tree, hint: Hint, info: Key | None) -> object:
        if not isinstance(tree, Scalar):
            return self.refuse("NS203", tree.span, f"expected {hint_name(hint)}, found {found(tree)}")
        if isinstance(hint, type) and issubclass(hint, Word):
            return self._word(tree, hint)
        value = _plain_value(tree, hint)
        if value is None:
            return self.refuse("NS203", tree.span, f"expected {hint_name(hint)}, found {found(tree)}", _help(tree, hint))
        return self._bounded(tree, value, info)

    def _word(self, tree: Scalar, hint: type[Word]) -> object:
        try:
            return hint.parse(tree.text)
        except WordError as error:
            return self.refuse(hint.code, tree.span, str(error), error.help)

    def _bounded(self, tree: Scalar, value: object, info: Key | None) -> object:
        if info is None or isinstance(value, bool) or not isinstance(value, int | float):
            return value
        bounds = bounds_of(info)
        low = (info.least is not None and value < info.least) or (info.above is not None and value <= info.above)
        if low or (info.most is not None and value > info.most):
            return self.refuse("NS204", tree.span, f"{tree.text} is out of range: expected {bounds}")
        return value


def bounds_of(info: Key) -> str:
    """``at least 1``, ``between 0 and 1``, ``above 0``; empty without bounds."""
    if info.least is not None and info.most is not None:
        return f"between {info.least:g} and {info.most:g}"
    low = f"at least {info.least:g}" if info.least is not None else ""
    low = low or (f"above {info.above:g}" if info.above is not None else "")
    high = f"at most {info.most:g}" if info.most is not None else ""
    return " and ".join(part for part in (low, high) if part)


@cache
def keys_of(cls: type[Any]) -> dict[str, Field[Any]]:
    """The fields of a dataclass that are keys of the language, by name."""
    return {f.name: f for f in dataclasses.fields(cls) if key_of(f) is not None}


@cache
def hints_of(cls: type[Any]) -> dict[str, Hint]:
    return get_type_hints(cls, include_extras=True)


def a_what(cls: type[Any]) -> str:
    """What a class is called in messages: its first docstring word group is for docs, this for sentences."""
    name = getattr(cls, "type", None)
    return f"a `{name}` layer" if isinstance(name, str) else f"`{cls.__name__.lower()}`"


def hint_name(hint: Hint) -> str:
    """An annotation in words."""
    names = {int: "a whole number", float: "a number", str: "text", bool: "true or false", type(None): "nothing"}
    if hint in names:
        return names[hint]
    origin = get_origin(hint)
    if origin is Annotated:
        return hint_name(get_args(get_args(hint)[0])[0]) + " or a list of them"
    if origin in (Union, types.UnionType):
        return " or ".join(hint_name(h) for h in get_args(hint) if h is not type(None))
    if origin is tuple:
        args = get_args(hint)
        return f"a list of {len(args)} values" if Ellipsis not in args else "a list"
    if origin is Literal:
        return " or ".join(f"`{c}`" for c in get_args(hint))
    return getattr(hint, "pattern", "") or "a mapping"


def found(tree: Tree) -> str:
    """What stands there, in words."""
    if isinstance(tree, Scalar):
        return describe(tree.text, tree.plain)
    return "a list" if isinstance(tree, Sequence) else "a mapping"


def _fits(tree: Tree, hint: Hint) -> bool:
    """Whether the kinds agree: a list for a tuple, a mapping for a class, else a scalar."""
    origin = get_origin(hint)
    if isinstance(tree, Mapping):
        return is_dataclass(hint) and not issubclass(cast(type, hint), Word)
    if isinstance(tree, Sequence):
        return origin in (tuple, Annotated)
    if origin is Literal:
        return tree.text in get_args(hint)
    return origin is Annotated or (origin is not tuple and isinstance(hint, type) and _scalar_type(hint))


def _scalar_type(hint: type) -> bool:
    return hint in (int, float, str, bool) or issubclass(hint, Word)


def _plain_value(tree: Scalar, hint: Hint) -> object:
    if hint is str:
        is_other = as_bool(tree.text) is not None or as_float(tree.text) is not None or is_null(tree.text)
        return None if tree.plain and is_other else tree.text
    if not tree.plain:
        return None
    if hint is bool:
        return as_bool(tree.text)
    if hint is int:
        return as_int(tree.text)
    number = as_int(tree.text)
    return as_float(tree.text) if number is None else float(number)


def _help(tree: Scalar, hint: Hint) -> str:
    if hint is bool and tree.text.lower() in YAML_11_BOOL:
        return "YAML 1.2 knows `true` and `false` only"
    if hint is str:
        return f'quote it: "{tree.text}"'
    if not tree.plain and (as_float(tree.text) is not None or as_bool(tree.text) is not None):
        return "remove the quotes"
    if hint is int and (number := as_float(tree.text)) is not None and number == int(number):
        return f"write it as `{int(number)}`"
    return ""
