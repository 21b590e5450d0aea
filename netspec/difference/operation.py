"""One step of a net in canonical form, and the net as such steps. It rewrites nothing and compares nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from netspec.difference.fact import Fact, Value, rough
from netspec.ir.neuron import Neuron
from netspec.ir.shape import Shape

INPUT, NEURON = "input", "neuron"
COMMUTATIVE = frozenset({"eltsum", "eltprod", "eltmax"})
SAME_UNITS = frozenset({"flatten", "reshape"})  # the same numbers in another shape
FLATTENS = frozenset({"fc", "softmax", "flatten"})  # what reads any shape as one row


@dataclass(frozen=True)
class Operation:
    """A layer without its neuron, a neuron, or the net's input; ``reads`` are keys of Operations.by_key.

    ``layer`` is the layer whose keys say it, ``after`` what it stands after in the file. ``windows`` is exactly what
    its windows read, where it has any. ``factors`` are those of its inputs; ``weights`` the owners of its weights, one
    for each input.
    """

    kind: str
    layer: str
    after: str
    reads: tuple[int, ...]
    shape: Shape
    facts: tuple[Fact, ...] = ()
    windows: Value = None
    factors: tuple[float, ...] = ()
    weights: tuple[str, ...] = ()
    neuron: Neuron | None = None
    learned: bool = False

    @property
    def says(self) -> Value:
        """All that it computes beside what it reads, and how it starts: equal operations have equal ones."""
        counted = (fact for fact in self.facts if fact.aspect in ("net", "start") and not fact.windowed)
        facts = tuple((fact.what, rough(fact.value)) for fact in counted)
        return self.kind, facts, self.windows, rough(self.factors), rough(self.shape.dims)

    def fact(self, what: str) -> Value:
        """The value of a fact. Raises StopIteration where there is none."""
        return next(fact.value for fact in self.facts if fact.what == what)


@dataclass
class Operations:
    """A net: operations by key, in no order, and the keys of its outputs."""

    by_key: dict[int, Operation] = field(default_factory=dict)
    outputs: list[int] = field(default_factory=list)
    added: int = 0

    def add(self, operation: Operation) -> int:
        """A new operation's key."""
        key, self.added = self.added, self.added + 1
        self.by_key[key] = operation
        return key

    def __getitem__(self, key: int) -> Operation:
        return self.by_key[key]

    def __iter__(self) -> Iterator[int]:
        return iter(self.by_key)

    def order(self) -> list[int]:
        """Depth first from the outputs, inputs in their order: neither names nor the file's order matter."""
        done: dict[int, None] = {}
        for output in self.outputs:
            path = [(output, iter(self.by_key[output].reads))] if output not in done else []
            while path:
                key, reads = path[-1]
                source = next((read for read in reads if read not in done), None)
                if source is None:
                    done[key] = None
                    path.pop()
                else:
                    path.append((source, iter(self.by_key[source].reads)))
        return list(done)

    def readers(self) -> dict[int, list[tuple[int, int]]]:
        """Who reads each operation, and as which of its inputs."""
        found: dict[int, list[tuple[int, int]]] = {key: [] for key in self.by_key}
        for key, operation in self.by_key.items():
            for number, read in enumerate(operation.reads):
                found[read].append((key, number))
        return found
