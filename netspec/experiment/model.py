"""An experiment: which nets are trained, what is measured, what a paper says of it. As data; it trains nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

from netspec.ir.layer import OneOrMany
from netspec.syntax.keys import key
from netspec.syntax.spans import SpanTable
from netspec.syntax.tree import Scalar, Tree

LANGUAGE: Final = 1
Split = Literal["train", "test"]


@dataclass(frozen=True)
class Measure:
    """What one run comes to: an error, or how many epochs it takes to reach one. Less is better."""

    epochs_to: float | None = key(
        "After how many epochs the error is first at most this.", default=None, above=0, most=1
    )
    best: Split | None = key("The least error after any epoch, of `train` or `test` pictures.", default=None)
    last: Split | None = key("The error after the last epoch, of `train` or `test` pictures.", default=None)
    of: Split = key("With `epochs_to`: whose error, that of `train` or `test` pictures.", default="train")

    @property
    def split(self) -> Split:
        """Whose error it is."""
        return self.best or self.last or self.of


@dataclass(frozen=True)
class Paper:
    """What a paper found."""

    says: str = key("Its finding, as a sentence.")
    where: str = key('Where it says so: a section, figure or file, such as "3.5" (in quotes).')
    better: str = key("The run that it found better.")
    than: OneOrMany = key("The run, or the runs, that it found worse.")
    ratio: float | None = key("How many times as much the worse one measured.", default=None, above=1)
    by: float | None = key("How much more the worse one measured: errors are shares, 0.014 is 1.4 %.", default=None)


@dataclass(frozen=True)
class Setting:
    """A value of a spec: ``path`` is dotted, as with `--set`."""

    path: Scalar
    value: Tree


@dataclass(frozen=True)
class Choice:
    """Values of a spec of which the best one counts."""

    path: Scalar
    values: tuple[Tree, ...]


@dataclass(frozen=True)
class RunHeader:
    """The keys of a run beside `set` and `try`, which hold keys of specs."""

    spec: str | None = key(
        "The net: a built-in spec, or a file beside the experiment; else the experiment's.", default=None
    )
    without: OneOrMany = key("Layers that are taken out; what read one reads its input.", default=())


@dataclass(frozen=True)
class Run(RunHeader):
    """A net, or several of which the best counts."""

    name: str = field(kw_only=True)
    settings: tuple[Setting, ...] = field(kw_only=True, default=())
    choices: tuple[Choice, ...] = field(kw_only=True, default=())


@dataclass(frozen=True)
class ExperimentHeader:
    """The keys of an experiment beside `set` and `runs`."""

    experiment: int = key("The version of this language: 1.")
    name: str = key("What it is called; its folder too.")
    about: str = key("What it compares, in a sentence.")
    measure: Measure = key("What is measured of each run.")
    data: str = key("The data set that it is meant for, in a word, to tell readers; `shapes` are drawn by netspec.")
    spec: str | None = key("The net of the runs that name none.", default=None)
    paper: Paper | None = key("What a paper says of it.", default=None)


@dataclass(frozen=True)
class Experiment(ExperimentHeader):
    """A whole file. ``settings`` are of all runs, and come before their own."""

    runs: tuple[Run, ...] = field(kw_only=True)
    settings: tuple[Setting, ...] = field(kw_only=True, default=())
    spans: SpanTable = field(kw_only=True, hash=False, compare=False, repr=False)
