"""Values for the keys of a dataclass, drawn from its fields alone: types, bounds, words. It knows no layer type.

Everything takes a ``random.Random``: a seeded one, or hypothesis's own, which shrinks.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from dataclasses import is_dataclass
from random import Random
from typing import Annotated, Any, Literal, Union, cast, get_args, get_origin

from netspec.ir.neuron import KINDS, Neuron
from netspec.ir.parameter import _ARGUMENTS, Init
from netspec.syntax.decode import hints_of, keys_of
from netspec.syntax.keys import Key, Spread, key_of, required
from netspec.syntax.words import Word, WordError

Entry = dict[str, object]
Hint = Any  # an annotation

_STEPS = (0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 3, 4, 5, 7)
_LENGTHS = (1, 2, 2, 3, 4, 4, 6, 8)
_FLOATS = (-1.0, 0.0, 1e-4, 0.1, 0.5, 0.75, 1.0, 1.25, 2.0)


def draw_keys(random: Random, cls: type[Any], count: int, skip: tuple[str, ...] = ()) -> Entry:
    """Some keys of ``cls``; lists have ``count`` values, but those of whole numbers any. References are left out."""
    entry: Entry = {}
    for name, item in keys_of(cls).items():
        if name in skip or (not required(item) and random.random() < 0.35):
            continue
        value = draw_value(random, hints_of(cls)[name], key_of(item) or Key(""), count)
        if value is None and required(item):
            raise TypeError(f"no value can be drawn for `{name}` of {cls.__name__}: {hints_of(cls)[name]}")
        if value is not None:
            entry[name] = value
    return entry


def draw_value(random: Random, hint: Hint, info: Key, count: int) -> object:
    """A value for an annotation; None for nothing, and for text, which names another layer."""
    origin: Hint = get_origin(hint)
    arguments = get_args(hint)
    if origin is Annotated:
        return _spread(random, get_args(arguments[0])[0], cast(Spread, arguments[1]), info, count)
    if origin in (Union, types.UnionType):
        return draw_value(random, _member(random, arguments), info, count)
    if origin is Literal:
        return random.choice(arguments)
    if origin is tuple:
        length = random.choice(_LENGTHS) if arguments[0] is int else count
        return [draw_value(random, arguments[0], info, count) for _ in range(length)]
    if isinstance(hint, type) and issubclass(hint, Word):
        return _WORDS[hint](random)
    if is_dataclass(hint) and isinstance(hint, type):
        return draw_keys(random, hint, count)
    return _SCALARS[hint](random, info)


def draw_neuron(random: Random, kinds: tuple[str, ...] = tuple(KINDS)) -> str:
    """A neuron with its numbers, such as ``tanh[1.5, 0.5]``."""
    kind = random.choice(kinds)
    numbers = [random.choice([-1, 1]) * round(random.uniform(0.2, 2), 3) for _ in range(KINDS[kind].arguments)]
    try:
        return str(Neuron.parse(f"{kind}[{', '.join(map(str, numbers))}]" if numbers else kind))
    except WordError:  # some take positive numbers only, or none below the one before
        return f"{kind}[{', '.join(map(str, sorted(map(abs, numbers))))}]"


def _init(random: Random) -> str:
    kind = random.choice(tuple(_ARGUMENTS))
    number = round(random.uniform(0, 1), 3)
    return f"{kind}[{number}]" if _ARGUMENTS[kind] else kind


def _member(random: Random, members: tuple[Hint, ...]) -> Hint:
    """One of a union; words that stand for a value are the exception."""
    words = [m for m in members if _is_literal(m)]
    values = [m for m in members if m is not type(None) and m not in words]
    return random.choice(words if words and (not values or random.random() < 0.15) else values)


def _is_literal(hint: Hint) -> bool:
    origin: Hint = get_origin(hint)
    return bool(origin is Literal)


def _spread(random: Random, element: Hint, spread: Spread, info: Key, count: int) -> object:
    """One value for all, or one each."""
    if random.random() < 0.5:
        return draw_value(random, element, info, count)
    return [draw_value(random, element, info, count) for _ in range(spread.count or len(spread.names) or count)]


def _int(random: Random, info: Key) -> int:
    least = -2 if info.least is None or info.least < -2 else int(info.least)
    value = least + random.choice(_STEPS)
    return value if info.most is None else min(value, int(info.most))


def _float(random: Random, info: Key) -> float:
    least = max(-2.0 if info.least is None else info.least, -2.0 if info.above is None else info.above)
    own = round(least + random.uniform(0.01, 3), 4)
    fitting = [value for value in (*_FLOATS, own, own, own) if _within(value, info)]
    return random.choice(fitting or [float(info.most or 0)])


def _within(value: float, info: Key) -> bool:
    low = (info.least is None or value >= info.least) and (info.above is None or value > info.above)
    return low and (info.most is None or value <= info.most)


_WORDS: dict[type[Word], Callable[[Random], str]] = {Neuron: draw_neuron, Init: _init}
_SCALARS: dict[object, Callable[[Random, Key], object]] = {
    bool: lambda random, _: random.random() < 0.5,
    int: _int,
    float: _float,
    str: lambda random, _: None,
}
