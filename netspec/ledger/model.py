"""A ledger: what a paper claims of its net, row by row, as data. It is decoded from YAML; checking is elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal, Self

from netspec.diagnostics import did_you_mean
from netspec.ir.layer import OneOrMany
from netspec.ledger.measure import Measure, Scope
from netspec.ledger.measures import MEASURES
from netspec.ledger.report import Verdict
from netspec.ledger.value import Plain, Precision, Relation
from netspec.syntax.keys import key
from netspec.syntax.spans import SpanTable
from netspec.syntax.words import Word, WordError

LANGUAGE = 1
Claimed = bool | int | float | str | tuple[bool | int | float | str, ...]
Status = Literal["holds", "rounds", "erratum", "differs", "experiment", "needs_data", "not_recorded"]
UNCHECKED: dict[Status, Verdict] = {  # a status that no compiler can check, and its verdict
    "experiment": "experiment",
    "needs_data": "needs data",
    "not_recorded": "not recorded",
}


@dataclass(frozen=True)
class MeasureName(Word):
    """The name of a measure, such as `parameters` or `layer.stride`."""

    code = "NS502"
    pattern = "the name of a measure"

    name: str

    @classmethod
    def parse(cls, text: str) -> Self:
        if text not in MEASURES:
            raise WordError(f"there is no measure `{text}`", did_you_mean(text, MEASURES))
        return cls(text)

    @property
    def measure(self) -> Measure:
        return MEASURES[self.name]

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Row:
    """One claim, what to compute, and what stands with it."""

    id: str = key("A word that names the row, unique in the ledger.")
    where: str = key('Where the claim stands: a section, figure or file, such as "3.5" (in quotes).')
    claim: str = key("The claim, as a sentence.")
    status: Status = key(
        "`holds`; `rounds` (true as rounded in print); `erratum` (the source's own slip: `actual` is true); `differs`"
        " (two sources disagree: `source` is the other's value); and what no compiler can check: `experiment` (it must"
        " be run), `needs_data` (it needs a data set that few have), `not_recorded` (nobody kept the numbers).",
        default="holds",
    )
    measure: MeasureName | None = key("What is computed.", default=None)
    of: OneOrMany = key("The layers it is computed of; for measures of the whole net nothing.", default=())
    device: int | None = key("Only what is on this device.", default=None, least=0, most=63)
    type: str = key("The layer type that `layers` and `count` look for.", default="")
    together: bool = key("One sum of all layers in `of`, not a value each.", default=False)
    recorded: tuple[float, ...] = key("For the measure `recorded`: the numbers of the log.", default=())
    baseline: tuple[float, ...] = key("What is subtracted from `recorded`.", default=())
    expected: Claimed | None = key("What the source says: one value for all layers, or one for each.", default=None)
    relation: Relation = key(
        "How what is found stands to `expected`: it `equals` it, or is `at_most` or `at_least` it.", default="equals"
    )
    rounds: float | None = key("The claim is rounded to a multiple of this.", default=None, above=0)
    digits: int | None = key("The claim is rounded to so many significant digits.", default=None, least=1, most=15)
    tolerance: float = key("How far a number may be off and still hold.", default=0.0, least=0)
    actual: Claimed | None = key("For an `erratum`: the true value.", default=None)
    source: Claimed | None = key(
        "For `differs`: what the second source has (in a paper's ledger: the authors' code).", default=None
    )
    why: str = key("Background, printed with a row that is no plain `holds`.", default="")

    @property
    def scope(self) -> Scope:
        return Scope(self.of, self.device, self.type, self.together, self.recorded, self.baseline)

    @property
    def precision(self) -> Precision:
        return Precision(self.rounds, self.digits, self.tolerance, self.relation)

    def values(self, claimed: Claimed | None) -> tuple[Plain, ...]:
        """A claim as one value a measured one: a single value stands for all layers."""
        if claimed is None:
            return ()
        if isinstance(claimed, tuple):
            return claimed
        each = self.measure is not None and self.measure.measure.takes in ("layers", "either") and not self.together
        return (claimed,) * (max(1, len(self.of)) if each else 1)


@dataclass(frozen=True)
class LedgerHeader:
    """The keys of a ledger file."""

    ledger: int = key("The version of the ledger's language: 1.")
    name: str = key("What the ledger is called.")
    about: str = key("What it checks, in a sentence.", default="")
    source: str = key("The paper, file or page that makes the claims.", default="")
    voices: tuple[str, str] = key(
        "What `expected` and `source` of a row that `differs` are called.", default=("the paper", "the authors' source")
    )
    layers: tuple[OneOrMany, ...] = key(
        "The layers that rows name. With a list in place of a name, the first is what rows call the layer, and the"
        " others are what specs may call it.",
        default=(),
    )
    rows: tuple[Row, ...] = key("The claims.")


@dataclass(frozen=True)
class Ledger(LedgerHeader):
    """A decoded ledger; ``spans`` says where each value stands."""

    spans: SpanTable = field(kw_only=True, hash=False, compare=False, repr=False)

    def in_terms_of(self, row: Row, known: frozenset[str]) -> Row:
        """A row with the names that a spec's layers have; a layer that is missing keeps the ledger's name."""
        names = {own[0]: next((name for name in own if name in known), own[0]) for own in self.layers}
        return replace(row, of=tuple(names.get(name, name) for name in row.of))
