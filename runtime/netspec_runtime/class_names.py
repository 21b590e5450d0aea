"""The names of classes in sentences, and those of a net and of data side by side. It knows neither nets nor data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

_NAMED: Final = 3


def first_names(names: Sequence[str]) -> str:
    """All of them, or the first three and ``...``, which never stands for one alone."""
    return ", ".join(names if len(names) <= _NAMED + 1 else (*names[:_NAMED], "..."))


def classes_called(names: Sequence[str]) -> str:
    """`class cat`, or `classes ant, bee, cat, ... (9)`."""
    count = f" ({len(names):,})" if len(names) > _NAMED + 1 else ""
    return f"class{'es' * (len(names) > 1)} {first_names(names)}{count}"


def moved_class(ours: Sequence[str], theirs: Sequence[str]) -> int | None:
    """The first place of ``ours`` whose name stands at another place of ``theirs``; None where none does.

    Names may differ, as `goldfish` and `n01443537` do; but what both know must stand in the same place, or answers are
    counted for another class. Both are equally long.
    """
    places = {name: place for place, name in enumerate(theirs)}
    return next((place for place, name in enumerate(ours) if places.get(name, place) != place), None)


def other_names(ours: Sequence[str], theirs: Sequence[str]) -> str:
    """A remark on the names that only ``ours`` has, or ""."""
    known = set(theirs)
    other = [place for place, name in enumerate(ours) if name not in known]
    if not other:
        return ""
    first = f"`{ours[other[0]]}` is `{theirs[other[0]]}`"
    return f"{len(other):,} of {len(ours):,} classes have other names in the data (in its place, {first})"
