"""Did-you-mean: the nearest known word to a misspelt one, or our word for another's. It changes no input."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable

from netspec.diagnostics.foreign import FOREIGN

LONGEST_WORD = 64
LONGEST_LIST = 24
MANY = 200  # from here on only single slips are looked for: comparing each misspelt word with all takes long
_LOOKALIKES = str.maketrans(
    "асԁеɡһіјկӏоорԛѕԝхуАВСЕНІЈКМОРЅТХΑΒΕΖΗΙΚΜΝΟΡΤΥΧоνορα",
    "acdeghijkloopqswxyABCEHIJKMOPSTXABEZHIKMNOPTYXovopa",
)
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789_"


def did_you_mean(word: str, known: Iterable[str], what: str = "expected one of") -> str:
    """A help sentence: the nearest of ``known``, or all of them in their order where none is near and they are few."""
    choices = tuple(dict.fromkeys(known))
    word = word[:LONGEST_WORD]
    near = suggestion(word, choices)
    if strange := strange_characters(word):
        return "; ".join(filter(None, (strange, said(near))))
    if near in FOREIGN.get(word.lower(), ()):
        return f"what others call `{word}` is `{near}` here"
    if not near and choices and len(choices) <= LONGEST_LIST:
        return f"{what} " + ", ".join(f"`{c[:LONGEST_WORD]}`" for c in choices)
    return said(near)


def said(near: str) -> str:
    """A suggestion as a question; empty for none."""
    return f"did you mean `{near}`?" if near else ""


def suggestion(word: str, choices: Collection[str]) -> str:
    """The one of ``choices`` that was probably meant; empty where none is likely."""
    word = word[:LONGEST_WORD]
    foreign = next((ours for ours in FOREIGN.get(word.lower(), ()) if ours in choices), "")
    return foreign or nearest(word if word.isascii() else in_ascii(word), choices)


def nearest(word: str, choices: Collection[str]) -> str:
    """The choice with the fewest slips (letters too many, missing, wrong or swapped); empty where none is near."""
    lowered = word.lower()
    if len(choices) > MANY:
        return _one_slip(lowered, choices)
    most = max(1, len(word) // 3)
    found = [(slips(lowered, c.lower(), most), n, c) for n, c in enumerate(choices) if abs(len(c) - len(word)) <= most]
    best = min(found, default=(most + 1, 0, ""))
    return best[2] if best[0] <= most and best[0] < len(word) else ""


def slips(a: str, b: str, most: int) -> int:
    """The edit distance with swaps of neighbours; ``most + 1`` where it is larger than ``most``."""
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, letter in enumerate(a, 1):
        two_before, before, row = before, row, [i]
        for j, other in enumerate(b, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == b[j - 2] and a[i - 2] == other:
                cost = min(cost, two_before[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return row[-1]


def strange_characters(word: str) -> str:
    """What the first letter outside ASCII is, by its Unicode name; empty where there is none."""
    for char in word:
        if not char.isascii():
            name = unicodedata.name(char, "a character without a name")
            return f"it holds U+{ord(char):04X} ({name}), which is not ASCII"
    return ""


def in_ascii(word: str) -> str:
    """The word with Latin letters for those that look the same, without accents; `?` for the rest."""
    letters = unicodedata.normalize("NFKD", word.translate(_LOOKALIKES))
    return "".join(c if c.isascii() else "?" for c in letters if not unicodedata.combining(c))


def _one_slip(word: str, choices: Collection[str]) -> str:
    by_lower = {c.lower(): c for c in choices}
    cuts = [(word[:i], word[i:]) for i in range(len(word) + 1)]
    slipped = [a + b[1:] for a, b in cuts if b]
    slipped += [a + b[1] + b[0] + b[2:] for a, b in cuts if len(b) > 1]
    slipped += [a + c + b[1:] for a, b in cuts if b for c in _LETTERS]
    slipped += [a + c + b for a, b in cuts for c in _LETTERS]
    return next((by_lower[s] for s in (word, *slipped) if s in by_lower), "")
