"""Learning rates over a run: the curves of the 2012 files and the paper's heuristic. It changes no parameters."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Self

from netspec_runtime.training.recipe import RateRule

_ROUNDING = 1e-12  # far below one step of any run, far above what a quotient of two counts is off by


def rate(rule: RateRule, progress: float, epoch: int, divisions: int) -> float:
    """The rate of one step (paper 5; reference/cuda-convnet.md 2).

    ``progress`` is the part of the run that is done, 0 <= p < 1: the step over the number of all steps. ``epoch`` is
    the number of epochs done, ``divisions`` how often a plateau divided so far.
    """
    if rule.curve == "steps":
        return rule.start / rule.divide ** _divisions(rule, epoch, divisions)
    if rule.curve == "linear":
        return rule.start * (1 - progress + progress / rule.divide)
    if rule.curve == "exp":
        return rule.start / math.pow(rule.divide, progress)
    return rule.start / math.pow(rule.divide, _level(rule, progress) / (rule.levels - 1))


def _divisions(rule: RateRule, epoch: int, divisions: int) -> int:
    if rule.when == "plateau":
        return divisions
    return 0 if rule.when == "never" else sum(epoch >= end for end in rule.when)


def _level(rule: RateRule, progress: float) -> float:
    """The level, from 0; in `jdexp` it is one half lower for some time, the geometric mean with the level before."""
    place = progress * rule.levels
    level = max(0, math.ceil(place - _ROUNDING) - 1)
    jumps = rule.curve == "jdexp" and level > 0 and 0.2 < progress < 0.9
    return level - 0.5 if jumps and place > level + 0.5 + _ROUNDING else level


@dataclass(frozen=True)
class Plateau:
    """The paper's heuristic: divide the rate when the validation error has stopped improving, ``times`` at most.

    It has stopped when ``patience`` epochs in a row brought no error below the ``best`` so far; ``waited`` counts them.
    The fields are what a checkpoint holds: plain numbers, and None before the first epoch.
    """

    patience: int
    times: int
    best: float | None = None
    waited: int = 0
    divisions: int = 0

    @classmethod
    def of(cls, rule: RateRule) -> Self:
        """At the start of a run."""
        return cls(rule.patience, rule.times)

    def update(self, error: float) -> Self:
        """After an epoch with this validation error. One that is no number is no improvement."""
        if math.isfinite(error) and (self.best is None or error < self.best):
            return replace(self, best=error, waited=0)
        if self.waited + 1 < self.patience or self.divisions == self.times:
            return replace(self, waited=self.waited + 1)
        return replace(self, waited=0, divisions=self.divisions + 1)
