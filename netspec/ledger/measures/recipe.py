"""Measures of what settings come to: effective constants, rates, patches, the update. Not the settings as written."""

from __future__ import annotations

from netspec.ir.graph import TypedNode
from netspec.ir.layer import LearnedLayer
from netspec.layers.dropout import Dropout
from netspec.layers.rnorm import Normalisation
from netspec.ledger.measure import Claims, LayerMeasure, Measure, Scope, measure
from netspec.ledger.net import Net
from netspec.ledger.place import says, spec_says
from netspec.ledger.value import Item, Missing, Plain, show
from netspec.spec.model import RateSpec


@measure
class AlphaOnSum(LayerMeasure):
    """LRN's alpha, whatever convention the spec writes."""

    name = "alpha_on_sum"
    doc = "The factor of the plain sum of squares in a normalisation, whichever `alpha_over` the spec writes."
    numeric = True

    def of_layer(self, net: Net, node: TypedNode, scope: Scope) -> Plain | Missing:
        if not isinstance(node.layer, Normalisation):
            return Missing(f"`{node.name}` is a `{node.layer.type}` layer, no normalisation")
        return node.layer.per_square(node.layer.neighbours())

    def why_layer(self, net: Net, node: TypedNode, claims: Claims) -> tuple[str, ...]:
        return tuple(says(net, node.name, key) for key in ("alpha", "alpha_over", "size") if hasattr(node.layer, key))


@measure
class TestFactor(LayerMeasure):
    """What dropout multiplies by at test."""

    name = "test_factor"
    doc = "What a dropout layer multiplies outputs by at test: 1 - rate, or 1 for inverted dropout."
    numeric = True

    def of_layer(self, net: Net, node: TypedNode, scope: Scope) -> Plain | Missing:
        layer = node.layer
        if not isinstance(layer, Dropout):
            return Missing(f"`{node.name}` is a `{layer.type}` layer, no dropout")
        return 1 - layer.rate if layer.scale == "test" else 1.0

    def why_layer(self, net: Net, node: TypedNode, claims: Claims) -> tuple[str, ...]:
        return tuple(says(net, node.name, key) for key in ("rate", "scale") if hasattr(node.layer, key))


class _StartRate(LayerMeasure):
    """The learning rate that a layer starts with."""

    numeric = True
    key: str

    def of_layer(self, net: Net, node: TypedNode, scope: Scope) -> Plain | Missing:
        if not isinstance(node.layer, LearnedLayer):
            return Missing(f"`{node.name}` is a `{node.layer.type}` layer and learns nothing")
        return float(getattr(node.layer, self.key)) * self._start(net)

    def _start(self, net: Net) -> float:
        train = net.spec.train
        rate = train.lr_b if self.key == "lr_b" and train.lr_b is not None else train.lr
        return rate.start if isinstance(rate, RateSpec) else rate

    def why_layer(self, net: Net, node: TypedNode, claims: Claims) -> tuple[str, ...]:
        return (
            says(net, node.name, self.key),
            f"it is a multiple of the run's rate, which starts at {self._start(net):g}",
        )


@measure
class WeightRate(_StartRate):
    """Of the weights."""

    name = "weight_rate"
    doc = "The learning rate of a layer's weights at the start of training: `lr_w` times the run's."
    key = "lr_w"


@measure
class BiasRate(_StartRate):
    """Of the biases."""

    name = "bias_rate"
    doc = "The learning rate of a layer's biases at the start of training: `lr_b` times the run's."
    key = "lr_b"


