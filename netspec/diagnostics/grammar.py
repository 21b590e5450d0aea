"""English for messages: articles, plurals, lists, sizes. Nothing else of the language."""

from __future__ import annotations

from collections.abc import Sequence

_SPELT_WITH_A_VOWEL = ("fc", "rnorm", "rgb2yuv", "rgb2lab", "LRN")  # "an ef-cee layer"


def a(word: str) -> str:
    """`` a `conv` `` or `` an `fc` ``."""
    vowel = word[:1].lower() in "aeiou" or word in _SPELT_WITH_A_VOWEL
    return f"{'an' if vowel else 'a'} `{word}`"


def count(number: int, noun: str) -> str:
    """``1 entry``, ``2 entries``."""
    if number == 1:
        return f"1 {noun}"
    return f"{number:,} {noun[:-1]}ies" if noun.endswith("y") else f"{number:,} {noun}s"


def sizes(dims: Sequence[int]) -> str:
    """``96x3x11x11``; ``one number`` where there are no dimensions."""
    return "x".join(map(str, dims)) or "one number"


def listed(words: Sequence[str], most: int = 4, joint: str = "and") -> str:
    """``a, b and c``; of more than ``most`` words the first, and how many there are."""
    if len(words) > most:
        return f"{', '.join(words[: most - 1])} {joint} {len(words) - most + 1:,} more"
    return f" {joint} ".join(filter(None, (", ".join(words[:-1]), words[-1])))
