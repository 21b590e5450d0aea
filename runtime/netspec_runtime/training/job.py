"""What a run is made of: recipe, data, net, processes, folder, options. It runs nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from netspec_runtime.data.prepared import UNLABELLED, PreparedData, Split
from netspec_runtime.preprocess import ViewCount
from netspec_runtime.training.arithmetic import Precision
from netspec_runtime.training.batches import global_batch, steps_per_epoch
from netspec_runtime.training.net import TrainableNet
from netspec_runtime.training.recipe import PictureRecipe, Recipe
from netspec_runtime.training.run import RunFolder
from netspec_runtime.training.world import World


@dataclass(frozen=True)
class Options:
    """How a run goes. ``views`` and ``until`` change what comes of it, and some others its rounding.

    ``views`` are those of the test after each epoch, by which the best weights and a plateau are found. With ``until``
    the run ends early, after an epoch whose training error is at most that. ``precision``, ``channels_last`` and
    ``parts`` change the rounding: in how many pieces a batch is computed, which a net with batch normalisation refuses.
    ``workers``: threads that prefetch batches. A checkpoint is written at the end of each epoch, after every
    ``save_every`` steps if that is not 0, and when ``save_seconds`` have passed since the last.
    """

    workers: int = 2
    precision: Precision = "float32"
    channels_last: bool = False
    parts: int = 1
    save_every: int = 0
    save_seconds: float = 600.0
    log_every: int = 20
    views: ViewCount = 1
    until: float | None = None


@dataclass(frozen=True)
class Job:
    """A run. ``identity`` is what a resumed run must have in common with its checkpoints: spec, data set."""

    recipe: Recipe
    pictures: PictureRecipe
    data: PreparedData
    classes: int
    net: TrainableNet
    world: World
    folder: RunFolder
    identity: Mapping[str, str]
    options: Options = Options()

    @property
    def batch(self) -> int:
        """Images a step: the recipe's, or all there are."""
        return global_batch(len(self.data.splits["train"]), self.recipe.batch)

    @property
    def test_pictures(self) -> Split | None:
        """Those that the net is tested on after each epoch; None where there are none, or none has a label."""
        split = self.data.splits.get("test")
        return None if split is None or (split.labels == UNLABELLED).all() else split

    @property
    def steps_per_epoch(self) -> int:
        return steps_per_epoch(len(self.data.splits["train"]), self.recipe.batch)

    @property
    def steps(self) -> int:
        """Of the whole run."""
        return self.steps_per_epoch * self.recipe.epochs
