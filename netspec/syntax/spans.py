"""Where each value of a decoded spec stands, by its path of keys. Values themselves carry no places."""

from __future__ import annotations

from dataclasses import dataclass, field

from netspec.source import Source, Span, whole

Path = tuple[str | int, ...]


@dataclass
class SpanTable:
    """Filled while decoding; asked when something is wrong with a value."""

    source: Source
    keys: dict[Path, Span] = field(default_factory=dict)
    values: dict[Path, Span] = field(default_factory=dict)

    def record(self, path: Path, key: Span | None, value: Span) -> None:
        self.values[path] = value
        if key is not None:
            self.keys[path] = key

    def value(self, *path: str | int) -> Span:
        """The value's place, or that of the nearest written ancestor's key."""
        return self.values[path] if path in self.values else self.key(*path[:-1])

    def key(self, *path: str | int) -> Span:
        """The key's place, or that of the nearest written ancestor's key."""
        while path:
            if path in self.keys:
                return self.keys[path]
            path = path[:-1]
        return whole(self.source)
