"""A section's options by name and kind, as cuda-convnet's parser reads them. It knows no layer types.

Source: reference/cuda-convnet.md 0 (lists, bools). What is wrong is found and a stand-in returned, so that one run
finds all of a layer's options that are wrong; ask ``wrong`` before reckoning with them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NoReturn, TypeVar

from netspec.diagnostics import Diagnostic, Findings, did_you_mean
from netspec.diagnostics.grammar import count
from netspec.importers.cuda_convnet.sections import Section
from netspec.importers.draft import At, Plain
from netspec.source import Span
from netspec.syntax.phrases import quoted
from netspec.syntax.scalars import as_float, shorten

Value = TypeVar("Value")

_WHOLE = re.compile(r"[-+]?[0-9]{1,18}")
_BOOL = {"1": True, "yes": True, "true": True, "on": True, "0": False, "no": False, "false": False, "off": False}
_SLIPS = (
    ("\n", "a line that begins with a blank continues the value above it: begin it at the left"),
    ("#", "`#` begins a comment at the start of a line only; behind a value, a blank and `;` do"),
    (";", "`;` begins a comment at the start of a line, or behind a blank"),
)


class Refused(Exception):  # noqa: N818 - a verdict on a layer that was found already
    """The layer cannot be read on: what is wrong with it, or with what it reads, has been found."""


class _ValueError(ValueError):
    """What an option should be, in words."""


@dataclass
class Options:
    """The options of one section. ``lists``: whether one value of a list stands for all.

    ``used`` are the options that were asked for, by name in lower case.
    """

    section: Section
    findings: Findings
    lists: bool = True
    missing_help: str = ""
    used: dict[str, str] = field(default_factory=dict)
    wrong: bool = False

    def has(self, name: str) -> bool:
        return name.lower() in self.section.options

    def place(self, name: str) -> Span:
        """Where the value of an option stands, or else the section."""
        option = self.section.options.get(name.lower())
        return option.value if option else self.section.place

    def at(self, name: str, value: Plain) -> At:
        """A value of a draft that comes from an option."""
        return At(value, self.place(name))

    def text(self, name: str, default: str | None = None) -> str:
        return self._one(name, lambda text: text, default, "")

    def integer(self, name: str, default: int | None = None, least: int | None = None) -> int:
        return self._one(name, lambda text: _whole(text, least), default, 1)

    def number(self, name: str, default: float | None = None) -> float:
        return self._one(name, _number, default, 1.0)

    def boolean(self, name: str, default: bool) -> bool:
        return self._one(name, _boolean, default, default)

    def choice(self, name: str, choices: tuple[str, ...], default: str | None = None) -> str:
        text = self.text(name, default)
        if text not in choices and self.has(name):
            self.find("NS802", name, f"`{name}` is `{shorten(text)}`", did_you_mean(text, choices, "expected one of"))
        return text

    def integers(self, name: str, inputs: int, default: int | None = None, least: int | None = None) -> tuple[int, ...]:
        """A whole number for each input."""
        return self._each(name, inputs, lambda text: _whole(text, least), default, 1)

    def numbers(self, name: str, inputs: int, default: float | None = None) -> tuple[float, ...]:
        """A number for each input."""
        return self._each(name, inputs, _number, default, 1.0)

    def booleans(self, name: str, inputs: int) -> tuple[bool, ...]:
        """In lists only `true` and `1` are true."""
        return self._each(name, inputs, lambda text: text.lower() in ("true", "1"), False, False)

    def texts(self, name: str) -> tuple[str, ...]:
        """The comma-separated texts of a list; none where there is no such option."""
        text = self.text(name, "")
        return tuple(part.strip() for part in text.split(",")) if text else ()

    def find(self, code: str, name: str, message: str, help: str = "") -> None:
        """Report an option."""
        self.wrong = True
        self.findings.add(Diagnostic(code, message, self.place(name), help=help))

    def refuse(self, code: str, name: str, message: str, help: str = "") -> NoReturn:
        """Report an option that the layer cannot be read on with."""
        self.find(code, name, message, help)
        raise Refused

    def _one(self, name: str, read: Callable[[str], Value], default: Value | None, stand_in: Value) -> Value:
        self.used[name.lower()] = name
        option = self.section.options.get(name.lower())
        if option is None:
            return self._default(name, default, stand_in)
        try:
            return read(option.text.strip())
        except _ValueError as error:
            found = f"found `{shorten(option.text)}`" if option.text else "and nothing is written"
            self.find("NS802", name, f"`{name}` must be {error}, {found}", slip(option.text))
            return stand_in

    def _default(self, name: str, default: Value | None, stand_in: Value) -> Value:
        if default is not None:
            return default
        help = self.missing_help or f"`{name}=`, which has no default"
        self.find("NS803", name, f"`{shorten(self.section.name)}` lacks `{name}`", help)
        return stand_in

    def _each(
        self, name: str, inputs: int, read: Callable[[str], Value], default: Value | None, stand_in: Value
    ) -> tuple[Value, ...]:
        fallback = (None if default is None else (default,)) if not self.has(name) else None
        values = self._one(name, lambda text: tuple(read(part.strip()) for part in text.split(",")), fallback, ())
        if len(values) == 1 and (self.lists or not self.has(name)):
            return values * inputs
        if len(values) != inputs and values:
            help = "one value for each input, separated by commas"
            self.find("NS808", name, f"`{name}` has {count(len(values), 'value')} for {count(inputs, 'input')}", help)
        return values if len(values) == inputs else (stand_in,) * inputs


def slip(text: str) -> str:
    """Which rule of the format made an unreadable value longer than it was meant to be; empty where none did."""
    return next((help for mark, help in _SLIPS if mark in text), "")


def _whole(text: str, least: int | None) -> int:
    bound = "" if least is None else f" from {least} on"
    if not _WHOLE.fullmatch(text) or (least is not None and int(text) < least):
        raise _ValueError(f"a whole number{bound}")
    return int(text)


def _number(text: str) -> float:
    value = as_float(text)
    if value is None:
        raise _ValueError("a number")
    return value


def _boolean(text: str) -> bool:
    value = _BOOL.get(text.lower())
    if value is None:
        raise _ValueError(f"one of {quoted(_BOOL)}")
    return value
