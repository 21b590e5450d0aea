"""Compare two nets by meaning: names, the order of the file, and keys that come to the same are no differences."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from netspec.difference.align import Pairs, pair_up
from netspec.difference.canonical import canonical, spelled
from netspec.difference.data import data_facts
from netspec.difference.fact import Fact, differing
from netspec.difference.learning import recipe_facts
from netspec.difference.operation import INPUT, NEURON, Operation, Operations
from netspec.difference.places import side, side_alone, side_of_fact, side_of_key, standing
from netspec.difference.result import Difference, Kind, Row, Scope, Side, Total
from netspec.difference.wiring import SharedWeights, Wiring, inputs_differ, outputs_differ
from netspec.pipeline import Compiled


def compare(a: Compiled, b: Compiled, scope: Scope) -> Difference:
    """What differs between two nets, in the order of computation.

    Where they differ they may be nearer to each other as they are written: the shorter of both accounts is given.
    """
    found = _Comparison.of(a, b, scope, canonical).run()
    if found.equal:
        return found
    as_written = _Comparison.of(a, b, scope, spelled).run()
    return found if len(found.rows) < len(as_written.rows) else as_written


@dataclass(frozen=True)
class _Comparison:
    a: Compiled
    b: Compiled
    scope: Scope
    pairs: Pairs
    shared: SharedWeights

    @classmethod
    def of(cls, a: Compiled, b: Compiled, scope: Scope, form: Callable[[Compiled], Operations]) -> _Comparison:
        pairs = pair_up(form(a), form(b))
        return cls(a, b, scope, pairs, SharedWeights(pairs))

    def run(self) -> Difference:
        rows = _told_once([row for i, j in _steps(self.pairs) for row in self._step(i, j)])
        rows += self._outputs()
        rows += self._facts(data_facts(self.a.spec), data_facts(self.b.spec))
        rows += self._facts(recipe_facts(self.a.spec.train), recipe_facts(self.b.spec.train))
        return Difference(
            a=self.a.spec.spans.source.name,
            b=self.b.spec.spans.source.name,
            rows=tuple(row for row in rows if row.kind != "size"),
            sizes=tuple(row for row in rows if row.kind == "size"),
            totals=self._totals(),
            pairs=tuple(self._compared()),
        )

    def _totals(self) -> tuple[Total, ...]:
        a, b = self.a.typed, self.b.typed
        return Total("parameters", a.parameter_count, b.parameter_count), Total("MACs", a.macs, b.macs)

    def _compared(self) -> Iterator[tuple[str, str]]:
        for i, j in sorted(self.pairs.of_a.items()):
            if self.pairs.a[i].kind not in (NEURON, INPUT):
                yield self.pairs.a[i].layer, self.pairs.b[j].layer

    def _step(self, i: int | None, j: int | None) -> Iterator[Row]:
        """The differences of two counterparts, or an operation without one."""
        one = None if i is None else self.pairs.a[i]
        other = None if j is None else self.pairs.b[j]
        if i is not None and j is not None and one is not None and other is not None:
            yield from self._counterparts(i, j, one, other)
        elif one is not None:
            yield Row("only", one.kind, side_alone(self.a.spec.spans, one), None)
        elif other is not None:
            yield Row("only", other.kind, None, side_alone(self.b.spec.spans, other))

    def _counterparts(self, i: int, j: int, one: Operation, other: Operation) -> Iterator[Row]:
        if i in self.pairs.moved:
            key = "neuron" if one.kind == NEURON else "inputs"
            yield self._row("order", "order", (one, other), Wiring(standing(one), standing(other)), key)
        elif wiring := inputs_differ(self.pairs, i, j):
            yield self._row("wiring", "inputs", (one, other), wiring, "inputs")
        for number, wiring in self.shared.differ(i, j):
            what = "weights" if len(one.weights) == 1 else f"weights of input {number + 1}"
            yield self._row("value", what, (one, other), wiring, "share_weights")
        agree = one.windows is not None and one.windows == other.windows
        layers = ("", "") if one.kind == INPUT else (one.layer, other.layer)
        yield from self._facts(one.facts, other.facts, layers, agree)

    def _row(self, kind: Kind, what: str, pair: tuple[Operation, Operation], texts: Wiring, key: str) -> Row:
        a = side_of_key(self.a.spec.spans, pair[0], texts.a, key)
        return Row(kind, what, a, side_of_key(self.b.spec.spans, pair[1], texts.b, key))

    def _facts(
        self, a: Iterable[Fact], b: Iterable[Fact], layers: tuple[str, str] = ("", ""), agree: bool = False
    ) -> Iterator[Row]:
        for one, other in differing(a, b, agree):
            if self.scope.has(one.aspect):
                ours = side_of_fact(self.a.spec.spans, layers[0], one)
                theirs = side_of_fact(self.b.spec.spans, layers[1], other)
                yield Row("size" if one.aspect == "size" else "value", one.what, ours, theirs)

    def _outputs(self) -> Iterator[Row]:
        if wiring := outputs_differ(self.pairs):
            sides = (side(net.spec.spans, "", text, ("outputs",)) for net, text in self._texts(wiring))
            yield Row("wiring", "outputs", *sides)

    def _texts(self, wiring: Wiring) -> tuple[tuple[Compiled, str], tuple[Compiled, str]]:
        return (self.a, wiring.a), (self.b, wiring.b)


def _told_once(rows: Iterable[Row]) -> list[Row]:
    """Each difference once: a layer that one net alone has with its neuron, and a neuron that became several."""
    joined: list[Row] = []
    lone: dict[Side, int] = {}
    for row in dict.fromkeys(rows):
        side = row.a or row.b
        if side is not None and row.kind == "only":
            layer = _layer_of(row, side)
            if row.what == NEURON and layer in lone:
                joined[lone[layer]] = _joined(joined[lone[layer]], side.text)
                continue
            lone[layer] = len(joined)
        joined.append(row)
    return joined


def _layer_of(row: Row, side: Side) -> Side:
    """The layer of a row that one net alone has, with that net's file."""
    return Side(side.layer, "A" if row.a else "B")


def _joined(row: Row, neuron: str) -> Row:
    a, b = (replace(side, text=f"{side.text}, {neuron}") if side else None for side in (row.a, row.b))
    return replace(row, a=a, b=b)


def _steps(pairs: Pairs) -> Iterator[tuple[int | None, int | None]]:
    """Every operation once, counterparts together, in the order of both nets as far as they agree."""
    rest = [key for key in pairs.b.order() if key not in pairs.of_b]
    place = {key: number for number, key in enumerate(pairs.b.order())}
    for i in pairs.a.order():
        j = pairs.of_a.get(i)
        while rest and j is not None and place[rest[0]] < place.get(j, 0):
            yield None, rest.pop(0)
        yield i, j
    for key in rest:
        yield None, key