@measure
class RateDivisions(Measure):
    """How often the rate falls."""

    name = "rate_divisions"
    doc = "How often the learning rate is divided in a run: `times` at a plateau, or the length of the list in `when`."
    takes = "net"
    numeric = True

    def measure(self, net: Net, scope: Scope) -> tuple[Item, ...]:
        rate = net.spec.train.lr
        if not isinstance(rate, RateSpec):
            return (Item("", 0),)
        if rate.curve != "steps":
            return (Item("", Missing(f"the rate falls along `curve: {rate.curve}`, not in steps")),)
        steps = {"plateau": rate.times, "never": 0}
        return (Item("", steps[rate.when] if isinstance(rate.when, str) else len(rate.when)),)

    def why(self, net: Net, scope: Scope, wrong: tuple[str, ...], claims: Claims) -> tuple[str, ...]:
        rate = net.spec.train.lr
        if not isinstance(rate, RateSpec):
            return (spec_says(net, ("train", "lr"), rate),)
        return tuple(spec_says(net, ("train", "lr", key), getattr(rate, key)) for key in ("when", "times"))


class _Patches(Measure):
    """Patches of a resized picture that training can draw."""

    takes = "net"
    numeric = True
    more = 0

    def measure(self, net: Net, scope: Scope) -> tuple[Item, ...]:
        data = net.spec.data
        if data.resize is None:
            return (Item("", Missing("the spec does not say `data.resize`, so pictures are not cut")),)
        height, width = (data.resize - side + self.more for side in data.crop or net.spec.input.size)
        return (Item("", height * width * (2 if data.mirror else 1)),)

    def why(self, net: Net, scope: Scope, wrong: tuple[str, ...], claims: Claims) -> tuple[str, ...]:
        data = net.spec.data
        if data.resize is None:
            return ()
        sides = " x ".join(
            f"({data.resize} - {side}{f' + {self.more}' * bool(self.more)})"
            for side in data.crop or net.spec.input.size
        )
        return (f"{sides}{' x 2 reflections' if data.mirror else ', without reflections'}",)


@measure
class Augmentation(_Patches):
    """As the paper counts."""

    name = "augmentation"
    doc = "By how much patches and reflections enlarge the training set, as the paper counts: (resize - crop)^2, x 2."


@measure
class Patches(_Patches):
    """All of them."""

    name = "patches"
    doc = "How many different patches and reflections of a picture there are: (resize - crop + 1)^2, x 2."
    more = 1


@measure
class UpdateRule(Measure):
    """The paper's update."""

    name = "update_rule"
    doc = (
        "The update of weights that `train:` means, with the spec's numbers. The language has this one rule (paper 5):"
        " the rate eps is inside v, so a change of it acts from the next gradient on."
    )
    takes = "net"

    def measure(self, net: Net, scope: Scope) -> tuple[Item, ...]:
        train = net.spec.train
        decay = f" - {show(train.decay)} eps w" if train.decay else ""
        return (Item("", f"v <- {show(train.momentum)} v{decay} - eps g; w <- w + v"),)

    def why(self, net: Net, scope: Scope, wrong: tuple[str, ...], claims: Claims) -> tuple[str, ...]:
        train = net.spec.train
        return tuple(spec_says(net, ("train", key), getattr(train, key)) for key in ("momentum", "decay"))


@measure
class Recorded(Measure):
    """Numbers of somebody's log."""

    name = "recorded"
    doc = (
        "Numbers that the row itself quotes from a log (`recorded`, less `baseline` where there is one). It shows that"
        " the claim is what the log says, rounded as printed; it computes nothing from the spec."
    )
    takes = "net"
    options = ("recorded",)
    numeric = True

    def measure(self, net: Net, scope: Scope) -> tuple[Item, ...]:
        baseline = scope.baseline or (0.0,) * len(scope.recorded)
        return tuple(Item("", a - b) for a, b in zip(scope.recorded, baseline, strict=True))

    def why(self, net: Net, scope: Scope, wrong: tuple[str, ...], claims: Claims) -> tuple[str, ...]:
        less = f", less {' / '.join(map(show, scope.baseline))}" if scope.baseline else ""
        return (f"the log says {' / '.join(map(show, scope.recorded))}{less}",)
