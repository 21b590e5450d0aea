"""The best variant of each run, and what a paper says beside what came out. It formats no tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, sqrt
from typing import Literal

from netspec.experiment.model import Measure, Paper
from netspec.experiment.outcome import Outcome, error_of

Verdict = Literal["agrees", "disagrees", "equal", "undecided"]
_CHANCE = 2.0  # standard errors: a difference below is within chance, at about 95 %


@dataclass(frozen=True)
class Variant:
    """The outcomes of one choice of values, a seed each. ``value`` is their mean, None where one has none."""

    run: str
    variant: str
    outcomes: tuple[Outcome, ...]
    value: float | None

    @property
    def label(self) -> str:
        return f"{self.run}, {self.variant}" if self.variant else self.run

    @property
    def settled(self) -> bool:
        """Whether all that has to be run was run."""
        return all(outcome.settled for outcome in self.outcomes)

    @property
    def diverged(self) -> bool:
        """Whether one of its runs did: their mean will never be known, unless that one had measured enough before."""
        return self.value is None and any(outcome.state == "diverged" for outcome in self.outcomes)

    @property
    def epochs(self) -> int:
        """That all of its runs have done."""
        return min(outcome.count for outcome in self.outcomes)


@dataclass(frozen=True)
class Finding:
    """What a paper says of two runs, and what came out: ``sentence`` says it to people.

    ``ratio`` is worse / better, a lower bound if ``at_least``; ``difference`` is worse - better. Both are None where
    they cannot be said.
    """

    better: str
    worse: str
    verdict: Verdict
    ratio: float | None
    at_least: bool
    difference: float | None
    sentence: str


def variants(outcomes: Sequence[Outcome]) -> tuple[Variant, ...]:
    """Outcomes by what was chosen, in their order."""
    groups: dict[tuple[str, str], list[Outcome]] = {}
    for outcome in outcomes:
        groups.setdefault((outcome.trial.run, outcome.trial.variant), []).append(outcome)
    return tuple(Variant(run, variant, tuple(group), _mean(group)) for (run, variant), group in groups.items())


def best_of(found: Sequence[Variant], measure: Measure) -> dict[str, Variant]:
    """The best variant of each run; where none has a value, the one with the least error so far."""
    best: dict[str, Variant] = {}
    for variant in found:
        if variant.run not in best or _rank(variant, measure) < _rank(best[variant.run], measure):
            best[variant.run] = variant
    return best


def findings(
    paper: Paper | None, measure: Measure, found: Sequence[Variant], pictures: int | None
) -> tuple[Finding, ...]:
    """What came out of each pair that the paper compares. ``pictures`` were tested; None where that is not known."""
    if paper is None:
        return ()
    best = best_of(found, measure)
    pairs = [(best.get(paper.better), best.get(run)) for run in paper.than]
    return tuple(
        _finding(paper, measure, good, bad, found, pictures)
        for good, bad in pairs
        if good is not None and bad is not None
    )


def _mean(outcomes: Sequence[Outcome]) -> float | None:
    values = [outcome.value for outcome in outcomes if outcome.value is not None]
    return sum(values) / len(values) if len(values) == len(outcomes) else None


def _rank(variant: Variant, measure: Measure) -> tuple[float, float]:
    last = [error for outcome in variant.outcomes for _, error in outcome.curve(measure.split)[-1:]]
    return (inf if variant.value is None else variant.value, sum(last) / len(last) if last else inf)


def _done(found: Sequence[Variant], run: str) -> int:
    """The epochs that every variant of a run has done: none of them reached the error within these.

    Those that diverged will never reach it; they count where all did.
    """
    tried = [variant for variant in found if variant.run == run]
    return min(variant.epochs for variant in [v for v in tried if not v.diverged] or tried)


def _diverged(found: Sequence[Variant], run: str) -> bool:
    """Whether every variant of a run did."""
    return all(variant.diverged for variant in found if variant.run == run)


def _finding(
    paper: Paper, measure: Measure, good: Variant, bad: Variant, found: Sequence[Variant], pictures: int | None
) -> Finding:
    if measure.epochs_to is not None:
        return _by_epochs(good, bad, found, measure.epochs_to)
    if _unfinished(found, good, bad):
        return _unsaid(good, bad, "nothing can be said before their runs are finished")
    if good.value is None or bad.value is None:
        why = " and ".join(_without_error(variant, measure) for variant in (good, bad) if variant.value is None)
        return _unsaid(good, bad, f"{why}, so nothing can be said")
    return _by_error(paper, good, bad, good.value, bad.value, pictures if measure.split == "test" else None)


def _unsaid(good: Variant, bad: Variant, why: str) -> Finding:
    return Finding(good.run, bad.run, "undecided", None, False, None, f"{good.run} and {bad.run}: {why}")


def _without_error(variant: Variant, measure: Measure) -> str:
    """Why a variant that is settled has no error: runs that learn to their end without test pictures have none."""
    name = {"train": "training", "test": "test"}[measure.split]
    return f"{variant.run} diverged" if variant.diverged else f"{variant.run} has no {name} error"


def _unfinished(found: Sequence[Variant], good: Variant, bad: Variant) -> bool:
    """Whether a variant of either run is."""
    return any(not variant.settled for variant in found if variant.run in (good.run, bad.run))


def _by_epochs(good: Variant, bad: Variant, found: Sequence[Variant], error: float) -> Finding:
    """Who needs fewer epochs. A run that has not reached the error needs more than it has done."""
    names = f"{bad.run} / {good.run}"
    if good.value is not None and bad.value is not None:
        ratio = bad.value / good.value
        verdict: Verdict = "equal" if ratio == 1 else "agrees" if ratio > 1 else "disagrees"
        sentence = f"{names}: {bad.value:g} / {good.value:g} epochs"
        sentence += "" if ratio == 1 else f", {ratio:.2g} times as many"
        sentence += "; not all runs are finished" if _unfinished(found, good, bad) else ""
        return Finding(good.run, bad.run, verdict, ratio, False, None, sentence)
    if good.value is not None:
        done = _done(found, bad.run)
        ratio = done / good.value
        sentence = f"{names}: {_short_of(found, bad.run, error, good.run)} {good.value:g}"
        if ratio < 1:
            return Finding(good.run, bad.run, "undecided", None, False, None, sentence)
        sentence += f": more than {ratio:.2g} times as many"
        return Finding(good.run, bad.run, "agrees", ratio, True, None, sentence)
    if bad.value is not None:
        done = _done(found, good.run)
        verdict = "disagrees" if done >= bad.value else "undecided"
        sentence = f"{names}: {_short_of(found, good.run, error, bad.run)} {bad.value:g}"
        return Finding(good.run, bad.run, verdict, None, False, None, sentence)
    lost = [run for run in (good.run, bad.run) if _diverged(found, run)]
    idle = [run for run in (good.run, bad.run) if run not in lost and not _done(found, run)]
    who = f"neither has reached {error:.0%}" if not idle else f"no epoch of {' and '.join(idle)} is done"
    who += f", {' and '.join(lost)} diverged" if lost else ""
    sentence = f"{names}: {who}, so nothing can be said"
    return Finding(good.run, bad.run, "undecided", None, False, None, sentence)


def _short_of(found: Sequence[Variant], run: str, error: float, other: str) -> str:
    """What is known of a run that has not reached an error, up to the number of epochs in which the other did."""
    done = _done(found, run)
    if _diverged(found, run):
        when = f"after {done} epochs" if done else "in its first epoch"
        return f"{run} diverged {when}, {other} reached {error:.0%} in"
    short = f"{run} has not reached {error:.0%} in {done} epochs" if done else f"no epoch of {run} is done"
    return f"{short}, {other} did in"


def _by_error(paper: Paper, good: Variant, bad: Variant, least: float, most: float, pictures: int | None) -> Finding:
    """Whose error is less, and whether the test has pictures enough to tell."""
    difference = most - least
    verdict: Verdict = "equal" if difference == 0 else "agrees" if difference > 0 else "disagrees"
    words = f"{abs(difference):.2%} {'more' if difference >= 0 else 'less'}"
    sentence = f"{bad.run} - {good.run}: {most:.2%} - {least:.2%}, {words}"
    if pictures:
        noise = _CHANCE * sqrt((most * (1 - most) + least * (1 - least)) / pictures)
        if abs(difference) < noise:
            sentence += f", within chance on {pictures:,} pictures ({noise:.2%})"
    ratio = most / least if paper.ratio is not None and least else None
    return Finding(good.run, bad.run, verdict, ratio, False, difference, sentence)


def last_errors(variant: Variant) -> tuple[float | None, float | None]:
    """Training and test error after the last epoch done, means over seeds; None where there is none."""
    train = [error_of(outcome.epochs[-1], "train") for outcome in variant.outcomes if outcome.epochs]
    test = [error_of(outcome.epochs[-1], "test") for outcome in variant.outcomes if outcome.epochs]
    return _average(train), _average(test)


def _average(errors: Sequence[float | None]) -> float | None:
    known = [error for error in errors if error is not None]
    return sum(known) / len(known) if known else None
