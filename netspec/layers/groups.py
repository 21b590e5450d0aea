"""Groups of channels: what `groups` may be, and which of them a device's part of a layer is in. It is no layer type."""

from __future__ import annotations

from netspec.ir.layer import Illegal
from netspec.ir.shape import Range

Path = tuple[str | int, ...]


def check_groups(groups: int, channels: int, what: str, path: Path = ("groups",), number: int | None = None) -> None:
    """Raises Illegal NS306 where ``groups`` does not divide ``channels``; ``number`` is the input to blame."""
    if channels % groups:
        message = f"{groups} groups do not divide the {channels:,} {what}"
        raise Illegal("NS306", message, path, f"`groups` must divide {channels:,}", number)


def groups_of(part: Range, channels: int, groups: int) -> Range:
    """The groups that hold the output channels ``part`` of all ``channels``.

    Raises Illegal NS402 where the part is neither inside one group nor made of whole ones.
    """
    each = channels // groups
    first, last = part.start // each, (part.stop - 1) // each
    if first != last and (part.start % each or part.stop % each):
        message = f"{groups} groups cannot be split over {channels // part.size} devices"
        help = "use a number of devices that divides the groups, or the other way round"
        raise Illegal("NS402", message, "gpu", help)
    return Range(first, last + 1)


def channels_of(groups: Range, each: int) -> Range:
    """The channels of a range of groups that have ``each`` channels."""
    return Range(groups.start * each, groups.stop * each)
