"""What training and test splits are called in the wild."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from netspec_runtime.data.manifest import TEST, TRAIN

TRAIN_NAMES: Final = ("train", "training")
TEST_NAMES: Final = ("val", "validation", "valid", "test", "testing")  # the first that is there is the test split
_KINDS: Final = {TRAIN: "training", TEST: "test"}


def split_of(names: set[str]) -> dict[str, str]:
    """`train` or `test` for each of the names that become one; others are left out."""
    chosen = {name: TRAIN for name in names if name.lower() in TRAIN_NAMES}
    test = min((name for name in names if name.lower() in TEST_NAMES), key=_rank, default=None)
    return chosen if test is None else {**chosen, test: TEST}


def why_left(name: str, parts: Mapping[str, str]) -> str:
    """What to say of a name that is left out, where ``parts`` are those that are not, with what they become."""
    split = split_of({name}).get(name, "")
    taken = next((other for other, its in parts.items() if its == split), None)
    return "its name is no split's" if taken is None else f"{taken} has the {_KINDS[split]} pictures"


def _rank(name: str) -> int:
    return TEST_NAMES.index(name.lower())
