"""Where a run is: all that its weights and its momentum do not say. Every checkpoint holds it as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from netspec_runtime.training.recipe import Recipe
from netspec_runtime.training.schedule import Plateau
from netspec_runtime.training.step import NOTHING, Tally


@dataclass(frozen=True)
class Position:
    """After ``step`` steps, of which the current epoch's pictures so far are counted in ``epoch``.

    ``logged`` counts those since the last record of training. ``tested`` is how many epochs have their test. ``best``
    is the least error of them, None before the first. ``seconds`` are those of training, tests not counted, and
    ``logged_at`` what they were at that record. ``ended``: before the last step, as ``learned``, the training error
    of the last whole epoch (None before the first), was low enough.
    """

    weights: Plateau
    biases: Plateau
    step: int = 0
    tested: int = 0
    epoch: Tally = NOTHING
    logged: Tally = NOTHING
    best: float | None = None
    seconds: float = 0.0
    logged_at: float = 0.0
    ended: bool = False
    learned: float | None = None

    @classmethod
    def start(cls, recipe: Recipe) -> Self:
        """Before the first step."""
        return cls(Plateau.of(recipe.lr), Plateau.of(recipe.lr_b))

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> Self:
        """What `as_json` gave. Raises KeyError or TypeError for anything else."""
        parts = {
            "weights": Plateau(**state["weights"]),
            "biases": Plateau(**state["biases"]),
            "epoch": Tally(**state["epoch"]),
            "logged": Tally(**state["logged"]),
        }
        return cls(**{**state, **parts})
