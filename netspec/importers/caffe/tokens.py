"""Tokens of protobuf's text format, each with its place. It knows no messages."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from netspec.diagnostics import Diagnostic, SpecError
from netspec.source import Source, Span

_TOKEN: Final = re.compile(
    r"""(?P<gap>[ \t\r\n\v\f\ufeff]+|\#[^\n]*)
    | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<number>\.?[0-9](?:[eE][+-][0-9]|[A-Za-z0-9_.])*)
    | (?P<string>"[^"\\\n]*(?:\\[^\n][^"\\\n]*)*"|'[^'\\\n]*(?:\\[^\n][^'\\\n]*)*')
    | (?P<sign>[-{}<>\[\]:;,/.])""",
    re.VERBOSE,
)
_SHOWN: Final = 40


@dataclass(frozen=True, slots=True)
class Token:
    """A token as written, from ``start`` to ``end`` of the text: a word, number, string, sign, or the end."""

    kind: str
    text: str
    start: int
    end: int


class Tokens:
    """The tokens of a text, read one by one: ``now`` is the next."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._lines = [0, *(match.end() for match in re.finditer("\n", source.text))]
        self._rest = self._read()
        self.now = next(self._rest)
        self._last_end = 0

    def take(self) -> Token:
        """The next token, which is used up."""
        token = self.now
        if token.kind != "end":
            self._last_end = token.end
            self.now = next(self._rest)
        return token

    def at(self, *signs: str) -> bool:
        return self.now.kind == "sign" and self.now.text in signs

    def skip(self, *signs: str) -> bool:
        """Use up the next token if it is one of these."""
        found = self.at(*signs)
        if found:
            self.take()
        return found

    def place(self, first: Token, last: Token | None = None) -> Span:
        """From the start of a token to the end of another, or to its own."""
        start, end = self._position(first.start), self._position((last or first).end)
        return Span(self._source, *start, *end)

    def since(self, first: Token) -> Span:
        """From the start of a token to the last one that was used up."""
        return Span(self._source, *self._position(first.start), *self._position(self._last_end))

    def last_place(self) -> Span:
        """The character behind the last token that was used up: where something is missing."""
        line, column = self._position(self._last_end)
        return Span(self._source, line, column, line, column + 1)

    def refuse(self, message: str, help: str, place: Span | None = None) -> SpecError:
        """An error at the next token."""
        return SpecError([Diagnostic("NS801", message, place or self.place(self.now), help=help)])

    def _position(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self._lines, offset) - 1
        return line, offset - self._lines[line]

    def _read(self) -> Iterator[Token]:
        text, offset = self._source.text, 0
        while offset < len(text):
            match = _TOKEN.match(text, offset)
            if match is None:
                raise self._no_token(Token("sign", text[offset], offset, offset + 1))
            offset = match.end()
            if match.lastgroup != "gap":
                yield Token(match.lastgroup or "", match[0], match.start(), offset)
        while True:
            yield Token("end", "", offset, offset)

    def _no_token(self, token: Token) -> SpecError:
        if token.text in "\"'":
            return self.refuse("this quote is not closed on its line", f"add `{token.text}`", self.place(token))
        return self.refuse(f"`{token.text}` means nothing here", "remove it", self.place(token))


def shown(token: Token) -> str:
    """A token for a message."""
    if token.kind == "end":
        return "the end of the file"
    return f"`{token.text[:_SHOWN]}{'…' if len(token.text) > _SHOWN else ''}`"
