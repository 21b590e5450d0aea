"""Signs that a run goes wrong: numbers that are not finite, a flat loss, dead filters. It changes nothing."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np
import torch
from torch import Tensor

from netspec_runtime.errors import OneLineError
from netspec_runtime.training.metrics import loss_text
from netspec_runtime.training.net import TrainableNet

_SHOWN = 8  # ids in a message
_LOOKS = 100  # at a filter before it is called dead: with ten, one of five units of a net that learns well seemed so
_Renamed = Callable[[Mapping[str, Tensor]], dict[str, Tensor]]


class Diverged(OneLineError):  # noqa: N818 - it names what happened, as KeyboardInterrupt does
    """Training cannot go on: a loss, a gradient or a weight is not finite. Exit code 5."""

    exit_code: ClassVar[int] = 5

    def __init__(
        self, step: int, what: str, ids: Sequence[int] = (), checkpoint: str | None = None, unscaled: int = 0
    ) -> None:
        """``step`` counts from 1, ``ids`` are its pictures; ``unscaled`` as of HighLoss."""
        self.step, self.ids, self.checkpoint = step, tuple(int(i) for i in ids), checkpoint
        shown = ", ".join(map(str, self.ids[:_SHOWN]))
        more = f" and {len(self.ids) - _SHOWN} more" if len(self.ids) > _SHOWN else ""
        batch = f" on training pictures {shown}{more}" if self.ids else ""
        last = f"the last good checkpoint is {checkpoint}" if checkpoint else "nothing was saved yet"
        scale = _scale(unscaled)
        super().__init__(
            f"step {step}", f"{what}{batch}", f"{last}; try {scale}a lower rate, a smaller init_w or a larger batch"
        )


def _scale(unscaled: int) -> str:
    """What to type where ``unscaled`` channels of the inputs are divided by no deviation; "" for 0 of them."""
    numbers = ", ".join(["64"] * unscaled)
    why = "without it pixels go from 0 to 255, too far for init_w he or xavier"
    return f"`--set 'data.std=[{numbers}]'` ({why}), " if unscaled else ""


def all_finite(tensors: Iterable[Tensor]) -> bool:
    """Whether every number is finite and their squares can be summed. One pass, and one wait for the device."""
    return bool(torch.nn.utils.get_total_norm(tensors).isfinite())


def not_finite(tensors: Mapping[str, Tensor]) -> list[str]:
    """The names of tensors that hold a number which is not finite."""
    floats = {name: tensor for name, tensor in tensors.items() if tensor.is_floating_point()}
    if all_finite(floats.values()):  # forty times as fast as to look at each number
        return []
    return [name for name, tensor in floats.items() if not tensor.isfinite().all()]


def _patience(steps: int) -> int:
    """For how long a sign must hold in a run of so many steps: in time for most of them, and not by chance."""
    return min(max(steps // 4, _LOOKS), 1000)


@dataclass(kw_only=True)
class _LossWindow:
    """The sum of the losses since a window of steps began, its steps so far, and whether there was advice."""

    total: float = 0.0
    count: int = 0
    said: bool = False

    def state(self) -> dict[str, Any]:
        """What a resumed run needs to say the same at the same step."""
        return {"total": self.total, "count": self.count, "said": self.said}

    def load(self, state: Mapping[str, Any]) -> Self:
        self.total, self.count, self.said = state["total"], state["count"], state["said"]
        return self


@dataclass
class FlatLoss(_LossWindow):
    """Notices a loss that stays at ln(classes): the net answers all pictures alike. It says so once.

    After ``warmup`` steps, the mean of each ``window`` steps must be further than ``margin``, a share, from it.
    """

    classes: int
    warmup: int = 500
    window: int = 500
    margin: float = 0.02

    @classmethod
    def of(cls, classes: int, steps: int) -> Self:
        """For a run of so many steps, late enough for a net that is slow to begin."""
        half = _patience(steps) // 2
        return cls(classes, warmup=half, window=half)

    def observe(self, step: int, loss: float) -> list[str]:
        """Advice, if this step (from 0), with this mean loss, completes a flat window."""
        if self.said or step < self.warmup or self.classes < 2:
            return []
        self.total, self.count = self.total + loss, self.count + 1
        if self.count < self.window:
            return []
        mean, self.total, self.count = self.total / self.count, 0.0, 0
        flat = math.log(self.classes)
        if abs(mean - flat) > self.margin * flat:
            return []
        self.said = True
        advice = (
            f"the loss has stayed at ln({self.classes}) = {flat:.2f} up to step {step + 1:,}: the net answers all "
            "pictures alike. Try one at a time: init_b 0.1 where it is 1 (as Caffe did), a larger init_w, "
            "a rate 3 times higher or lower, and `mean: image` if no mean is subtracted"
        )
        return [advice]


@dataclass
class HighLoss(_LossWindow):
    """Notices a loss that is far above ln(classes): the net is worse than one that guesses. It says so once.

    At the end of each ``window`` of steps the mean of its last fifth must be below ``times`` as much: a bad start may
    be over by then. ``unscaled``: how many channels of the inputs are divided by no deviation.
    """

    classes: int
    unscaled: int = 0
    window: int = 50
    times: float = 4.0

    def observe(self, step: int, loss: float) -> list[str]:
        """Advice, if this step (from 0), with this mean loss, completes a window that is too high."""
        if self.said or self.classes < 2:
            return []
        self.count += 1
        recent = -(-self.window // 5)
        if self.count > self.window - recent:
            self.total += loss
        if self.count < self.window:
            return []
        mean, self.total, self.count = self.total / recent, 0.0, 0
        guess = math.log(self.classes)
        if mean < self.times * guess:
            return []
        self.said = True
        advice = (
            f"the loss is {loss_text(mean, 2)} at step {step + 1:,}, and a net that guesses has ln({self.classes}) = "
            f"{guess:.2f}. Try one at a time: {_scale(self.unscaled)}a smaller init_w, a lower rate"
        )
        return [advice]


@dataclass
class DeadFilters:
    """Notices filters that no picture moves: their gradient was exactly 0 throughout a window. Once for each layer.

    A filter's gradient is that of its bias, or of its row of weights in a layer without biases. Of ``window`` steps
    every ``every``-th is looked at; a layer is named from ``share`` dead filters on, if all of them were. ``collect``
    and ``distribute`` are the net's: layers are spoken of, and saved, by the merged net's names, and of a net in
    several processes each has a part. All of them call the same methods at the same steps.
    """

    window: int = 1000
    every: int = 10
    share: float = 0.1
    collect: _Renamed = dict
    distribute: _Renamed = dict
    said: set[str] = field(default_factory=set)
    _alive: dict[str, Tensor] = field(default_factory=dict)  # by the names here
    _looks: int = 0  # in this window

    @classmethod
    def of(cls, steps: int, net: TrainableNet) -> Self:
        """For a run of so many steps: a short one looks more often, so that as many batches speak for a filter."""
        window = _patience(steps)
        return cls(window, window // _LOOKS, collect=net.collect, distribute=net.distribute)

    def observe(self, step: int, gradients: Mapping[str, Tensor]) -> list[str]:
        """Advice, if this step (from 0) completes a window in which layers had dead filters.

        ``gradients`` are by parameter name, `conv1.bias`. Only the end of a window waits for the device.
        """
        if step % self.every == 0:
            self._look(gradients)
        if (step + 1) % self.window:
            return []
        alive, looks = self.collect(self._alive), self._looks
        self._alive, self._looks = {}, 0
        if looks < step // self.every - (step - self.window) // self.every:
            return []
        found = [self._advice(name.rpartition(".")[0], moved) for name, moved in alive.items()]
        return [text for text in found if text]

    def state(self) -> dict[str, Any]:
        """What a resumed run needs to say the same at the same step: one bit a filter, as hexadecimal digits."""
        alive = self.collect(self._alive)
        bits = {name: np.packbits(moved.cpu().numpy()).tobytes().hex() for name, moved in alive.items()}
        counts = {name: len(moved) for name, moved in alive.items()}
        return {"said": sorted(self.said), "alive": bits, "filters": counts, "looks": self._looks}

    def load(self, state: Mapping[str, Any]) -> Self:
        self.said, self._looks = set(state["said"]), state["looks"]
        alive = {
            name: torch.from_numpy(
                np.unpackbits(np.frombuffer(bytes.fromhex(bits), np.uint8), count=state["filters"][name]).astype(bool)
            )
            for name, bits in state["alive"].items()
        }
        self._alive = self.distribute(alive)
        return self

    def _look(self, gradients: Mapping[str, Tensor]) -> None:
        self._looks += 1
        for name, gradient in _one_each(gradients).items():
            moved = _moved(gradient)
            known = self._alive.get(name)
            self._alive[name] = moved if known is None else known.to(moved.device) | moved

    def _advice(self, layer: str, alive: Tensor) -> str:
        dead = len(alive) - int(alive.sum())
        if layer in self.said or dead < max(1.0, self.share * len(alive)):
            return ""
        self.said.add(layer)
        return (
            f"{layer}: {dead:,} of {len(alive):,} filters had no gradient in {self.window:,} steps (dead units). "
            "Try a lower rate for it, a smaller init_w or, if it has biases, an init_b above 0"
        )


@dataclass
class Watch:
    """All of them, for one run. Its state goes into checkpoints, so that advice comes where it came before."""

    flat: FlatLoss
    high: HighLoss
    dead: DeadFilters = field(default_factory=DeadFilters)

    @classmethod
    def of(cls, classes: int, steps: int, unscaled: int, net: TrainableNet) -> Self:
        """``steps``: of the whole run, the same where it goes on."""
        high = HighLoss(classes, unscaled, window=min(max(steps, 10), 50))
        return cls(FlatLoss.of(classes, steps), high, DeadFilters.of(steps, net))

    def observe(self, step: int, loss: float, gradients: Mapping[str, Tensor]) -> list[str]:
        """Sentences of advice, mostly none, after this step (from 0) with this mean loss."""
        return self.flat.observe(step, loss) + self.high.observe(step, loss) + self.dead.observe(step, gradients)

    def state(self) -> dict[str, Any]:
        return {"flat": self.flat.state(), "high": self.high.state(), "dead": self.dead.state()}

    def load(self, state: Mapping[str, Any]) -> Self:
        self.flat.load(state["flat"])
        if "high" in state:  # older checkpoints have none
            self.high.load(state["high"])
        self.dead.load(state["dead"])
        return self


def _one_each(gradients: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The smallest gradient that tells a layer's filters apart: its bias's where it has one."""
    chosen: dict[str, str] = {}
    for name, gradient in gradients.items():
        layer, _, kind = name.rpartition(".")
        if kind == "bias" or (gradient.dim() > 1 and layer not in chosen):
            chosen[layer] = name
    return {name: gradients[name] for name in chosen.values()}


def _moved(gradient: Tensor) -> Tensor:
    """[filters]: whether any of its numbers is not 0."""
    return gradient.detach() != 0 if gradient.dim() == 1 else (gradient.detach() != 0).flatten(1).any(dim=1)
