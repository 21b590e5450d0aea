"""What a run is made of: recipe, data, net, processes, folder, options. It runs nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from netspec_runtime.data.prepared import PreparedData
from netspec_runtime.training.net import TrainableNet
from netspec_runtime.training.recipe import PictureRecipe, Recipe, ViewCount
from netspec_runtime.training.run import RunFolder
from netspec_runtime.training.step import Precision
from netspec_runtime.training.world import World


@dataclass(frozen=True)
class Options:
    """How a run goes. None of it changes what is computed, but for the rounding of ``precision`` and ``parts``.

    ``workers``: threads that prefetch batches. ``parts``: in how many pieces a batch is computed. A checkpoint is
    written at the end of each epoch, after every ``save_every`` steps if that is not 0, and when ``save_seconds`` have
    passed since the last. ``views`` are those of the test after each epoch. The run ends early after an epoch whose
    training error is at most ``until``.
    """

    workers: int = 2
    precision: Precision = "float32"
    channels_last: bool = False
    parts: int = 1
    save_every: int = 0
    save_seconds: float = 600.0
    log_every: int = 20
    views: ViewCount = 1
    until: float = -1.0


@dataclass(frozen=True)
class Job:
    """A run. ``identity`` is what a resumed run must have in common with its checkpoints: spec, data, seed."""

    recipe: Recipe
    pictures: PictureRecipe
    data: PreparedData
    classes: int
    net: TrainableNet
    world: World
    folder: RunFolder
    identity: Mapping[str, str]
    options: Options = Options()
