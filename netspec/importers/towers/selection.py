"""Which channels each group of a merged layer reads: as plain groups where that says it, else as connections.

It knows no layer types.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain

Channels = tuple[int, ...]


@dataclass(frozen=True)
class Selection:
    """What a merged layer reads of one input.

    ``connections`` are None where the groups read consecutive parts. ``orders`` has for each part that was merged (each
    group of each tower's layer) the places of its channels in the order in which they are read now.
    """

    groups: int
    connections: Channels | None
    orders: tuple[Channels, ...]


def select(parts: tuple[Channels, ...], channels: int) -> Selection:
    """The fewest groups in which parts can read the channels that they list; they are of one length.

    Parts that stand side by side and read the same channels, in whatever order, are one group.
    """
    ordered = tuple(tuple(sorted(part)) for part in parts)
    run = _longest_run(ordered)
    orders = tuple(tuple(sorted(range(len(part)), key=part.__getitem__)) for part in parts)
    connections = tuple(chain.from_iterable(ordered[::run]))
    if connections == tuple(range(channels)):
        return Selection(len(parts) // run, None, orders)
    if _longest_run(parts) == run:  # they need no other order
        orders = tuple(tuple(range(len(part))) for part in parts)
        connections = tuple(chain.from_iterable(parts[::run]))
    return Selection(len(parts) // run, connections, orders)


def is_even(reads: Iterable[Channels], channels: int) -> bool:
    """Whether each of so many channels is read, and all equally often."""
    counts = [0] * channels
    for channel in chain.from_iterable(reads):
        counts[channel] += 1
    return 0 < counts[0] == min(counts) == max(counts)


def _longest_run(parts: tuple[Channels, ...]) -> int:
    """The largest number that divides the parts into runs of equal ones."""
    lengths = (n for n in range(len(parts), 0, -1) if len(parts) % n == 0)
    return next(n for n in lengths if all(part == parts[at - at % n] for at, part in enumerate(parts)))
