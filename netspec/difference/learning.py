"""How weights start and how they are trained, as facts. Rates are what comes out of multiples and schedules."""

from __future__ import annotations

from dataclasses import dataclass

from netspec.difference.fact import Fact, Value, shown
from netspec.difference.written import Written
from netspec.ir.graph import OwnedParameter, TypedGraph, TypedNode
from netspec.ir.layer import LearnedLayer
from netspec.ir.parameter import Init, Parameter, Role
from netspec.spec.model import RateSpec, Spec, TrainSpec


@dataclass(frozen=True)
class _Owner:
    """The layer that a weight belongs to; another one may use it too."""

    node: TypedNode
    number: int
    parameter: Parameter


class Learning:
    """The facts of weights and biases of one net."""

    def __init__(self, spec: Spec, typed: TypedGraph) -> None:
        self.spec = spec
        self._owners = {
            owned.name: _Owner(node, number, owned.parameter)
            for node in typed.nodes
            for number, owned in enumerate(_weights(node))
            if not owned.tied
        }

    def weights(self, node: TypedNode) -> tuple[str, ...]:
        """The owners' names of a layer's weights, in their order: one for each input."""
        return tuple(owned.name for owned in _weights(node))

    def facts(self, node: TypedNode) -> list[Fact]:
        """How a layer's weights and biases start, how fast they learn, and how they decay."""
        facts = [fact for number, name in enumerate(self.weights(node)) for fact in self._weight(node, number, name)]
        if any(owned.parameter.role == "bias" for owned in node.parameters):
            facts.append(self._rate("rate of biases", node, "bias"))
        return facts + (self._biases(node, node.layer) if isinstance(node.layer, LearnedLayer) else [])

    def _biases(self, node: TypedNode, layer: LearnedLayer) -> list[Fact]:
        written = self._written(node)
        bias = Fact("bias", layer.bias, shown(layer.bias), written.path("bias"))
        start = Fact("init_b", layer.init_b, shown(layer.init_b), written.path("init_b"), "start")
        return [bias, start] if layer.bias else [bias]

    def _written(self, node: TypedNode) -> Written:
        return Written(node, self.spec.spans)

    def _weight(self, node: TypedNode, number: int, name: str) -> list[Fact]:
        """Those of the layer that owns it. Scales and slopes start as their layer's own keys say, and do not decay."""
        owner, named = self._owners[name], self._written(node).named
        layer, init = owner.node.layer, owner.parameter.init
        rate = self._rate(named("rate of weights", number), owner.node, "weight")
        if not isinstance(layer, LearnedLayer):
            return [rate]
        written = self._written(owner.node)
        start, place = _start(owner.parameter), written.input_path(owner.number, "init_w")
        decay = self.spec.train.decay if layer.decay is None else layer.decay
        return [
            Fact(named("init_w", number), start, _init_text(init), place, "start", (init.kind, init.value)),
            rate,
            Fact(named("decay", number), decay, shown(decay), written.or_else("decay", "train", "decay"), "train"),
        ]

    def _rate(self, what: str, node: TypedNode, role: Role) -> Fact:
        """A schedule, times a layer's multiple."""
        train, key, top, rate = self.spec.train, "lr_w", "lr", self.spec.train.lr
        if role == "bias":
            key = "lr_b"
            top, rate = ("lr", rate) if train.lr_b is None else ("lr_b", train.lr_b)
        place = self._written(node).or_else(key, "train", top)
        return Fact(what, *_schedule(rate, node.layer.rate_of(role)), place, "train")


def recipe_facts(train: TrainSpec) -> list[Fact]:
    """What the recipe says of the whole net."""
    names = ("batch", "epochs", "momentum")
    return [Fact(name, getattr(train, name), shown(getattr(train, name)), ("train", name), "train") for name in names]


def _weights(node: TypedNode) -> list[OwnedParameter]:
    return [owned for owned in node.parameters if owned.parameter.role == "weight"]


def _start(parameter: Parameter) -> Value:
    """The distribution, where one without spread is a constant."""
    kind, number = parameter.distribution
    return ("constant", 0.0) if number == 0 and kind != "bilinear" else (kind, number)


def _init_text(init: Init) -> str:
    if init.kind == "normal":
        return shown(init.value)
    return f"{init.kind}[{shown(init.value)}]" if init.kind in ("uniform", "constant") else init.kind


def _schedule(rate: float | RateSpec, multiple: float) -> tuple[Value, str]:
    """What counts of a schedule, and how it is said."""
    if not isinstance(rate, RateSpec):
        return rate * multiple, shown(rate * multiple)
    start, divide = rate.start * multiple, shown(rate.divide)
    if not start or rate.divide == 1 or (rate.curve == "steps" and rate.when == "never"):
        return start, shown(start)
    if rate.curve in ("linear", "exp"):
        return (start, rate.curve, rate.divide), f"{shown(start)}, {rate.curve} to / {divide}"
    if rate.curve != "steps":
        text = f"{shown(start)}, {rate.curve} to / {divide} in {rate.levels} levels"
        return (start, rate.curve, rate.divide, rate.levels), text
    if rate.when == "plateau":
        text = f"{shown(start)}, / {divide} at {rate.times} plateaus of {rate.patience} epochs"
        return (start, rate.divide, rate.times, rate.patience), text
    return (start, rate.divide, rate.when), f"{shown(start)}, / {divide} after {', '.join(map(str, rate.when))}"
