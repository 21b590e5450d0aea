"""Did-you-mean: the nearest known word to a misspelt one. It never changes the input."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

LONGEST = 64


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A help sentence: the nearest of ``known``, or the whole list where none is near and it is short."""
    choices = sorted(known)
    if not choices:
        return ""
    near = get_close_matches(word[:LONGEST].lower(), choices, n=1, cutoff=0.6)
    if near:
        return f"did you mean `{near[0]}`?"
    if len(choices) <= 12:
        return "expected one of " + ", ".join(f"`{c}`" for c in choices)
    return ""
