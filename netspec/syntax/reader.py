"""Source text to a spanned tree, in bounded time and memory. It builds on YAML's events, so no alias is ever expanded.

YAML that makes bombs or surprises is refused: anchors, aliases, merge keys, tags, duplicate keys, several documents.
"""

from __future__ import annotations

import unicodedata
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, cast

import yaml

from netspec.diagnostics import Diagnostic, Findings, Label, SpecError
from netspec.source import Source, Span, whole
from netspec.syntax.faults import yaml_diagnostic
from netspec.syntax.scalars import shorten
from netspec.syntax.tree import Entry, Mapping, Scalar, Sequence, Tree

MAX_BYTES = 1 << 19
MAX_DEPTH = 32
MAX_LINE = 20_000
MAX_NODES = 40_000

_INSTEAD = "write the value out, or use `defaults:` for what the layers of a type share"
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml reads 7 times faster


def read_source(path: Path, name: str | None = None, *, or_cp1252: bool = False) -> Source:
    """The text of a UTF-8 file, or with ``or_cp1252`` of one byte a character where it is not UTF-8.

    Raises SpecError NS101 (cannot read), NS102 (not text), NS103 (too large).
    """
    shown = name or str(path)
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise _fatal("NS101", f"cannot read `{shown}`: {reason}", whole(Source(shown, "")), _read_help(path)) from None
    if len(data) > MAX_BYTES:
        message = f"the file is larger than {MAX_BYTES:,} bytes"
        raise _fatal("NS103", message, whole(Source(shown, "")), "name a layer file; a spec has a few thousand bytes")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if not or_cp1252 or 0 in data:  # of two bytes a character
            raise _not_utf_8(shown, data, error.start) from None
        text = _one_byte_a_character(data)
    return Source(shown, text.replace("\r\n", "\n"))


def _one_byte_a_character(data: bytes) -> str:
    """What other tools' files have in comments, from times before UTF-8; what it should look like may not be known."""
    return (
        data.removeprefix(BOM_UTF8).decode("cp1252", errors="replace").replace("\xad", "\ufffd")
    )  # a soft hyphen cannot be seen


def read_tree(source: Source, skip: int = 0) -> Tree:
    """The document's tree, without the first ``skip`` characters. Raises SpecError with codes NS102 to NS112."""
    check_text(source)
    composer = _Composer(source, " " * skip + source.text[skip:])
    try:
        return composer.compose()
    except (yaml.YAMLError, ValueError) as error:  # ValueError: the pure parser, of an escape past U+10FFFF
        raise SpecError([*composer.findings.items, yaml_diagnostic(source, error)]) from None


def _read_help(path: Path) -> str:
    if path.is_dir():
        return "name a file, not a folder"
    return "check the path, or name a spec that comes with netspec" if not path.exists() else ""


def _not_utf_8(name: str, data: bytes, start: int) -> SpecError:
    source = Source(name, data.decode("utf-8-sig", errors="backslashreplace").replace("\r\n", "\n"))
    before = data[:start].decode("utf-8-sig").split("\n")
    line, column = len(before) - 1, len(before[-1])
    place = Span(source, line, column, line, column + len("\\xff"))
    text = 0 not in data or data.startswith((BOM_UTF16_LE, BOM_UTF16_BE))
    help = "save the file as UTF-8" if text else "name a layer file: this one is binary"
    return _fatal("NS102", f"the byte 0x{data[start]:02X} is not UTF-8 text", place, help)


def check_text(source: Source) -> None:
    """Raise SpecError for a text that is too long, and for characters that are invisible or turn it around."""
    if len(source.text) > MAX_BYTES:
        raise _fatal(
            "NS103", f"the text is longer than {MAX_BYTES:,} characters", whole(source), "a spec has a few thousand"
        )
    for number, line in enumerate(source.lines):
        if len(line) > MAX_LINE:
            place = Span(source, number, 0, number, 1)
            raise _fatal("NS111", f"a line of {len(line):,} characters", place, f"break it: at most {MAX_LINE:,}")
        if not line.isprintable():
            _check_characters(source, number, line)


def _check_characters(source: Source, number: int, line: str) -> None:
    for column, char in enumerate(line):
        if not _is_text(char) and not (char == "\r" and column == len(line) - 1):
            place = Span(source, number, column, number, column + 1)
            raise _fatal("NS102", f"the character {_named(char)} does not belong in such a file", place, "delete it")


def _is_text(char: str) -> bool:
    """Printable, a tab or a space of any width. Everything else is invisible, turns text around, or breaks lines."""
    return char.isprintable() or char == "\t" or unicodedata.category(char) == "Zs"


def _named(char: str) -> str:
    name = unicodedata.name(char, "")
    return f"U+{ord(char):04X}" + (f" ({name})" if name else "")


class _Mark(Protocol):
    @property
    def line(self) -> int: ...
    @property
    def column(self) -> int: ...


@dataclass
class _Open:
    """A collection being read."""

    mapping: bool
    start: Span
    items: list[Tree] = field(default_factory=list)


