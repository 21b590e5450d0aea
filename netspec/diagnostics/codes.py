"""The registry of diagnostic codes: what each means, why it is an error, how to mend it. It raises none of them."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from netspec.diagnostics.catalogue import (
    building,
    experiments,
    files,
    importing,
    language,
    ledgers,
    placement,
    shapes,
)
from netspec.diagnostics.catalogue.code import Code


def registry(tables: Iterable[Iterable[Code]]) -> dict[str, Code]:
    """The codes of all tables by name, in order. Raises ValueError for a code that stands there twice."""
    codes: dict[str, Code] = {}
    for code in chain.from_iterable(tables):
        if code.name in codes:
            raise ValueError(f"diagnostic code {code.name} is registered twice")
        codes[code.name] = code
    return dict(sorted(codes.items()))


CODES = registry(
    module.CODES for module in (files, language, shapes, placement, ledgers, building, experiments, importing)
)
