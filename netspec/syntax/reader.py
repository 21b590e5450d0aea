"""Source text to a spanned tree, in bounded time and memory. It builds on YAML's events, so no alias is ever expanded.

YAML that makes bombs or surprises is refused: anchors, aliases, merge keys, tags, duplicate keys, several documents.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from netspec.diagnostics import Diagnostic, Label, SpecError
from netspec.source import Source, Span, whole
from netspec.syntax.tree import Entry, Mapping, Scalar, Sequence, Tree

MAX_BYTES = 1 << 20
MAX_DEPTH = 32
MAX_LINE = 20_000
MAX_NODES = 100_000

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml reads 7 times faster


def read_source(path: Path, name: str | None = None) -> Source:
    """The text of a UTF-8 file. Raises SpecError NS101 (cannot read), NS102 (not text), NS103 (too large)."""
    shown = name or str(path)
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise _fatal("NS101", f"cannot read `{shown}`: {reason}", whole(Source(shown, "")), _read_help(path)) from None
    if len(data) > MAX_BYTES:
        raise _fatal("NS103", f"the file is larger than {MAX_BYTES:,} bytes", whole(Source(shown, "")), "a spec is text")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        place = whole(Source(shown, ""))
        raise _fatal("NS102", f"byte {error.start} is not UTF-8 text", place, "save the file as UTF-8") from None
    return Source(shown, text.replace("\r\n", "\n"))


def read_tree(source: Source) -> Tree:
    """The document's tree. Raises SpecError with codes NS102 to NS111."""
    _check_text(source)
    try:
        return _Composer(source).compose()
    except yaml.YAMLError as error:
        raise _yaml_error(source, error) from None


def _read_help(path: Path) -> str:
    if path.is_dir():
        return "name a file, not a folder"
    return "check the path; `netspec init --list` shows the specs that come with netspec" if not path.exists() else ""


def _check_text(source: Source) -> None:
    if len(source.text) > MAX_BYTES:
        raise _fatal("NS103", f"the text is longer than {MAX_BYTES:,} characters", whole(source), "a spec is short")
    for number, line in enumerate(source.lines):
        if len(line) > MAX_LINE:
            place = Span(source, number, 0, number, 1)
            raise _fatal("NS111", f"a line of {len(line):,} characters", place, f"break it: at most {MAX_LINE:,}")
        if not line.isprintable():
            _check_characters(source, number, line)


def _check_characters(source: Source, number: int, line: str) -> None:
    for column, char in enumerate(line):
        allowed = char.isprintable() or char in "\t\r" or char.isspace()
        if not allowed or "\ud800" <= char <= "\udfff" or char in "\x0b\x0c\x1c\x1d\x1e\x1f\x85\u2028\u2029":
            place = Span(source, number, column, number, column + 1)
            raise _fatal("NS102", f"the character U+{ord(char):04X} does not belong in a text file", place, "delete it")


@dataclass
class _Open:
    """A collection being read."""

    mapping: bool
    start: yaml.Mark
    items: list[Tree] = field(default_factory=list)


