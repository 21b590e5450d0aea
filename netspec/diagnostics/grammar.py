"""English for messages: articles. Nothing else of the language."""

from __future__ import annotations

_SPELT_WITH_A_VOWEL = ("fc", "rnorm")  # "an ef-cee layer"


def a(word: str) -> str:
    """`` a `conv` `` or `` an `fc` ``."""
    vowel = word[:1].lower() in "aeiou" or word in _SPELT_WITH_A_VOWEL
    return f"{'an' if vowel else 'a'} `{word}`"
