"""Scalars of protobuf's text format: tokens to values of the kind that a field has. It knows no messages."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from netspec.diagnostics import Diagnostic, SpecError, did_you_mean
from netspec.importers.caffe.schema import ENUMS, LAYER_TYPES, Slot
from netspec.importers.caffe.tokens import Token, Tokens, shown
from netspec.source import Span

LARGEST_FLOAT: Final = 3.4028235677973366e38  # from here on a float32 is infinite

_INTEGER: Final = re.compile("0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*")
_FLOAT: Final = re.compile(r"(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|0*\.[0-9]+)(?:[eE][+-]?[0-9]+)?[fF]?")
_NOT_FINITE: Final = {"inf", "infinity", "nan"}
_LONGEST: Final = 400  # characters of a number
_MOST_LISTED: Final = 8  # words of an enum
_OF_STRINGS: Final = {type: word for word, type in LAYER_TYPES.items()}
_FLAGS: Final = {
    "true": True,
    "True": True,
    "t": True,
    "1": True,
    "false": False,
    "False": False,
    "f": False,
    "0": False,
}
_RANGES: Final = {
    "int32": (-(1 << 31), (1 << 31) - 1),
    "uint32": (0, (1 << 32) - 1),
    "int64": (-(1 << 63), (1 << 63) - 1),
}
_ESCAPE: Final = re.compile(
    r"\\(?:(?P<octal>[0-7]{1,3})|[xX](?P<hex>[0-9a-fA-F]{1,2})|u(?P<short>[0-9a-fA-F]{4})|U(?P<long>[0-9a-fA-F]{8})|(?P<char>.?))"
)
_CHARS: Final = {"n": 10, "t": 9, "r": 13, "a": 7, "b": 8, "f": 12, "v": 11, "\\": 92, "'": 39, '"': 34, "?": 63}

Scalar = str | int | float | bool


def read_scalar(tokens: Tokens, slot: Slot) -> tuple[Scalar, Span]:
    """The value at the next token, and its place. Raises SpecError NS802 where it is of another kind."""
    first = tokens.now
    value = _READERS.get(slot.kind, _word)(tokens, slot)
    return value, tokens.since(first)


def kind_in_words(slot: Slot) -> str:
    """What a field takes, for a message: ``a whole number``."""
    words = ENUMS.get(slot.kind, {}).values()
    listed = "one of " + ", ".join(words) if len(words) <= _MOST_LISTED else "a word in capitals"
    return _KINDS.get(slot.kind, listed)


def _string(tokens: Tokens, slot: Slot) -> str:
    if tokens.now.kind != "string":
        raise _of_wrong_kind(tokens, slot, _quoted(tokens.now))
    parts = []
    while tokens.now.kind == "string":  # texts that follow each other are one
        parts.append(_unescaped(tokens, tokens.take()))
    return b"".join(parts).decode("utf-8", "backslashreplace")


def _quoted(token: Token) -> str:
    """The fix for a text without quotes."""
    if token.kind in ("sign", "end"):
        return 'write text in quotes: "..."'
    return f'write `"{LAYER_TYPES.get(token.text, token.text)[:_LONGEST]}"`'


def _unescaped(tokens: Tokens, token: Token) -> bytes:
    parts, end, raw = [], 0, token.text[1:-1]
    for match in _ESCAPE.finditer(raw):
        parts += [raw[end : match.start()].encode("utf-8", "surrogatepass"), _escape(tokens, token, match)]
        end = match.end()
    return b"".join([*parts, raw[end:].encode("utf-8", "surrogatepass")])


def _escape(tokens: Tokens, token: Token, match: re.Match[str]) -> bytes:
    code = match["short"] or match["long"]
    if code and not 0xD800 <= int(code, 16) <= 0xDFFF and int(code, 16) <= 0x10FFFF:
        return chr(int(code, 16)).encode()
    byte = int(match["octal"], 8) if match["octal"] else int(match["hex"], 16) if match["hex"] else None
    byte = _CHARS.get(match["char"] or "none") if byte is None else byte
    if code or byte is None or byte > 0xFF:
        raise tokens.refuse(
            f"`{match[0]}` is no escape of this format", "write `\\\\` for a backslash", tokens.place(token)
        )
    return bytes([byte])


def _flag(tokens: Tokens, slot: Slot) -> bool:
    value = _FLAGS.get(tokens.now.text) if tokens.now.kind in ("word", "number") else None
    if value is None:
        raise _of_wrong_kind(tokens, slot, "write `true` or `false`")
    tokens.take()
    return value


def _integer(tokens: Tokens, slot: Slot) -> int:
    first = tokens.now
    value = _signed_integer(tokens, slot)
    least, most = _RANGES[slot.kind]
    if not least <= value <= most:
        message = f"`{slot.name}` is {'at least' if value < least else 'at most'} {least if value < least else most:,}"
        raise SpecError([Diagnostic("NS802", message, tokens.since(first), help="write a number that it can hold")])
    return value


def _signed_integer(tokens: Tokens, slot: Slot) -> int:
    sign = -1 if tokens.skip("-") else 1
    text = tokens.now.text
    if tokens.now.kind != "number" or len(text) > _LONGEST or not _INTEGER.fullmatch(text):
        raise _of_wrong_kind(tokens, slot, "write a whole number")
    tokens.take()
    base = 16 if text[:2] in ("0x", "0X") else 8 if text[0] == "0" else 10
    return sign * int(text, base)


def _float(tokens: Tokens, slot: Slot) -> float:
    first = tokens.now
    sign = -1.0 if tokens.skip("-") else 1.0
    text = tokens.now.text
    known = tokens.now.kind == "number" and len(text) <= _LONGEST and _FLOAT.fullmatch(text)
    value = float(text.rstrip("fF")) if known else None
    if (value is not None and value >= LARGEST_FLOAT) or text.lower() in _NOT_FINITE:
        message = f"`{slot.name}` is not finite"
        raise SpecError([Diagnostic("NS802", message, tokens.place(first, tokens.now), help="write a finite number")])
    if value is None:
        raise _of_wrong_kind(tokens, slot, "write a decimal number")
    tokens.take()
    return sign * value


def _word(tokens: Tokens, slot: Slot) -> str:
    """The word of an enum, which may be given by its number."""
    words, token = ENUMS[slot.kind], tokens.now
    word = token.text if token.kind == "word" else words.get(int(token.text), "") if token.text.isdigit() else ""
    if word not in words.values():
        given = token.text.strip("\"'")
        help = did_you_mean(_OF_STRINGS.get(given, given), words.values(), "write one of") or "write one of its words"
        raise _of_wrong_kind(tokens, slot, help)
    tokens.take()
    return word


def _of_wrong_kind(tokens: Tokens, slot: Slot, help: str) -> SpecError:
    message = f"`{slot.name}` is {kind_in_words(slot)}, not {shown(tokens.now)}"
    return SpecError([Diagnostic("NS802", message, tokens.place(tokens.now), help=help)])


_READERS: Final[Mapping[str, Callable[[Tokens, Slot], Scalar]]] = {
    "string": _string,
    "bool": _flag,
    "float": _float,
    "double": _float,
    "int32": _integer,
    "int64": _integer,
    "uint32": _integer,
}
_KINDS: Final = {
    "string": "text in quotes",
    "bool": "true or false",
    "float": "a number",
    "double": "a number",
    "int32": "a whole number",
    "int64": "a whole number",
    "uint32": "a whole number from 0 on",
}
