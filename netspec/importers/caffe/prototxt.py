"""Nets and solvers of Caffe as text: protobuf's text format to messages with places. It interprets nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from netspec.diagnostics import Diagnostic, Findings, Label, SpecError
from netspec.diagnostics.suggest import said, suggestion
from netspec.importers.caffe.blobs import blob_of
from netspec.importers.caffe.meant import is_parameters, meant_parameters
from netspec.importers.caffe.message import Failed, Field, Message, Value
from netspec.importers.caffe.scalars import kind_in_words, read_scalar
from netspec.importers.caffe.schema import LAYER_TYPES, MESSAGES, Slot
from netspec.importers.caffe.tokens import Token, Tokens, shown
from netspec.importers.remark import Remarks
from netspec.source import Source, Span, whole

LARGEST: Final = 1 << 20  # characters of a file; the largest published nets have a third
MOST_FIELDS: Final = 100_000
MOST_STRANGE: Final = 50  # different names that no Caffe knows

_OF_VALUES: Final = ("NS802", "NS808")
_SOLVER: Final = "SolverParameter"
_CLOSING: Final = {"{": "}", "<": ">"}


def read_prototxt(
    source: Source,
    remarks: Remarks,
    type: str = "NetParameter",
    findings: Findings | None = None,
    *,
    lenient: bool = True,
) -> Message:
    """The message that a text is: a net, or ``SolverParameter``. Fields that Caffe does not have get a remark each.

    Such a field is ``lost`` where its name is nearly one that exists, so probably a slip. Many private versions of
    Caffe have fields of their own: those of a solver are ``dropped``, those of a net ``meaning``, as they may have one.

    With ``findings`` wrong values are noted there, and stand in the message as Failed; so are probable slips, unless
    ``lenient``. Raises SpecError: NS801 for what is not in the format, NS802 for values of the wrong kind, NS808 for a
    field that stands twice.
    """
    if len(source.text) > LARGEST:
        message = f"{len(source.text):,} characters: a Caffe file as text has {LARGEST:,} at most"
        raise SpecError([Diagnostic("NS801", message, whole(source), help="give a .prototxt file")])
    tokens = Tokens(source)
    place = tokens.place(tokens.now)
    return _Reader(tokens, remarks, findings, lenient).message(type, place, "")


@dataclass
class _Reader:
    """Reads one text; ``strange`` are the unknown fields that were met, by message and name."""

    tokens: Tokens
    remarks: Remarks
    findings: Findings | None
    lenient: bool
    strange: set[tuple[str, str]] = field(default_factory=set)
    count: int = 0

    def message(self, type: str, place: Span, closing: str) -> Message:
        """The fields up to the closing brace, or to the end of the text. No message of Caffe's holds itself."""
        fields: list[Field] = []
        singles: dict[str, Field] = {}
        while not self._closed(closing, place):
            for new in self.field(type):
                self._once(singles, type, new)
                fields.append(new)
            self.tokens.skip(";", ",")
        return Message(type, tuple(fields), place)

    def field(self, type: str) -> list[Field]:
        """The next field, with all values of a list; none where its name is unknown."""
        first = self.tokens.now
        name = self._name()
        place = self.tokens.since(first)
        slot = MESSAGES[type].by_name.get(name)
        if slot is None:
            slips = self._strange(type, name, place)
            self._skip_value()
            return slips
        try:
            return self._values(slot, name, place)
        except SpecError as error:
            return [Field(name, self._failed(error), place)]

    def _values(self, slot: Slot, name: str, place: Span) -> list[Field]:
        if slot.kind in MESSAGES:
            return self._messages(slot, place)
        if not self.tokens.skip(":"):
            if self.tokens.at("{", "<"):
                raise self._of_wrong_kind(slot, "a message")
            raise self.tokens.refuse(f"`:` expected behind `{name}`", "add `:` and the value", self.tokens.last_place())
        return self._scalars(slot)

    def _closed(self, closing: str, place: Span) -> bool:
        if closing and self.tokens.now.kind == "end":
            raise self.tokens.refuse(f"this is never closed: `{closing}` is missing", f"add `{closing}`", place)
        if not closing and self.tokens.at("}", ">"):
            raise self.tokens.refuse(f"{shown(self.tokens.now)} closes nothing", "remove it, or open it further up")
        return self.tokens.now.kind == "end" or self.tokens.skip(closing)

    def _once(self, singles: dict[str, Field], type: str, new: Field) -> None:
        self.count += 1
        if self.count > MOST_FIELDS:
            raise self.tokens.refuse(f"more than {MOST_FIELDS:,} fields", "give the text of a net", new.place)
        if MESSAGES[type].by_name[new.name].many:
            return
        before = singles.setdefault(new.name, new)
        if before is not new:
            others = (Label(before.place, "here too"),)
            message = f"`{new.name}` stands twice"
            self._note(SpecError([Diagnostic("NS808", message, new.place, help="remove one of them", others=others)]))

    def _note(self, error: SpecError) -> None:
        """Keep what was found where that is wanted. Raises it where it is not."""
        if self.findings is None:
            raise error
        for diagnostic in error.diagnostics:
            self.findings.add(diagnostic)

    def _failed(self, error: SpecError) -> Failed:
        """What stands for a value that is wrong, which is used up. Raises the error where the text is at fault."""
        if any(diagnostic.code not in _OF_VALUES for diagnostic in error.diagnostics):
            raise error
        self._note(error)
        found, now = error.diagnostics[-1].span, self.tokens.place(self.tokens.now)
        if (found.end_line, found.end_column) == (now.end_line, now.end_column):  # else it was the value's last token
            self._skip_one()
        return Failed(error.diagnostics)

    def _name(self) -> str:
        """A name; that of an extension is in brackets and never known."""
        token = self.tokens.take()
        if token.kind == "word":
            return token.text
        if token.kind != "sign" or token.text != "[":
            raise self._no_name(token)
        name = "["
        while not self.tokens.at("]"):
            if self.tokens.now.kind != "word" and not self.tokens.at(".", "/"):
                raise self._no_name(self.tokens.now)
            name += self.tokens.take().text
        return name + self.tokens.take().text

    def _no_name(self, token: Token) -> SpecError:
        help = "write the name of a field, or close the message"
        return self.tokens.refuse(f"{shown(token)} where a field's name is expected", help, self.tokens.place(token))

    def _messages(self, slot: Slot, place: Span) -> list[Field]:
        self.tokens.skip(":")
        if not self.tokens.at("["):
            return [self._block(slot, place)]
        return self._list(slot, lambda: self._block(slot, self.tokens.place(self.tokens.now)))

    def _block(self, slot: Slot, place: Span) -> Field:
        if not self.tokens.at(*_CLOSING):
            raise self._of_wrong_kind(slot, shown(self.tokens.now))
        closing = _CLOSING[self.tokens.take().text]
        message = self.message(slot.kind, place, closing)
        value: Value = blob_of(message) if slot.kind == "BlobProto" else message
        return Field(slot.name, value, place)

    def _scalars(self, slot: Slot) -> list[Field]:
        if self.tokens.at("{", "<"):
            raise self._of_wrong_kind(slot, "a message")
        return self._list(slot, lambda: self._scalar(slot)) if self.tokens.at("[") else [self._scalar(slot)]

    def _scalar(self, slot: Slot) -> Field:
        first = self.tokens.now
        try:
            return Field(slot.name, *read_scalar(self.tokens, slot))
        except SpecError as error:
            failed, place = self._failed(error), self.tokens.since(first)
        if slot.kind == "string" and first.kind == "word":  # no quotes: what is meant is plain
            return Field(slot.name, LAYER_TYPES.get(first.text, first.text), place)
        return Field(slot.name, failed, place)

    def _list(self, slot: Slot, item: Callable[[], Field]) -> list[Field]:
        """Values in brackets."""
        if not slot.many:
            raise self._of_wrong_kind(slot, "a list")
        self.tokens.take()
        items: list[Field] = []
        while not self.tokens.skip("]"):
            if items and not self.tokens.skip(","):
                raise self.tokens.refuse(f"{shown(self.tokens.now)} in a list", "write `,` or `]`")
            items.append(item())
            if len(items) > MOST_FIELDS:
                raise self.tokens.refuse(f"more than {MOST_FIELDS:,} values", "give the text of a net")
        return items

    def _of_wrong_kind(self, slot: Slot, found: str) -> SpecError:
        kind = "a message in braces" if slot.kind in MESSAGES else kind_in_words(slot)
        message = f"`{slot.name}` is {kind}, not {found}"
        return SpecError([Diagnostic("NS802", message, self.tokens.place(self.tokens.now), help=f"write {kind}")])

    def _strange(self, type: str, name: str, place: Span) -> list[Field]:
        """Say once that a message has a field that Caffe's has not. Returns the field that was meant, as Failed."""
        if (type, name) in self.strange and self.lenient:
            return []
        self.strange.add((type, name))
        if len(self.strange) > MOST_STRANGE:
            message = f"more than {MOST_STRANGE} names that Caffe does not have"
            raise self.tokens.refuse(message, "give the text of a Caffe net or solver", place)
        near = _meant(type, name)
        text = f"`{name}` is no field of Caffe's {type}"
        if near and self.findings is not None and not self.lenient:
            slip = Diagnostic("NS804", f"{text}; {said(near)}", place, help="`--lenient` imports the rest")
            self._note(SpecError([slip]))
            slot = MESSAGES[type].by_name[near]
            return [Field(near, Failed((slip,)), place)] if slot.kind not in MESSAGES and not slot.many else []
        if near:
            self.remarks.lost("unknown field", f"{text}; {said(near)}", place)
        elif type == _SOLVER:
            self.remarks.dropped("unknown field", f"{text}: it is left out", place)
        else:  # it may change what is computed
            self.remarks.meaning("unknown field", f"{text}: it is left out", place)
        return []

    def _skip_value(self) -> None:
        """Use up the value of a field that is not known: a scalar behind a colon, or what is in brackets."""
        colon = self.tokens.skip(":")
        if not colon and not self.tokens.at("{", "<", "["):
            raise self.tokens.refuse("`:` or `{` expected behind this name", "add it", self.tokens.last_place())
        self._skip_one()

    def _skip_one(self) -> None:
        if self.tokens.at("{", "<", "["):
            self._skip_brackets()
        elif self.tokens.now.kind == "string":
            while self.tokens.now.kind == "string":
                self.tokens.take()
        else:
            self.tokens.skip("-")
            if self.tokens.take().kind not in ("word", "number"):
                raise self.tokens.refuse("a value is missing", "add it", self.tokens.last_place())

    def _skip_brackets(self) -> None:
        first, opened = self.tokens.now, 0
        while True:
            opened += self.tokens.at("{", "<", "[") - self.tokens.at("}", ">", "]")
            if self.tokens.take().kind == "end":
                raise self.tokens.refuse("this is never closed", "close it", self.tokens.place(first))
            if not opened:
                return


def _meant(type: str, name: str) -> str:
    """The field of a message that a name was probably to be."""
    fields = MESSAGES[type].by_name
    return meant_parameters(name, fields) if is_parameters(name) else suggestion(name, fields)


def is_solver(source: Source) -> bool:
    """Whether a text is a solver, by the first field that only one of net and solver has. It may be damaged."""
    nets, solvers = MESSAGES["NetParameter"].by_name, MESSAGES["SolverParameter"].by_name
    depth = 0
    try:
        tokens = Tokens(source)
        while tokens.now.kind != "end":
            depth += tokens.at("{", "<", "[") - tokens.at("}", ">", "]")
            name = tokens.take().text
            if not depth and (name in nets) != (name in solvers):
                return name in solvers
    except SpecError:
        pass
    return False