@dataclass
class _Composer:
    source: Source
    stack: list[_Open] = field(default_factory=list)
    roots: list[Tree] = field(default_factory=list)
    count: int = 0
    documents: int = 0

    def compose(self) -> Tree:
        for event in self._events():
            self._take(event)
        if not self.roots:
            raise _fatal("NS109", "the file is empty", whole(self.source), "start with `netspec: 1`")
        return self.roots[0]

    def _events(self) -> Iterator[yaml.Event]:
        loader = _Loader(self.source.text)
        try:
            while loader.check_event():
                yield loader.get_event()
        finally:
            loader.dispose()

    def _take(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.DocumentStartEvent):
            self._start_document(event)
        elif isinstance(event, yaml.AliasEvent):
            raise self._refuse_anchor(event)
        elif isinstance(event, yaml.ScalarEvent):
            self._check_node(event)
            self._add(Scalar(event.value, not event.style, self._span(event.start_mark, event.end_mark)))
        elif isinstance(event, yaml.SequenceStartEvent | yaml.MappingStartEvent):
            self._open(event)
        elif isinstance(event, yaml.SequenceEndEvent | yaml.MappingEndEvent):
            self._close(event)

    def _start_document(self, event: yaml.Event) -> None:
        self.documents += 1
        if self.documents > 1:
            place = self._span(event.start_mark, event.end_mark)
            raise _fatal("NS109", "a second document starts here", place, "one spec a file: delete the `---`")

    def _check_node(self, event: yaml.NodeEvent) -> None:
        place = self._span(event.start_mark, event.end_mark)
        self.count += 1
        if self.count > MAX_NODES:
            raise _fatal("NS111", f"more than {MAX_NODES:,} values", place, "a spec is short")
        if event.anchor is not None:
            raise self._refuse_anchor(event)
        tag = getattr(event, "tag", None)
        if tag is not None and tag != "!":
            raise _fatal("NS107", f"the tag `{tag}` is not allowed", place, "delete it: types come from the key")

    def _refuse_anchor(self, event: yaml.NodeEvent) -> SpecError:
        place = self._span(event.start_mark, event.end_mark)
        advice = "write the value out, or use `defaults:` for what layers of a type share"
        return _fatal("NS106", f"YAML anchors and aliases are not allowed (`{event.anchor}`)", place, advice)

    def _open(self, event: yaml.NodeEvent) -> None:
        self._check_node(event)
        if len(self.stack) >= MAX_DEPTH:
            place = self._span(event.start_mark, event.end_mark)
            raise _fatal("NS105", f"nested deeper than {MAX_DEPTH} levels", place, "a spec needs five")
        self.stack.append(_Open(isinstance(event, yaml.MappingStartEvent), event.start_mark))

    def _close(self, event: yaml.Event) -> None:
        done = self.stack.pop()
        span = self._span(done.start, event.end_mark)
        self._add(Mapping(self._entries(done.items), span) if done.mapping else Sequence(tuple(done.items), span))

    def _add(self, tree: Tree) -> None:
        (self.stack[-1].items if self.stack else self.roots).append(tree)

    def _entries(self, items: list[Tree]) -> tuple[Entry, ...]:
        first: dict[str, Scalar] = {}
        entries = []
        for key, value in zip(items[::2], items[1::2], strict=True):
            if not isinstance(key, Scalar):
                raise _fatal("NS110", "a key must be a word", key.span, "quote it, or write `key: value`")
            if key.text == "<<" and key.plain:
                raise _fatal("NS106", "YAML merge keys are not allowed", key.span, "use `defaults:`")
            if key.text in first:
                raise self._duplicate(first[key.text], key)
            first[key.text] = key
            entries.append(Entry(key, value))
        return tuple(entries)

    def _duplicate(self, first: Scalar, second: Scalar) -> SpecError:
        return SpecError(
            [
                Diagnostic(
                    "NS108",
                    f"the key `{second.text}` stands here twice",
                    second.span,
                    others=(Label(first.span, "first here"),),
                    help="keep one of them, or give the second another name",
                )
            ]
        )

    def _span(self, start: yaml.Mark, end: yaml.Mark) -> Span:
        return Span(self.source, start.line, start.column, end.line, end.column)


def _yaml_error(source: Source, error: yaml.YAMLError) -> SpecError:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    place = Span(source, mark.line, mark.column, mark.line, mark.column + 1) if mark else whole(source)
    context = getattr(error, "context", None)
    message = f"not valid YAML: {problem}" + (f" {context}" if context else "")
    return _fatal("NS104", message, place, _yaml_help(source, place, str(problem)))


def _yaml_help(source: Source, place: Span, problem: str) -> str:
    if "\t" in source.line(place.line)[: place.column + 1]:
        return "indent with spaces, not with tabs"
    if "mapping values are not allowed" in problem:
        return "a `: ` inside a text needs quotes around the text; also check the indentation"
    return "check brackets, quotes and indentation just before this place"


def _fatal(code: str, message: str, place: Span, help: str = "") -> SpecError:
    return SpecError([Diagnostic(code, message, place, help=help)])
