"""A spanned tree to typed dataclasses. The annotations are the schema; all misfits are reported in one run.

It does not know layers or specs: `netspec.spec` says which class a mapping becomes.
"""

from __future__ import annotations

import dataclasses
import types
from dataclasses import Field, dataclass, is_dataclass
from functools import cache
from typing import Annotated, Any, Final, Literal, Union, cast, get_args, get_type_hints

from netspec.diagnostics import Diagnostic, Findings, did_you_mean
from netspec.diagnostics.suggest import said, suggestion
from netspec.source import Span
from netspec.syntax.keys import Key, Spread, key_of, required
from netspec.syntax.phrases import (
    Hint,
    a_what,
    advice,
    bounds_of,
    hint_name,
    meaning,
    misfit,
    named,
    origin_of,
    quoted,
)
from netspec.syntax.scalars import as_bool, as_float, as_int, is_null, shorten
from netspec.syntax.spans import Path, SpanTable
from netspec.syntax.tree import Mapping, Scalar, Sequence, Tree
from netspec.syntax.words import Word, WordError


class Invalid:
    """Stands for a value that was refused; what holds it is refused too, in silence."""


INVALID: Final = Invalid()


@dataclass(frozen=True)
class Decoder:
    """Decodes trees, recording places in ``spans`` and misfits in ``findings``."""

    spans: SpanTable
    findings: Findings

    def decode(self, tree: Tree, hint: Hint, path: Path, info: Key | None = None) -> object:
        """The value of a tree for an annotation, or INVALID."""
        origin = origin_of(hint)
        if origin is Annotated:
            inner, spread = get_args(hint)[:2]
            return self._spread(tree, inner, cast(Spread, spread), path, info)
        if origin in (Union, types.UnionType):
            return self._union(tree, get_args(hint), path, info)
        if origin is tuple:
            return self._tuple(tree, get_args(hint), path, info)
        if origin is Literal:
            return self._literal(tree, get_args(hint), path)
        if is_dataclass(hint) and isinstance(hint, type) and not issubclass(hint, Word):
            return self.dataclass(tree, hint, path)
        return self._scalar(tree, hint, path, info)

    def dataclass(self, tree: Tree, cls: type[Any], path: Path, skip: tuple[str, ...] = ()) -> object:
        """An instance of ``cls`` from a mapping, or INVALID. Keys in ``skip`` are someone else's."""
        if not isinstance(tree, Mapping):
            message, help = misfit(path, "a mapping of keys", tree), f"its keys are {quoted(keys_of(cls))}"
            return self.refuse("NS203", tree.span, message, help)
        values = self.keys(tree, cls, path, skip)
        for name, item in keys_of(cls).items():
            if required(item) and name not in values:
                values[name] = self._missing(tree, cls, path, name, misspelt(tree, cls, name))
        if any(v is INVALID for v in values.values()):
            return INVALID
        return cls(**values)

    def keys(self, tree: Mapping, cls: type[Any], path: Path, skip: tuple[str, ...] = ()) -> dict[str, object]:
        """The values of the keys that stand there; unknown keys are refused, missing ones are not."""
        fields, hints = keys_of(cls), hints_of(cls)
        values: dict[str, object] = {}
        for entry in tree.entries:
            name = entry.key.text
            if name in skip:
                continue
            if name not in fields:
                message = f"{a_what(cls)} has no key `{shorten(name)}`"
                self.refuse("NS201", entry.key.span, message, did_you_mean(name, (*skip, *fields), "its keys are"))
                continue
            self.spans.record((*path, name), entry.key.span, entry.value.span)
            values[name] = self.decode(entry.value, hints[name], (*path, name), key_of(fields[name]))
        return values

    def _missing(self, tree: Mapping, cls: type[Any], path: Path, name: str, misspelt: bool) -> object:
        if misspelt:
            return INVALID
        info = key_of(keys_of(cls)[name])
        place = self.spans.keys.get(path, tree.span.start)
        return self.refuse("NS202", place, f"{a_what(cls)} needs the key `{name}`", meaning((*path, name), info))

    def refuse(self, code: str, span: Span, message: str, help: str = "") -> Invalid:
        self.findings.add(Diagnostic(code, message, span, help=help))
        return INVALID

    def _spread(self, tree: Tree, inner: Hint, spread: Spread, path: Path, info: Key | None) -> object:
        element = get_args(inner)[0]
        if not isinstance(tree, Sequence):
            for number in range(spread.count or 1):
                self.spans.record((*path, number), None, tree.span)
            value = self.decode(tree, element, path, info)
            return value if value is INVALID else (value,) * (spread.count or 1)
        if spread.count is None and not tree.items:
            return self.refuse("NS209", tree.span, f"{named(path)}is an empty list", "at least one is needed")
        if spread.count is not None and len(tree.items) != spread.count:
            message = f"{named(path)}takes one value or {spread.count}, found {len(tree.items)}"
            order = f"one number for all, or [{', '.join(spread.names)}]" if spread.names else ""
            return self.refuse("NS209", tree.span, message, order)
        return self._items(tree, (element,) * len(tree.items), path, info)

    def _tuple(self, tree: Tree, args: tuple[Hint, ...], path: Path, info: Key | None) -> object:
        if not isinstance(tree, Sequence):
            return self.refuse("NS203", tree.span, misfit(path, "a list", tree), meaning(path, info))
        if len(args) == 2 and args[1] is Ellipsis:
            return self._items(tree, (args[0],) * len(tree.items), path, info)
        if len(args) != len(tree.items):
            return self.refuse("NS209", tree.span, f"{named(path)}takes {len(args)} values, found {len(tree.items)}")
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
        words = tuple(word for m in members if origin_of(m) is Literal for word in get_args(m))
        fitting = [m for m in members if _fits(tree, m)]
        word_like = isinstance(tree, Scalar) and as_float(tree.text) is None
        if len(fitting) == 1 and not (words and word_like):
            return self.decode(tree, fitting[0], path, info)
        for member in fitting:
            attempt = Decoder(self.spans, Findings())
            value = attempt.decode(tree, member, path, info)
            if value is not INVALID:
                return value
        expected = " or ".join(hint_name(m) for m in members if m is not type(None))
        help = (said(suggestion(tree.text, words)) if isinstance(tree, Scalar) else "") or meaning(path, info)
        code = "NS205" if words else "NS203"
        return self.refuse(code, tree.span, misfit(path, expected, tree), help)

    def _literal(self, tree: Tree, choices: tuple[str, ...], path: Path) -> object:
        if isinstance(tree, Scalar) and tree.text in choices:
            return tree.text
        help = said(suggestion(tree.text, choices)) if isinstance(tree, Scalar) else ""
        return self.refuse("NS205", tree.span, misfit(path, f"one of {quoted(choices)}", tree), help)

    def _scalar(self, tree: Tree, hint: Hint, path: Path, info: Key | None) -> object:
        if not isinstance(tree, Scalar):
            return self.refuse("NS203", tree.span, misfit(path, hint_name(hint), tree))
        if isinstance(hint, type) and issubclass(hint, Word):
            return self._word(tree, hint)
        value = _plain_value(tree, hint)
        if value is None:
            return self.refuse("NS203", tree.span, misfit(path, hint_name(hint), tree), advice(tree, hint))
        return self._bounded(tree, value, path, info)

    def _word(self, tree: Scalar, hint: type[Word]) -> object:
        try:
            return hint.parse(tree.text)
        except WordError as error:
            return self.refuse(hint.code, tree.span, str(error), error.help or f"write {hint.pattern}")

    def _bounded(self, tree: Scalar, value: object, path: Path, info: Key | None) -> object:
        if info is None or isinstance(value, bool) or not isinstance(value, int | float):
            return value
        bounds = bounds_of(info)
        low = (info.least is not None and value < info.least) or (info.above is not None and value <= info.above)
        if low or (info.most is not None and value > info.most):
            message = f"{named(path)}is {tree.text}, but must be {bounds}"
            return self.refuse("NS204", tree.span, message, f"it is counted in {info.unit}" if info.unit else "")
        return value


def misspelt(tree: Mapping, cls: type[Any], name: str) -> bool:
    """Whether an unknown key of the mapping was taken for ``name``: then it is not missing too."""
    fields = keys_of(cls)
    unknown = (e.key.text for e in tree.entries if e.key.text not in fields)
    return any(suggestion(key, fields) == name for key in unknown)


def keys_of(cls: type[Any]) -> dict[str, Field[Any]]:
    """The fields of a dataclass that are keys of the language, by name."""
    key: Hint = cls
    return _keys_of(key)


def hints_of(cls: type[Any]) -> dict[str, Hint]:
    """The annotations of a dataclass, by field."""
    key: Hint = cls
    return _hints_of(key)


@cache
def _keys_of(cls: Hint) -> dict[str, Field[Any]]:
    return {f.name: f for f in dataclasses.fields(cls) if key_of(f) is not None}


@cache
def _hints_of(cls: Hint) -> dict[str, Hint]:
    return get_type_hints(cls, include_extras=True)


def _fits(tree: Tree, hint: Hint) -> bool:
    """Whether the kinds agree: a list for a tuple, a mapping for a class, else a scalar."""
    origin = origin_of(hint)
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
