"""One step of training: a batch forward, its loss backward, the update. It reads no data and keeps no counts."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import reduce

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.nn.utils import get_total_norm

from netspec_runtime.training.arithmetic import Precision
from netspec_runtime.training.batches import Batch
from netspec_runtime.training.net import TrainableNet, check_shares
from netspec_runtime.training.optimizer import PaperSGD
from netspec_runtime.training.pixels import Pixels
from netspec_runtime.training.score import tally
from netspec_runtime.training.world import World


@dataclass(frozen=True)
class Tally:
    """Sums over images: of the loss, and how many labels are not the first, or not among the first five."""

    count: int = 0
    loss: float = 0.0
    top1: int = 0
    top5: int = 0

    @property
    def finite(self) -> bool:
        """Whether the loss is a number."""
        return math.isfinite(self.loss)

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.count + other.count, self.loss + other.loss, self.top1 + other.top1, self.top5 + other.top5)


NOTHING = Tally()


@dataclass(frozen=True)
class Gradients:
    """What a batch gave: its ``tally``, over all processes, and whether the gradients in this one are ``finite``."""

    tally: Tally
    finite: bool


class Step:
    """Runs steps of a net. ``parts``: in so many pieces is a batch computed, to save memory; the sum is the same.

    Raises MeshError for parts of a net whose layers need the whole batch at once.
    """

    def __init__(
        self,
        net: TrainableNet,
        world: World,
        optimizer: PaperSGD,
        pixels: Pixels,
        precision: Precision = "float32",
        parts: int = 1,
    ) -> None:
        check_parts(net, parts)
        self._net, self._world, self._optimizer, self._pixels = net, world, optimizer, pixels
        self._precision, self._parts = precision, parts
        self._parameters = net.parameters()

    def gradients(self, batch: Batch, total: int, key: int) -> Gradients:
        """Fill the gradients of the mean loss over a batch of ``total`` images, of which this process has some.

        It waits for the device once, at its end.
        """
        self._net.module.train()
        self._optimizer.zero_grad(set_to_none=True)
        every = [self._backward(piece, total, key) for piece in _pieces(batch, self._parts)]
        counted = [part for part in every if part is not None]
        sums = reduce(torch.add, counted) if counted else torch.zeros(4, dtype=torch.float64)
        self._world.sum_gradients({self._net.canonical(name): p for name, p in self._parameters.items()})
        norm = get_total_norm(self.all_gradients.values()).double()
        *numbers, length = torch.cat([sums.to(norm.device, non_blocking=True), norm.view(1)]).tolist()
        count, loss, top1, top5 = self._world.total(numbers)
        return Gradients(Tally(int(count), loss, int(top1), int(top5)), math.isfinite(length))

    @property
    def all_gradients(self) -> dict[str, Tensor]:
        """Those of the last batch in this process, by the names that the parameters have here."""
        return {name: p.grad for name, p in self._parameters.items() if p.grad is not None}

    def update(self, rate: float, rate_b: float) -> None:
        """Change the parameters by the gradients."""
        self._optimizer.set_rates(rate, rate_b)
        self._optimizer.step()

    def _backward(self, batch: Batch, total: int, key: int) -> Tensor | None:
        """The `tally` of these images, on their device; None where another process has their scores."""
        self._net.draw(key, batch.first)
        images = self._pixels(batch.images, batch.noise)
        with torch.autocast(images.device.type, torch.bfloat16, enabled=self._precision == "bf16"):
            logits = self._net.logits(images)
        anchor = self._net.anchor()
        if logits is None:
            if anchor is not None:
                torch.autograd.backward(anchor)
            return None
        labels = batch.labels.to(logits.device, non_blocking=True)
        loss = cross_entropy(logits.float(), labels, reduction="sum")
        share = loss / total
        torch.autograd.backward(share if anchor is None else share + anchor)
        return tally(logits.detach(), labels, loss.detach())


def check_parts(net: TrainableNet, parts: int) -> None:
    """Refuse parts of a batch for a net that cannot have them. Raises MeshError."""
    if parts > 1:
        check_shares(net, f"--parts {parts}", "train without --parts")


def _pieces(batch: Batch, parts: int) -> Iterator[Batch]:
    if parts == 1:
        yield batch
        return
    noise = batch.noise.tensor_split(parts) if batch.noise is not None else [None] * parts
    first = batch.first
    for images, labels, colour in zip(
        batch.images.tensor_split(parts), batch.labels.tensor_split(parts), noise, strict=True
    ):
        if len(labels):
            yield replace(batch, images=images, labels=labels, noise=colour, first=first)
        first += len(labels)
