"""Words with arguments: ``tanh[1.7159, 0.6667]``, ``normal[0.01]``. Scalars that are parsed, never evaluated."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, Self

from netspec.syntax.scalars import as_float, shorten

_WORD = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?:\[([^\[\]]*)\])?")


class WordError(ValueError):
    """The text is no such word; the message says why, ``help`` what to write."""

    def __init__(self, message: str, help: str = "") -> None:
        super().__init__(message)
        self.help = help


@dataclass(frozen=True)
class Word:
    """A scalar type of the language that parses itself. ``code`` is the diagnostic of a misfit."""

    code: ClassVar[str] = "NS203"
    pattern: ClassVar[str] = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises WordError."""
        raise WordError(f"`{text}` cannot be read")


def split_word(text: str) -> tuple[str, tuple[float, ...]]:
    """``tanh[1, 2]`` to ``("tanh", (1.0, 2.0))``. Raises WordError."""
    match = _WORD.fullmatch(text.strip())
    if not match:
        raise WordError(f"`{shorten(text)}` cannot be read")
    name, arguments = match.groups()
    numbers = [] if arguments is None or not arguments.strip() else arguments.split(",")
    values = []
    for part in numbers:
        value = as_float(part.strip())
        if value is None:
            raise WordError(f"`{shorten(part.strip())}` in `{shorten(text)}` is no number")
        values.append(value)
    return name, tuple(values)
