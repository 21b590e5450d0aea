"""Names of layers in other tools to names of the language, each one's own. It knows no format."""

from __future__ import annotations

import re

from netspec.diagnostics.suggest import in_ascii
from netspec.importers.remark import Remarks
from netspec.source import Span
from netspec.spec.names import NET_NAME, hides_module, layer_name_problem

_LONGEST = 60  # of 64: room for a number


class Names:
    """Gives each foreign name one of ours: the same where the language allows it, else the nearest that is free."""

    def __init__(self, remarks: Remarks) -> None:
        self._remarks = remarks
        self._taken: set[str] = set()

    def new(self, foreign: str, place: Span) -> str:
        """A name for a layer that is called ``foreign``; a remark says so where it is another."""
        name = self._free(_legal(foreign))
        self._taken.add(name)
        if name != foreign:
            self._remarks.meaning("name", f"`{foreign}` is called `{name}`", place, foreign)
        return name

    def _free(self, name: str) -> str:
        candidates = [name, *(f"{name}_{number}" for number in range(2, len(self._taken) + 3))]
        return next(c for c in candidates if c not in self._taken)


def net_name(foreign: str) -> str:
    """A name that a net can have: ``My Net (v2)`` as ``My-Net-v2``."""
    name = re.sub("[^A-Za-z0-9_]+", "-", in_ascii(foreign)).strip("-_")[:_LONGEST]
    name = name if NET_NAME.fullmatch(name) else f"net-{name}".rstrip("-")
    return f"{name}-net" if hides_module(name) else name


def _legal(foreign: str) -> str:
    name = re.sub("[^A-Za-z0-9_]+", "_", in_ascii(foreign)).strip("_")[:_LONGEST]
    name = name if re.match("[A-Za-z]", name) else f"layer_{name}".rstrip("_")
    return f"{name}_layer" if layer_name_problem(name) else name
