"""Words with arguments (`tanh[1.7, 0.67]`) as regular expressions. It reads no word: they parse themselves."""

from __future__ import annotations

from collections.abc import Iterable

from netspec.ir.neuron import KINDS, Neuron
from netspec.ir.parameter import Init
from netspec.syntax.words import Word, WordError

_NUMBER = r" *[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)? *"
_INITS = (("normal", 1), ("uniform", 1), ("constant", 1), ("xavier", 0), ("he", 0), ("bilinear", 0))


def word_schema(word: type[Word]) -> dict[str, object]:
    """Every such word, and the plain numbers that may stand for it. Raises KeyError for a word without a pattern."""
    text: dict[str, object] = {"type": "string", "pattern": WORD_PATTERNS[word]}
    schema = {"anyOf": [{"type": "number", "minimum": 0}, text]} if takes_numbers(word) else text
    return {"description": word.pattern, **schema}


def takes_numbers(word: type[Word]) -> bool:
    """Whether a plain number may stand for the word, as in `init_w: 0.01`."""
    return _reads(word, "0.5")


def _pattern(word: type[Word], kinds: Iterable[tuple[str, int]]) -> str:
    return f"^ *({'|'.join(_kind(word, name, numbers) for name, numbers in kinds)}) *$"


def _kind(word: type[Word], name: str, numbers: int) -> str:
    if not numbers:
        return rf"{name}(\[ *\])?"
    brackets = rf"\[{','.join([_NUMBER] * numbers)}\]"
    return f"{name}({brackets})?" if _reads(word, name) else f"{name}{brackets}"


def _reads(word: type[Word], text: str) -> bool:
    try:
        word.parse(text)
    except WordError:
        return False
    return True


WORD_PATTERNS: dict[type[Word], str] = {
    Neuron: _pattern(Neuron, ((name, kind.arguments) for name, kind in KINDS.items())),
    Init: _pattern(Init, _INITS),
}
