"""cuda-convnet's files to sections of options with their places. It knows no layer types.

Source: reference/cuda-convnet.md 0. The original reads with Python 2's SafeConfigParser; its rules are written out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from netspec.diagnostics import Diagnostic, Findings
from netspec.importers.cuda_convnet.interpolation import InterpolationError, interpolate
from netspec.importers.remark import Remarks
from netspec.source import Source, Span, whole
from netspec.syntax.reader import check_text
from netspec.syntax.scalars import shorten

_HEADER = re.compile(r"\[(?P<name>[^\]]+)\]")
_OPTION = re.compile(r"(?P<key>[^:=\s][^:=]*?)\s*[:=]\s*(?P<value>.*)")
_DAMAGED = re.compile(r"[^:=\[\]\s]+\[(?P<name>[^\]:=]+)\]\s*")
_COMMENT = re.compile(r"[#;]|rem(?!\S)", re.IGNORECASE)
_INLINE_COMMENT = re.compile(r"\s;")
_TYPE = re.compile(r"^type\s*[:=]", re.IGNORECASE | re.MULTILINE)
_FOR_ALL = "DEFAULT"  # a section whose options every section has that does not give them itself


@dataclass(frozen=True)
class Option:
    """``name`` is in lower case; ``text`` is the value, its continuation lines joined by line breaks."""

    name: str
    text: str
    key: Span
    value: Span


@dataclass(frozen=True)
class Section:
    """A layer's options, by name in lower case; ``place`` is its (first) header."""

    name: str
    place: Span
    options: dict[str, Option]


def read_sections(source: Source, remarks: Remarks | None = None) -> dict[str, Section]:
    """The sections of a layer file or parameter file, in their order; one that stands twice is merged.

    Raises SpecError: NS801 for every line that is neither a header nor an option, NS102 to NS112 for what is no text.
    """
    check_text(source)
    reader = _Reader(source, Remarks() if remarks is None else remarks)
    for number in range(len(source.lines)):
        reader.take(number)
    return reader.done()


def is_definition(source: Source) -> bool:
    """Whether a file tells of layers, which have types, and not of their parameters. It may still be damaged."""
    return _TYPE.search(source.text) is not None


def has_sections(source: Source) -> bool:
    """Whether any line names a section, as every file of cuda-convnet begins."""
    return any(_HEADER.match(line) or _DAMAGED.fullmatch(line) for line in source.text.splitlines())


@dataclass
class _Reader:
    source: Source
    remarks: Remarks
    findings: Findings = field(default_factory=Findings)
    sections: dict[str, Section] = field(default_factory=dict)
    current: Section | None = None
    last: Option | None = None

    def take(self, number: int) -> None:
        line, section = self.source.line(number), self.current
        if not line.strip() or _COMMENT.match(line):
            return
        if line[0].isspace() and section is not None and self.last is not None:
            self._set(section, self._continued(self.last, number, line))
        elif (header := _HEADER.match(line)) or (header := self._damaged(number, line)):
            self._open(header["name"], self._span(number, *header.span()))
        elif section is None:
            help = "a file begins with the first layer's name in brackets: `[data]`"
            self._refuse(number, line, f"a line before the first section: `{shorten(line.strip())}`", help)
        elif match := _OPTION.match(line):
            option = self._option(number, match)
            self._note_repeated(section, option)
            self._set(section, option)
        else:
            help = "write `[name]` to begin a layer, `key=value` for an option"
            self._refuse(number, line, f"neither a section nor an option: `{shorten(line.strip())}`", help)

    def done(self) -> dict[str, Section]:
        shared = self.sections.pop(_FOR_ALL, Section(_FOR_ALL, whole(self.source), {}))
        for name, section in self.sections.items():
            self.sections[name] = replace(section, options=self._interpolated({**shared.options, **section.options}))
        self.findings.stop_on_errors()
        return self.sections

    def _interpolated(self, options: dict[str, Option]) -> dict[str, Option]:
        texts, result = {name: option.text for name, option in options.items()}, {}
        for name, option in options.items():
            try:
                result[name] = replace(option, text=interpolate(option.text, texts))
            except InterpolationError as error:
                self.findings.add(Diagnostic("NS801", str(error), option.value, help=error.help))
        return result

    def _damaged(self, number: int, line: str) -> re.Match[str] | None:
        header = _DAMAGED.fullmatch(line)
        if header:
            name, place = header["name"], self._span(number, 0, len(line.rstrip()))
            self.remarks.meaning("damage", f"`{shorten(line.strip())}` is read as `[{shorten(name)}]`", place, name)
        return header

    def _open(self, name: str, place: Span) -> None:
        known = self.sections.get(name)
        if known is not None:
            first = known.place.line + 1
            text = f"the section stands again here; its options replace those of line {first}"
            self.remarks.meaning("duplicate", text, place, name)
        self.current = known or Section(name, place, {})
        self.sections[name] = self.current
        self.last = None

    def _option(self, number: int, match: re.Match[str]) -> Option:
        text, start = _without_comment(match["value"]), match.start("value")
        value = self._span(number, start, start + len(text))
        return Option(match["key"].lower(), "" if text == '""' else text, self._span(number, *match.span("key")), value)

    def _continued(self, option: Option, number: int, line: str) -> Option:
        value = replace(option.value, end_line=number, end_column=len(line.rstrip()))
        return replace(option, text=f"{option.text}\n{line.strip()}", value=value)

    def _set(self, section: Section, option: Option) -> None:
        section.options[option.name] = self.last = option

    def _note_repeated(self, section: Section, option: Option) -> None:
        known = section.options.get(option.name)
        if known is not None and known.text != option.text:
            now, was = f"`{shorten(option.text)}`", f"`{shorten(known.text)}` of line {known.key.line + 1}"
            text = f"`{option.name}` is {now}, no longer {was}"
            self.remarks.meaning("duplicate", text, option.key, section.name)

    def _refuse(self, number: int, line: str, message: str, help: str) -> None:
        self.last = None
        end = len(line.rstrip())
        place = self._span(number, len(line) - len(line.lstrip()), end)
        self.findings.add(Diagnostic("NS801", message, place, help=help))

    def _span(self, number: int, start: int, end: int) -> Span:
        return Span(self.source, number, start, number, end)


def _without_comment(value: str) -> str:
    comment = _INLINE_COMMENT.search(value)
    return value[: comment.start() if comment else None].strip()
