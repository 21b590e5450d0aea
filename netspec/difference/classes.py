"""Numbers for what is equal: operations with one history, or one future, have the same number. It pairs nothing."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from netspec.difference.operation import COMMUTATIVE, Operation, Operations


class Classes:
    """A number for each different thing that was asked for."""

    def __init__(self) -> None:
        self._numbers: dict[Hashable, int] = {}

    def number(self, thing: Hashable) -> int:
        return self._numbers.setdefault(thing, len(self._numbers))

    def pasts(self, net: Operations) -> dict[int, int]:
        """For each operation a number that says all about it and what it is computed from."""
        found: dict[int, int] = {}
        for key in net.order():
            operation = net[key]
            reads = [(found[read], factor) for read, factor in _inputs(operation)]
            read = tuple(sorted(reads) if operation.kind in COMMUTATIVE else reads)
            found[key] = self.number(("past", operation.says, read))
        return found

    def futures(self, net: Operations) -> dict[int, int]:
        """For each operation a number that says all about it and what is computed from it."""
        found: dict[int, int] = {}
        readers = net.readers()
        for key in reversed(net.order()):
            told = [(found[r], -1 if net[r].kind in COMMUTATIVE else n) for r, n in readers[key] if r in found]
            out = tuple(n for n, output in enumerate(net.outputs) if output == key)
            found[key] = self.number(("future", net[key].says, tuple(sorted(told)), out))
        return found


def _inputs(operation: Operation) -> Iterable[tuple[int, float]]:
    factors = operation.factors or (1.0,) * len(operation.reads)
    return zip(operation.reads, factors, strict=True)