@dataclass
class _Composer:
    """Builds the tree from events. What is merely not allowed is noted, so that one run reports all of it."""

    source: Source
    text: str
    findings: Findings = field(default_factory=Findings)
    stack: list[_Open] = field(default_factory=list)
    roots: list[Tree] = field(default_factory=list)
    count: int = 0
    documents: int = 0

    def compose(self) -> Tree:
        for event in self._events():
            self._take(event)
        self.findings.stop_on_errors()
        if not self.roots or _is_nothing(self.roots[0]):
            raise _fatal("NS109", "there is no spec in this text", whole(self.source), "start with `netspec: 1`")
        return self.roots[0]

    def _events(self) -> Iterator[yaml.Event]:
        loader = _Loader(self.text)
        try:
            while loader.check_event():
                yield loader.get_event()
        finally:
            loader.dispose()

    def _take(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.DocumentStartEvent):
            self._start_document(event)
        elif isinstance(event, yaml.AliasEvent):
            self._refuse("NS106", event, f"YAML aliases are not allowed (`*{shorten(event.anchor or '')}`)", _INSTEAD)
            self._add(Scalar("", True, self._place(event)))
        elif isinstance(event, yaml.ScalarEvent):
            self._check_node(event)
            self._check_value(event)
            self._add(Scalar(event.value, not event.style, self._place(event)))
        elif isinstance(event, yaml.SequenceStartEvent | yaml.MappingStartEvent):
            self._open(event)
        elif isinstance(event, yaml.SequenceEndEvent | yaml.MappingEndEvent):
            self._close(event)

    def _start_document(self, event: yaml.Event) -> None:
        self.documents += 1
        if self.documents > 1:
            advice = "one spec a file: delete the `---`"
            raise _fatal("NS109", "a second document starts here", self._place(event), advice)

    def _check_node(self, event: yaml.NodeEvent) -> None:
        self.count += 1
        if self.count > MAX_NODES:
            raise _fatal("NS111", f"more than {MAX_NODES:,} values", self._place(event), "a spec is short")
        if event.anchor is not None:
            word = f"&{event.anchor}"
            message = f"YAML anchors are not allowed (`{shorten(word)}`)"
            self.findings.add(Diagnostic("NS106", message, self._part(event, word), help=_INSTEAD))
        tag = getattr(event, "tag", None)
        if tag is not None and tag != "!":
            word = next((w for w in self._place(event).text.split() if w.startswith("!")), tag)
            message, help = f"YAML tags are not allowed (`{shorten(word)}`)", "delete it: the key says what a value is"
            self.findings.add(Diagnostic("NS107", message, self._part(event, word), help=help))

    def _check_value(self, event: yaml.ScalarEvent) -> None:
        """An escape in quotes can make a character that could not stand in the file."""
        bad = next((c for c in event.value if not _is_text(c) and c != "\n"), "")
        if bad:
            self._refuse("NS102", event, f"the text holds the character {_named(bad)}", "delete the escape")

    def _refuse(self, code: str, event: yaml.Event, message: str, help: str) -> None:
        self.findings.add(Diagnostic(code, message, self._place(event), help=help))

    def _open(self, event: yaml.NodeEvent) -> None:
        self._check_node(event)
        if len(self.stack) >= MAX_DEPTH:
            raise _fatal("NS105", f"nested deeper than {MAX_DEPTH} levels", self._place(event), "a spec needs five")
        self.stack.append(_Open(isinstance(event, yaml.MappingStartEvent), self._place(event)))

    def _close(self, event: yaml.Event) -> None:
        done = self.stack.pop()
        start, end = done.start, self._place(event)
        span = Span(self.source, start.line, start.column, end.end_line, end.end_column)
        self._add(Mapping(self._entries(done.items), span) if done.mapping else Sequence(tuple(done.items), span))

    def _add(self, tree: Tree) -> None:
        (self.stack[-1].items if self.stack else self.roots).append(tree)

    def _entries(self, items: list[Tree]) -> tuple[Entry, ...]:
        first: dict[str, Scalar] = {}
        entries = []
        for key, value in zip(items[::2], items[1::2], strict=True):
            if not isinstance(key, Scalar):
                self.findings.add(Diagnostic("NS110", "a key must be a word", key.span, help="write `key: value`"))
            elif key.text == "<<" and key.plain:
                message = "YAML merge keys are not allowed"
                self.findings.add(Diagnostic("NS106", message, key.span, help=_INSTEAD))
            elif key.text in first:
                self._refuse_duplicate(first[key.text], key)
            else:
                first[key.text] = key
                entries.append(Entry(key, value))
        return tuple(entries)

    def _refuse_duplicate(self, first: Scalar, second: Scalar) -> None:
        message = f"the key `{shorten(second.text)}` stands here twice"
        help = "keep one of them, or give the second another name"
        others = (Label(first.span, "first here"),)
        self.findings.add(Diagnostic("NS108", message, second.span, label="again here", help=help, others=others))

    def _part(self, event: yaml.Event, word: str) -> Span:
        """Where a word stands that belongs to a value."""
        place = self._place(event)
        found = place.text.find(word)
        start = place.column + max(found, 0)
        return Span(self.source, place.line, start, place.line, start + len(word)) if found >= 0 else place

    def _place(self, event: yaml.Event) -> Span:
        start, end = cast(_Mark, event.start_mark), cast(_Mark, event.end_mark)  # the parsers always set them
        return Span(self.source, start.line, start.column, end.line, end.column)


def _is_nothing(tree: Tree) -> bool:
    return isinstance(tree, Scalar) and tree.plain and not tree.text


def _fatal(code: str, message: str, place: Span, help: str = "") -> SpecError:
    return SpecError([Diagnostic(code, message, place, help=help)])
