"""Learning rates of Caffe's solvers as those of the language. It trains nothing.

Source: sgd_solver.cpp, GetLearningRate. After i iterations ``base_lr`` is multiplied by 1 (``fixed``), by ``gamma`` for
each step (``step``, ``multistep``), by gamma^i (``exp``), (1 + gamma i)^-power (``inv``), (1 - i / max_iter)^power
(``poly``) or 1 / (1 + e^(-gamma (i - stepsize))) (``sigmoid``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import exp, log, log1p
from typing import Final

from netspec.importers.caffe.message import Message
from netspec.importers.draft import At, Value
from netspec.importers.remark import Remarks

_STEEPEST: Final = 69.0  # of a logarithm: by more than e^69, or 10^30, no rate falls
_MOST_STEPS: Final = 100
_TOPIC: Final = "learning rate"

Rate = Mapping[str, Value] | At


@dataclass(frozen=True)
class Clock:
    """Iterations in epochs: ``step`` images an iteration, None if not known, of ``images``, which are ``called``."""

    step: int | None
    images: int
    called: str

    def epochs(self, iterations: int) -> float | None:
        return None if self.step is None else iterations * self.step / self.images


@dataclass(frozen=True)
class _Policy:
    """What a solver says about its rate, with defaults as in caffe.proto: 0."""

    solver: Message
    clock: Clock
    remarks: Remarks
    start: At

    @property
    def gamma(self) -> float:
        return self.solver.number("gamma", 0.0)

    @property
    def power(self) -> float:
        return self.solver.number("power", 0.0)

    @property
    def length(self) -> int:
        """Iterations of the run, 0 if it does not say."""
        return max(self.solver.integer("max_iter", 0), 0)

    def tell(self, text: str, name: str = "lr_policy") -> None:
        self.remarks.dropped(_TOPIC, f"training will differ: {text}", self.solver.place_of(name))

    def constant(self, reason: str) -> Rate:
        self.tell(f"{reason}: the rate stays at `base_lr`")
        return self.start

    def falling(self, curve: str, divide: float) -> Rate:
        return {"start": self.start, "curve": curve, "divide": At(divide, self.solver.place_of("gamma"))}


def rate_of(solver: Message, clock: Clock, remarks: Remarks) -> At:
    """The value of `train.lr`. A rate that cannot be said is the nearest that can, with a remark.

    Raises SpecError NS803 where ``base_lr`` or ``lr_policy`` is missing.
    """
    name = solver.text("lr_policy")
    policy = _Policy(solver, clock, remarks, At(solver.number("base_lr"), solver.place_of("base_lr")))
    read = _POLICIES.get(name)
    rate = read(policy) if read else policy.constant(f"the policy `{name[:40]}` is none of BVLC Caffe's")
    return rate if isinstance(rate, At) else At(rate, solver.place_of("lr_policy"))


def _fixed(policy: _Policy) -> Rate:
    return policy.start


def _step(policy: _Policy) -> Rate:
    size = policy.solver.integer("stepsize", 0)
    if size < 1:
        return policy.constant("there is no `stepsize`")
    drops = max(policy.length - 1, 0) // size
    epochs = policy.clock.epochs(size)
    if epochs is not None and policy.gamma > 0 and drops and (epochs < 1 or drops > _MOST_STEPS):
        policy.tell(f"{drops:,} steps of {epochs:.3g} epochs are a curve of the same end here", "stepsize")
        return policy.falling("exp", _divisor(-log(policy.gamma) * drops))
    return _at(policy, [size * number for number in range(1, min(drops, _MOST_STEPS) + 1)], "stepsize")


def _multistep(policy: _Policy) -> Rate:
    values = policy.solver.integers("stepvalue")
    return _at(policy, [value for value in values if not policy.length or value < policy.length], "stepvalue")


def _at(policy: _Policy, iterations: Sequence[int], name: str) -> Rate:
    """Steps after whole epochs, the nearest to the iterations."""
    if not iterations:
        return policy.start
    if policy.gamma <= 0:
        return policy.constant("`gamma` is not above 0")
    exact = [epoch for i in iterations if (epoch := policy.clock.epochs(i)) is not None]
    if not exact:
        return policy.constant("the net does not say how many images a batch has, so steps have no epoch")
    epochs = sorted({max(1, round(epoch)) for epoch in exact})
    text = ", ".join(f"{epoch:.4g}" for epoch in exact[:6]) + (", ..." if len(exact) > 6 else "")
    policy.remarks.meaning(
        _TOPIC, f"it falls after whole epochs: {text} are {_listed(epochs)}", policy.solver.place_of(name)
    )
    if len(epochs) < len(exact):
        policy.tell(f"{len(exact) - len(epochs)} of its steps fall into an epoch of another and are left out", name)
    divide = At(_divisor(-log(policy.gamma)), policy.solver.place_of("gamma"))
    return {"start": policy.start, "divide": divide, "when": At(epochs, policy.solver.place_of(name))}


def _listed(epochs: Sequence[int]) -> str:
    return ", ".join(map(str, epochs[:6])) + (", ..." if len(epochs) > 6 else "")


def _exp(policy: _Policy) -> Rate:
    if policy.gamma <= 0 or not policy.length:
        return policy.constant("`exp` needs `gamma` above 0 and `max_iter`")
    return policy.falling("exp", _divisor(-log(policy.gamma) * policy.length))


def _inv(policy: _Policy) -> Rate:
    if policy.gamma <= 0 or not policy.length:
        return policy.constant("`inv` needs `gamma` above 0 and `max_iter`")
    policy.tell("`inv` is exponential here, with the same start and end")
    return policy.falling("exp", _divisor(policy.power * log1p(policy.gamma * policy.length)))


def _poly(policy: _Policy) -> Rate:
    if not policy.length or policy.power <= 0:
        return policy.constant("`poly` needs `power` above 0 and `max_iter`")
    if policy.power != 1:
        policy.tell(f"`poly` with power {policy.power:g} is linear here, to nearly 0 as there")
    return policy.falling("linear", float(policy.length))  # as in the last iteration: base_lr / max_iter


def _sigmoid(policy: _Policy) -> Rate:
    return policy.constant("`sigmoid` has no counterpart")


def _divisor(logarithm: float) -> float:
    """The exponential of the logarithm, to seven digits: 10 is what 0.1 was written for."""
    return float(f"{exp(max(-_STEEPEST, min(logarithm, _STEEPEST))):.7g}")


_POLICIES: Final[Mapping[str, Callable[[_Policy], Rate]]] = {
    "fixed": _fixed,
    "step": _step,
    "multistep": _multistep,
    "exp": _exp,
    "inv": _inv,
    "poly": _poly,
    "sigmoid": _sigmoid,
}
