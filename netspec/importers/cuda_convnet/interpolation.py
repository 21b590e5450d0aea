"""``%(name)s`` in a value: another option of its section, as Python 2's SafeConfigParser reads it. It reads no file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from netspec.diagnostics import did_you_mean
from netspec.syntax.scalars import shorten

_PERCENT = re.compile(r"%(?:(?P<itself>%)|\((?P<name>[^)]*)\)s|(?P<wrong>))")
_DEEPEST = 10  # the original's
_MOST = 100  # references that one value comes to


class InterpolationError(ValueError):
    """A value that names no option; ``help`` is what to write."""

    def __init__(self, message: str, help: str) -> None:
        super().__init__(message)
        self.help = help


def interpolate(text: str, options: Mapping[str, str]) -> str:
    """The text with every ``%(name)s`` replaced by that option's and every ``%%`` by ``%``.

    Raises InterpolationError.
    """
    return _Value(options).of(text, 0) if "%" in text else text


@dataclass
class _Value:
    """One value in the making; ``count`` bounds what short texts can grow to."""

    options: Mapping[str, str]
    count: int = 0

    def of(self, text: str, depth: int) -> str:
        return _PERCENT.sub(lambda match: self._part(match, depth), text)

    def _part(self, match: re.Match[str], depth: int) -> str:
        if match["itself"]:
            return "%"
        if match["name"] is None:
            raise InterpolationError("a lone `%` begins the name of another option", "write `%%` for a percent sign")
        self.count += 1
        name = match["name"].lower()
        if name not in self.options:
            help = did_you_mean(name, self.options, "the section has")
            raise InterpolationError(f"the section has no option `{shorten(name)}` for `{shorten(match[0])}`", help)
        if depth == _DEEPEST or self.count > _MOST:
            raise InterpolationError(f"`{shorten(match[0])}` never ends", "write the value out")
        return self.of(self.options[name], depth + 1)
