"""What a parameter file says of one layer with weights: rates, momenta, decay. It writes no spec.

Source: reference/cuda-convnet.md 2 (parameters and update rule), 7 (dialects).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import compress
from typing import TypeVar

from netspec.diagnostics import Diagnostic, Findings
from netspec.diagnostics.grammar import count, listed
from netspec.importers.cuda_convnet.options import slip
from netspec.importers.cuda_convnet.schedules import (
    Rate,
    Schedule,
    ScheduleError,
    parse_rate,
    parse_schedule,
    split_list,
)
from netspec.importers.cuda_convnet.sections import Section
from netspec.importers.remark import Remarks
from netspec.source import Span
from netspec.syntax.scalars import as_float, shorten

Value = TypeVar("Value")

RATE_OPTIONS = ("epsW", "epsB", "momW", "momB", "wc", "schedW", "schedB", "sched", "updatePeriod", "superMom")
_REQUIRED = ("epsW", "epsB", "momW", "momB")
WITHOUT_COUNTERPART = {  # what each does where it is not 0
    "wball": "bounds the length of each filter",
    "wcNormMin": "keeps the spread of each filter above a bound",
    "wcNormMax": "keeps the spread of each filter below a bound",
    "wcnorm": "is an older spelling, which the later source ignores too",
    "superEps": "divides each step by a running deviation",
}


@dataclass(frozen=True)
class LayerRates:
    """One layer's rates: ``weights``, ``momenta`` and ``decays`` are of each input's weights that are its own.

    ``period`` is after how many passes the weights change, 0 for as often as possible.
    """

    section: Section
    weights: tuple[Rate, ...]
    biases: Rate
    momenta: tuple[float, ...]
    bias_momentum: float
    decays: tuple[float, ...]
    period: int

    def of_inputs(self, own: Sequence[bool]) -> LayerRates:
        """The rates of some of the inputs."""
        return replace(
            self,
            weights=tuple(compress(self.weights, own)),
            momenta=tuple(compress(self.momenta, own)),
            decays=tuple(compress(self.decays, own)),
        )

    def place(self, *options: str) -> Span:
        """Where the first of some options that the section has stands, or else the section."""
        return place_of(self.section, *options)


def place_of(section: Section, *options: str) -> Span:
    """Where the first of some options that a section has stands, or else the section's header."""
    found = (section.options.get(option.lower()) for option in options)
    return next((option.value for option in found if option is not None), section.place)


def old_schedule(section: Section) -> bool:
    """Whether a section has the one schedule for weights and biases of 2012, and none of the later ones."""
    return "sched" in section.options and not {"schedw", "schedb"} & section.options.keys()


def read_rates(section: Section, inputs: int, findings: Findings, remarks: Remarks) -> LayerRates | None:
    """The rates of a layer with so many inputs; None where something is wrong, which is found."""
    return _Reader(section, inputs, findings, remarks).read()


@dataclass
class _Reader:
    section: Section
    inputs: int
    findings: Findings
    remarks: Remarks

    def read(self) -> LayerRates | None:
        errors = len(self.findings.items)
        self._require()
        falling, falling_b = self._schedules()
        rates = LayerRates(
            self.section,
            tuple(map(_falling, self._each("epsW", parse_rate, Rate(0.0)), falling)),
            _falling(self._one("epsB", parse_rate, Rate(0.0)), falling_b),
            self._each("momW", _momentum, 0.0),
            self._one("momB", _momentum, 0.0),
            self._each("wc", _at_least_zero, 0.0),
            self._one("updatePeriod", _period, 0),
        )
        self._note_without_counterpart()
        return None if len(self.findings.items) > errors else rates

    def _require(self) -> None:
        missing = [f"`{name}`" for name in _REQUIRED if name.lower() not in self.section.options]
        if missing:
            message = f"`{shorten(self.section.name)}` lacks {listed(missing)}"
            help = "a layer with weights has rates `epsW`, `epsB` and momenta `momW`, `momB`"
            self.findings.add(Diagnostic("NS803", message, self.section.place, help=help))

    def _schedules(self) -> tuple[tuple[Schedule, ...], Schedule]:
        """Those of the weights, and that of the biases."""
        if old_schedule(self.section):
            both = self._one("sched", lambda text: parse_schedule(text, old=True), Schedule())
            return (both,) * self.inputs, both
        return self._each("schedW", parse_schedule, Schedule()), self._one("schedB", parse_schedule, Schedule())

    def _note_without_counterpart(self) -> None:
        name = self.section.name
        for option, what in WITHOUT_COUNTERPART.items():
            if any(self._each(option, _number, 0.0)):
                text = f"`{option}` {what}; `train` does nothing of the kind"
                self.remarks.dropped(option, text, self._place(option), name)
        self._each("superMom", _number, 0.0)

    def _each(self, option: str, read: Callable[[str], Value], default: Value) -> tuple[Value, ...]:
        """A value for each input; one that stands alone is all inputs'."""
        values = self._list(option, read)
        if len(values) not in (1, self.inputs) and values:
            message = f"{count(len(values), 'value')} for {count(self.inputs, 'input')}"
            help = "one for each, or one for all"
            self.findings.add(Diagnostic("NS808", message, self._place(option), help=help))
            values = ()
        return values if len(values) == self.inputs else (values or (default,)) * self.inputs

    def _one(self, option: str, read: Callable[[str], Value], default: Value) -> Value:
        values = self._list(option, read)
        if len(values) > 1:
            message = f"`{option}` is one value, found {len(values)}"
            self.findings.add(Diagnostic("NS808", message, self._place(option)))
        return values[0] if values else default

    def _list(self, option: str, read: Callable[[str], Value]) -> tuple[Value, ...]:
        """The values that are written; none where there is no such option, or where one cannot be read."""
        written = self.section.options.get(option.lower())
        if written is None:
            return ()
        try:
            return tuple(read(text) for text in split_list(written.text))
        except ScheduleError as error:
            message = f"`{option}`: {error}" if written.text else f"nothing is written behind `{option}=`"
            self.findings.add(Diagnostic("NS802", message, written.value, help=slip(written.text) or error.help))
            return ()

    def _place(self, option: str) -> Span:
        return place_of(self.section, option)


def _falling(rate: Rate, schedule: Schedule) -> Rate:
    """A rate that says by itself how it falls is of 2014, when `schedW` was read no more."""
    return replace(rate, schedule=schedule) if rate.schedule == Schedule() else rate


def _number(text: str) -> float:
    value = as_float(text)
    if value is None:
        raise ScheduleError(f"`{shorten(text)}` is no number", "for instance 0.0005")
    return value


def _at_least_zero(text: str) -> float:
    value = _number(text)
    if value < 0:
        raise ScheduleError(f"{value:g} is below 0", "0 for none")
    return value


def _momentum(text: str) -> float:
    value = _number(text)
    if not 0 <= value <= 1:
        raise ScheduleError(f"a momentum of {value:g} lets steps grow without end", "0 to 1, mostly 0.9")
    return value


def _period(text: str) -> int:
    value = _number(text)
    if value < 0 or value != int(value):
        raise ScheduleError(f"`{shorten(text)}` is no number of passes", "a whole number; 0 for as often as possible")
    return int(value)
