"""The names that a net and data give to classes, side by side. It knows neither nets nor data."""

from __future__ import annotations

from collections.abc import Sequence


def moved_class(ours: Sequence[str], theirs: Sequence[str]) -> int | None:
    """The first place of ``ours`` whose name stands at another place of ``theirs``; None where none does.

    Names may differ, as `goldfish` and `n01443537` do; but what both know must stand in the same place, or answers are
    counted for another class. Both are equally long.
    """
    places = {name: place for place, name in enumerate(theirs)}
    return next((place for place, name in enumerate(ours) if places.get(name, place) != place), None)


def other_names(ours: Sequence[str], theirs: Sequence[str]) -> str:
    """A remark on the names that only ``ours`` has, or ""."""
    other = [place for place, name in enumerate(ours) if name not in set(theirs)]
    if not other:
        return ""
    first = f"`{ours[other[0]]}` is `{theirs[other[0]]}`"
    return f"{len(other):,} of {len(ours):,} classes have other names in the data (in its place, {first})"
