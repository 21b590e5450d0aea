"""``%(name)s`` in a value: another option of its section, as Python 2's SafeConfigParser reads it. It reads no file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from netspec.diagnostics import Diagnostic, Findings, did_you_mean
from netspec.syntax.scalars import shorten

if TYPE_CHECKING:
    from netspec.importers.cuda_convnet.sections import Option

_PERCENT = re.compile(r"%(?:(?P<itself>%)|\((?P<name>[^)]*)\)s|(?P<wrong>))")
_DEEPEST = 10  # the original's
_MOST = 100  # references that one value comes to


class _ReferenceError(Exception):
    """What is wrong with a value: the sentence and the fix."""

    def __init__(self, message: str, help: str) -> None:
        super().__init__(message)
        self.message, self.help = message, help


def interpolate(options: Mapping[str, Option], findings: Findings) -> dict[str, Option]:
    """The options with every ``%(name)s`` replaced and every ``%%`` a ``%``. Finds NS801."""
    result = {}
    for name, option in options.items():
        try:
            text = _Value(options).text(option, 0) if "%" in option.text else option.text
        except _ReferenceError as failed:
            findings.add(Diagnostic("NS801", failed.message, option.value, help=failed.help))
            continue
        result[name] = replace(option, text=text)
    return result


@dataclass
class _Value:
    """One value in the making; ``count`` bounds what short texts can grow to."""

    options: Mapping[str, Option]
    count: int = 0

    def text(self, option: Option, depth: int) -> str:
        return _PERCENT.sub(lambda match: self._part(match, depth), option.text)

    def _part(self, match: re.Match[str], depth: int) -> str:
        if match["itself"]:
            return "%"
        if match["name"] is None:
            raise _ReferenceError("a lone `%` begins the name of another option", "write `%%` for a percent sign")
        self.count += 1
        name = match["name"].lower()
        if name not in self.options:
            help = did_you_mean(name, self.options, "the section has")
            raise _ReferenceError(f"the section has no option `{shorten(name)}` for `{shorten(match[0])}`", help)
        if depth == _DEEPEST or self.count > _MOST:
            raise _ReferenceError(f"`{shorten(match[0])}` never ends", "write the value out")
        return self.text(self.options[name], depth + 1)
