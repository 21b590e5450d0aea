"""The form that Caffe's text and binary files are read to: fields with places. It knows no format and no layers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from netspec.diagnostics import Diagnostic, SpecError
from netspec.source import Span

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Blob:
    """Numbers with their shape, as in a file of weights.

    ``legacy``: the file gave num, channels, height and width, so the shape has four sizes, most of them often 1.
    """

    shape: tuple[int, ...]
    data: NDArray[np.float32]  # of that shape; often a view of the mapped file, then read-only and not aligned
    legacy: bool = False


@dataclass(frozen=True)
class Failed:
    """What stands in place of a wrong value: who reads it raises what was found there."""

    found: tuple[Diagnostic, ...]


@dataclass(frozen=True)
class Field:
    """One field: its name in caffe.proto and its value. A value of an enum is its word in upper case.

    ``place`` is that of the value, or of the name where the value is a message.
    """

    name: str
    value: Value
    place: Span


@dataclass(frozen=True)
class Message:
    """A message of the type ``type`` (``ConvolutionParameter``) with the fields that the file gives, in its order.

    A field that may stand once does. Each method that reads a field takes what holds where it is missing; without one
    it raises SpecError NS803. A value of another kind is NS802.
    """

    type: str
    fields: tuple[Field, ...]
    place: Span

    def has(self, name: str) -> bool:
        return any(field.name == name for field in self.fields)

    def get(self, name: str) -> Field | None:
        """The last field of that name."""
        return next((field for field in reversed(self.fields) if field.name == name), None)

    def all(self, name: str) -> tuple[Field, ...]:
        return tuple(field for field in self.fields if field.name == name)

    def place_of(self, name: str) -> Span:
        """Where the field stands, or where the message does."""
        field = self.get(name)
        return field.place if field else self.place

    def number(self, name: str, default: float | None = None) -> float:
        return self._one(name, default, _number)

    def integer(self, name: str, default: int | None = None) -> int:
        return self._one(name, default, _integer)

    def flag(self, name: str, default: bool | None = None) -> bool:
        return self._one(name, default, _flag)

    def text(self, name: str, default: str | None = None) -> str:
        return self._one(name, default, _text)

    def word(self, name: str, default: str | None = None) -> str:
        """The word of an enum: ``MAX``. A number that the enum does not have, in a binary file, is its digits."""
        return self._one(name, default, _text)

    def numbers(self, name: str) -> tuple[float, ...]:
        return tuple(map(_number, self.all(name)))

    def integers(self, name: str) -> tuple[int, ...]:
        return tuple(map(_integer, self.all(name)))

    def texts(self, name: str) -> tuple[str, ...]:
        return tuple(map(_text, self.all(name)))

    def child(self, name: str) -> Message:
        """The message in that field; one without fields, at this one's place, where it is missing."""
        field = self.get(name)
        return _message(field) if field else Message("", (), self.place)

    def children(self, name: str) -> tuple[Message, ...]:
        return tuple(map(_message, self.all(name)))

    def blobs(self, name: str = "blobs") -> tuple[Blob, ...]:
        return tuple(map(_blob, self.all(name)))

    def without(self, *names: str) -> Message:
        return replace(self, fields=tuple(field for field in self.fields if field.name not in names))

    def plus(self, fields: Iterable[Field]) -> Message:
        return replace(self, fields=(*self.fields, *fields))

    def _one(self, name: str, default: T | None, read: Callable[[Field], T]) -> T:
        field = self.get(name)
        if field:
            return read(field)
        if default is None:
            missing = Diagnostic("NS803", f"`{name}` is missing", self.place, help=f"add `{name}`")
            raise SpecError([missing])
        return default


Value = Message | Blob | Failed | str | int | float | bool


def _number(field: Field) -> float:
    if isinstance(field.value, bool) or not isinstance(field.value, int | float):
        raise _of_wrong_kind(field, "a number")
    return field.value


def _integer(field: Field) -> int:
    if isinstance(field.value, bool) or not isinstance(field.value, int):
        raise _of_wrong_kind(field, "a whole number")
    return field.value


def _flag(field: Field) -> bool:
    if not isinstance(field.value, bool):
        raise _of_wrong_kind(field, "true or false")
    return field.value


def _text(field: Field) -> str:
    if not isinstance(field.value, str):
        raise _of_wrong_kind(field, "text")
    return field.value


def _message(field: Field) -> Message:
    if not isinstance(field.value, Message):
        raise _of_wrong_kind(field, "a message in braces")
    return field.value


def _blob(field: Field) -> Blob:
    if not isinstance(field.value, Blob):
        raise _of_wrong_kind(field, "a blob of numbers")
    return field.value


def _of_wrong_kind(field: Field, wanted: str) -> SpecError:
    if isinstance(field.value, Failed):
        return SpecError(field.value.found)
    return SpecError([Diagnostic("NS802", f"`{field.name}` is {wanted}", field.place, help=f"write {wanted}")])
