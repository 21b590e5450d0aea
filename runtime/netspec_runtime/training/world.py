"""The processes that train one net together, seen from one of them; ``Alone`` is the usual one. It sends no tensors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

import torch


class World(Protocol):
    """What the training loop asks of the processes around it.

    A process computes ``rows`` of every batch. It is told to be one of several by torchrun's variables only.
    """

    rank: int
    size: int

    def rows(self, batch: int) -> slice:
        """Which images of a batch of so many this process computes."""

    def sum_gradients(self, parameters: Mapping[str, torch.nn.Parameter]) -> None:
        """Make each gradient, by canonical name, that of the whole batch: every process has its images' share of it."""

    def total(self, numbers: Iterable[float]) -> list[float]:
        """The sums of these numbers over all processes that count images."""

    def any(self, flag: bool) -> bool:
        """Whether it holds in any process: a wish to stop is everyone's."""

    def share(self, text: str) -> str:
        """The first process's text, in every process."""

    def barrier(self) -> None:
        """Wait for everyone."""

    def leave(self) -> None:
        """Let go of the others, when all is computed."""


class Alone:
    """One process."""

    rank = 0
    size = 1

    def rows(self, batch: int) -> slice:
        return slice(0, batch)

    def sum_gradients(self, parameters: Mapping[str, torch.nn.Parameter]) -> None:
        return

    def total(self, numbers: Iterable[float]) -> list[float]:
        return list(numbers)

    def any(self, flag: bool) -> bool:
        return flag

    def share(self, text: str) -> str:
        return text

    def barrier(self) -> None:
        return

    def leave(self) -> None:
        return
