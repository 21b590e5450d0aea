"""The spanned YAML tree: what stands in the file and where. Scalars are still text."""

from __future__ import annotations

from dataclasses import dataclass

from netspec.source import Span


@dataclass(frozen=True)
class Scalar:
    """One scalar as written. A quoted scalar is always a string."""

    text: str
    plain: bool
    span: Span


@dataclass(frozen=True)
class Sequence:
    """A list as written."""

    items: tuple[Tree, ...]
    span: Span


@dataclass(frozen=True)
class Entry:
    """A key of a mapping with its value."""

    key: Scalar
    value: Tree


@dataclass(frozen=True)
class Mapping:
    """Keys are unique: the reader refuses duplicates."""

    entries: tuple[Entry, ...]
    span: Span

    def get(self, key: str) -> Entry | None:
        return next((e for e in self.entries if e.key.text == key), None)


Tree = Scalar | Sequence | Mapping
