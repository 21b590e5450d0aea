"""Caffe's solvers: what a solver.prototxt trains with, as the spec's `train`. It reads no net.

Source: sgd_solver.cpp and caffe.proto's SolverParameter. The update is the paper's: the rate multiplies the gradient
before momentum adds it up.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from netspec.diagnostics import Diagnostic, Label, SpecError
from netspec.importers.caffe.message import Message
from netspec.importers.caffe.rates import Clock, rate_of
from netspec.importers.draft import At, Draft, Value
from netspec.importers.remark import Remarks

_ILSVRC: Final = (1_281_167, "the 1,281,167 training images of ILSVRC-2012")
_DATA_SETS: Final = {  # by a word in the paths of a solver
    "cifar": (50_000, "the 50,000 training images of CIFAR"),
    "mnist": (60_000, "the 60,000 training images of MNIST"),
}
_PATHS: Final = ("net", "train_net", "snapshot_prefix")
_TYPES: Final = {
    "NESTEROV": "Nesterov",
    "ADAGRAD": "AdaGrad",
    "RMSPROP": "RMSProp",
    "ADADELTA": "AdaDelta",
    "ADAM": "Adam",
}
_PLAIN: Final = {"momentum": "momentum", "decay": "weight_decay"}  # 0 where a solver leaves them out
_READ: Final = frozenset(
    {"base_lr", "lr_policy", "gamma", "power", "stepsize", "stepvalue", "max_iter", "momentum", "weight_decay"}
    | {"iter_size", "type", "solver_type", "regularization_type", "clip_gradients", "net", "train_net"}
)


def apply_solver(draft: Draft, solver: Message, batch: int | None, remarks: Remarks, images: int | None = None) -> None:
    """Set the draft's `train` from a SolverParameter; keys that it has and a solver does not speak of stay.

    ``batch``: images in a batch of the net; None where the net does not say it. ``images``: the size of the training
    set, which turns iterations into epochs; by default that of CIFAR or MNIST where the solver's paths name them, else
    ILSVRC-2012's. Raises SpecError NS803 for a solver without ``base_lr`` or ``lr_policy``.
    """
    clock = _clock(solver, batch, images)
    before = draft.keys.get("train", {})
    train: dict[str, Value] = dict(before) if isinstance(before, Mapping) else {}
    train |= _batch(solver, clock, remarks) | _epochs(solver, clock, remarks)
    train |= {key: At(solver.number(name, 0.0), solver.place_of(name)) for key, name in _PLAIN.items()}
    train["lr"] = rate_of(solver, clock, remarks)
    draft.keys["train"] = train
    _tell_the_rest(solver, remarks)


def _clock(solver: Message, batch: int | None, images: int | None) -> Clock:
    step = batch * max(solver.integer("iter_size", 1), 1) if batch else None
    if images is not None:
        return Clock(step, images, f"{images:,} training images")
    paths = " ".join(solver.text(name, "").lower() for name in _PATHS)
    return Clock(step, *next((found for word, found in _DATA_SETS.items() if word in paths), _ILSVRC))


def _batch(solver: Message, clock: Clock, remarks: Remarks) -> dict[str, Value]:
    if clock.step is None:
        return {}
    place = solver.place_of("iter_size")
    if solver.integer("iter_size", 1) > 1:
        remarks.meaning("batch", f"gradients of `iter_size` batches are added: a step takes {clock.step} images", place)
    return {"batch": At(clock.step, place)}


def _epochs(solver: Message, clock: Clock, remarks: Remarks) -> dict[str, Value]:
    if not solver.has("max_iter"):
        return {}
    place, iterations = solver.place_of("max_iter"), solver.integer("max_iter")
    exact = clock.epochs(iterations)
    if exact is None:
        text = "the net does not say how many images a batch has, so iterations are no epochs: `epochs` is left open"
        remarks.dropped("epochs", text, place)
        return {}
    epochs = max(1, round(exact))
    text = f"{iterations:,} iterations of {clock.step} images are {exact:.4g} passes over {clock.called}"
    remarks.meaning("epochs", f"{text}: `epochs: {epochs}`", place)
    return {"epochs": At(epochs, place)}


def _tell_the_rest(solver: Message, remarks: Remarks) -> None:
    """Remarks for what `train` does not say."""
    kind = _type(solver)
    if kind != "SGD":
        place = solver.place_of("type" if solver.has("type") else "solver_type")
        remarks.dropped("solver", f"training will differ: the solver is {kind[:40]}, and here SGD with momentum", place)
    decay = solver.text("regularization_type", "L2")
    if decay != "L2":
        text = f"training will differ: weights decay by {decay[:40]}, and here by L2"
        remarks.dropped("decay", text, solver.place_of("regularization_type"))
    if solver.number("clip_gradients", -1.0) >= 0:
        remarks.dropped(
            "gradients",
            "training will differ: gradients are clipped, and here they are not",
            solver.place_of("clip_gradients"),
        )
    rest = list(dict.fromkeys(field.name for field in solver.fields if field.name not in _READ))
    if rest:
        names = ", ".join(f"`{name}`" for name in rest)
        remarks.dropped("solver", f"how Caffe runs, and not what it trains: {names}", solver.place_of(rest[0]))


def _type(solver: Message) -> str:
    """The kind of solver, of either form that it is given in."""
    old, new = solver.get("solver_type"), solver.get("type")
    if old and new:
        others = (Label(old.place, "the older form"),)
        message = "a solver has either `type` or `solver_type`, and this has both"
        raise SpecError([Diagnostic("NS808", message, new.place, others=others, help="remove `solver_type`")])
    word = solver.word("solver_type", "SGD")
    return solver.text("type", _TYPES.get(word, word))
