"""Which of Caffe's names was meant by a slip, where forks have names of their own near them. It says nothing."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from netspec.diagnostics.suggest import nearest, slips

_SHORT, _LONG = 6, 10  # letters of a name that may hold one slip, and two
_LONGEST: Final = 40
_PARAMETERS: Final = "_param"


def meant(word: str, names: Collection[str]) -> str:
    """The name that was meant; empty where it is probably a fork's own, as ReLU6 and ROIPooling are."""
    word = word[:_LONGEST]
    near = nearest(word, names)
    found, other = word.lower(), near.lower()
    if not near or _digits(found) != _digits(other):
        return ""
    if len(word) < _SHORT:
        return near if sorted(found) == sorted(other) else ""
    most = 1 if len(word) < _LONG else 2
    return near if slips(found, other, most) <= most else ""


def meant_parameters(word: str, names: Collection[str]) -> str:
    """The same for a layer's parameters, such as ``pooling_param``: forks have ``roi_pooling_param``."""
    stems = [name.removesuffix(_PARAMETERS) for name in names if name.endswith(_PARAMETERS)]
    near = meant(word.removesuffix(_PARAMETERS), stems)
    return near and near + _PARAMETERS


def is_parameters(word: str) -> bool:
    """Whether a field of a layer is called as the parameters of a type are."""
    return word.endswith(_PARAMETERS)


def _digits(word: str) -> str:
    return "".join(filter(str.isdigit, word))
