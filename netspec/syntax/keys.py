"""Keys of the language: what a dataclass field says about itself. The fields are the schema; nothing repeats them."""

from __future__ import annotations

from dataclasses import MISSING, Field, dataclass, field
from typing import Any

_INFO = "netspec.key"


@dataclass(frozen=True)
class Key:
    """What stands beside a field: its meaning, unit and bounds (inclusive unless ``above``)."""

    doc: str
    unit: str = ""
    least: float | None = None
    most: float | None = None
    above: float | None = None


@dataclass(frozen=True)
class Spread:
    """Marks a tuple that one value may stand for: ``size: 3`` is ``size: [3, 3]`` (count 2); None: any count."""

    count: int | None
    names: tuple[str, ...] = ()


def key(  # Any: as in dataclasses.field, the default's type is the annotation's
    doc: str,
    *,
    default: Any = MISSING,
    unit: str = "",
    least: float | None = None,
    most: float | None = None,
    above: float | None = None,
) -> Any:
    """A dataclass field of the language; without a default it is required."""
    info = Key(doc, unit, least, most, above)
    return field(default=default, metadata={_INFO: info}, kw_only=True)


def key_of(item: Field[Any]) -> Key | None:
    """What ``key`` said, or None for a field that is no key of the language."""
    info = item.metadata.get(_INFO)
    return info if isinstance(info, Key) else None


def required(item: Field[Any]) -> bool:
    """Whether the key has no default."""
    return item.default is MISSING and item.default_factory is MISSING
