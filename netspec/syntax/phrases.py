"""The decoder's sentences: what an annotation expects, what stands there, how to mend it. It decides nothing."""

from __future__ import annotations

import types
from collections.abc import Iterable
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from netspec.diagnostics.grammar import a
from netspec.syntax.keys import Key
from netspec.syntax.scalars import YAML_11_BOOL, as_bool, as_float, describe, is_null, shorten
from netspec.syntax.spans import Path
from netspec.syntax.tree import Scalar, Sequence, Tree

Hint = Any  # a type annotation; Python has no narrower type for one
_MAPPINGS = {
    "Header": "a spec",
    "ExperimentHeader": "an experiment",
    "RunHeader": "a run",
    "Measure": "`measure`",
    "Paper": "`paper`",
    "InputSpec": "`input`",
    "DataSpec": "`data`",
    "TrainSpec": "`train`",
    "RateSpec": "a learning rate",
    "ConvInput": "a mapping in `per_input`",
    "FcInput": "a mapping in `per_input`",
}


def a_what(cls: type[Any]) -> str:
    """What a class is called in messages: `` a `conv` layer ``, `` `train` ``."""
    name = getattr(cls, "type", None)
    return f"{a(name)} layer" if isinstance(name, str) else _MAPPINGS.get(cls.__name__, "this mapping")


def origin_of(hint: Hint) -> object:
    """``typing.get_origin``, for annotations of any kind."""
    return get_origin(hint)


def hint_name(hint: Hint) -> str:
    """An annotation in words."""
    names = {int: "a whole number", float: "a number", str: "text", bool: "true or false", type(None): "nothing"}
    if hint in names:
        return names[hint]
    origin = origin_of(hint)
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


def bounds_of(info: Key) -> str:
    """``at least 1``, ``between 0 and 1``, ``above 0``; empty without bounds."""
    if info.least is not None and info.most is not None:
        return f"between {_number(info.least)} and {_number(info.most)}"
    low = f"at least {_number(info.least)}" if info.least is not None else ""
    low = low or (f"above {_number(info.above)}" if info.above is not None else "")
    high = f"at most {_number(info.most)}" if info.most is not None else ""
    return " and ".join(part for part in (low, high) if part)


def _number(value: float) -> str:
    return f"{int(value):,}" if value == int(value) else f"{value:g}"


def found(tree: Tree) -> str:
    """What stands there, in words."""
    if isinstance(tree, Scalar):
        return describe(tree.text, tree.plain)
    return "a list" if isinstance(tree, Sequence) else "a mapping"


def named(path: Path) -> str:
    """The key that a path leads to, to begin a sentence with."""
    key = next((part for part in reversed(path) if isinstance(part, str)), "it")
    return f"`{shorten(key)}` "


def meaning(path: Path, info: Key | None) -> str:
    """What the key that a path leads to is for, as a help."""
    return f"{named(path).rstrip()}: {info.doc[0].lower()}{info.doc[1:]}" if info else ""


def misfit(path: Path, expected: str, tree: Tree) -> str:
    """The sentence for a value of the wrong kind."""
    return f"{named(path)}must be {expected}, found {found(tree)}"


def quoted(words: Iterable[str]) -> str:
    """Words as in a sentence, each in backticks."""
    return ", ".join(f"`{word}`" for word in words)


def advice(tree: Scalar, hint: Hint) -> str:
    """How to mend a scalar that is no value for an annotation; empty where nothing is likely."""
    if hint is bool and tree.text.lower() in YAML_11_BOOL:
        return "YAML 1.2 knows `true` and `false` only"
    if hint is str:
        return f'quote it: "{tree.text}"' if tree.text else 'write a text, or `""` for none'
    if tree.plain and is_null(tree.text):
        return "write a value, or remove the key for the default"
    if not tree.plain and (as_float(tree.text) is not None or as_bool(tree.text) is not None):
        return "remove the quotes"
    if hint is int and (number := as_float(tree.text)) is not None and number == int(number) and abs(number) < 1e15:
        return f"write it as `{int(number)}`"
    return ""
