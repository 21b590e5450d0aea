"""Shapes of one image's activations, and ranges of channels. The batch is never part of a shape."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod


@dataclass(frozen=True)
class Maps:
    """Channels of height x width: what convolutions read and write."""

    channels: int
    height: int
    width: int

    @property
    def dims(self) -> tuple[int, ...]:
        return (self.channels, self.height, self.width)

    @property
    def units(self) -> int:
        """How many numbers (the paper's neurons) it holds."""
        return prod(self.dims)

    def with_channels(self, channels: int) -> Maps:
        return Maps(channels, self.height, self.width)

    def __str__(self) -> str:
        return f"{self.channels}x{self.height}x{self.width}"


@dataclass(frozen=True)
class Vector:
    """A flat list of units: what fully-connected layers write."""

    channels: int

    @property
    def dims(self) -> tuple[int, ...]:
        return (self.channels,)

    @property
    def units(self) -> int:
        return self.channels

    def with_channels(self, channels: int) -> Vector:
        return Vector(channels)

    def __str__(self) -> str:
        return str(self.channels)


Shape = Maps | Vector


@dataclass(frozen=True, order=True)
class Range:
    """Channels ``start`` up to, not including, ``stop``."""

    start: int
    stop: int

    @property
    def size(self) -> int:
        return self.stop - self.start

    def overlap(self, other: Range) -> Range | None:
        """The channels in both; None where there are none."""
        start, stop = max(self.start, other.start), min(self.stop, other.stop)
        return Range(start, stop) if start < stop else None

    def shift(self, by: int) -> Range:
        return Range(self.start + by, self.stop + by)

    def __str__(self) -> str:
        return f"{self.start}:{self.stop}"


def even_parts(channels: int, count: int) -> tuple[Range, ...]:
    """``channels`` split evenly and in order into ``count`` ranges; ``channels`` must divide."""
    each = channels // count
    return tuple(Range(i * each, (i + 1) * each) for i in range(count))
