"""A run's state to and from its folder: checkpoints and the best weights. It takes no steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from netspec_runtime.errors import DataError
from netspec_runtime.training.checkpoint import Checkpoint, Checkpoints, write_best
from netspec_runtime.training.job import Job
from netspec_runtime.training.net import State
from netspec_runtime.training.optimizer import PaperSGD
from netspec_runtime.training.position import Position
from netspec_runtime.training.watch import Diverged, Watch, not_finite


@dataclass(frozen=True)
class Restored:
    """What a run goes on from, and a sentence for each damaged checkpoint that was passed over."""

    position: Position
    damaged: tuple[str, ...]


class Keeper:
    """Saves and restores one run. Every process of its world calls the same methods; the first one writes."""

    def __init__(self, job: Job, optimizer: PaperSGD, watch: Watch) -> None:
        self._job, self._optimizer, self._watch = job, optimizer, watch
        self._checkpoints = Checkpoints(job.folder.checkpoints)
        self.last: str | None = None  # the newest checkpoint's note
        self.pictures: Sequence[int] = ()  # those of the last batch, to be named where it made numbers not finite

    def restore(self) -> Restored | None:
        """Take the last good checkpoint, the one that the first process finds; None before the first.

        Raises DataError where the checkpoints are another run's or another version's, all damaged, or not there in this
        process.
        """
        checkpoint, damaged = self._found()
        if checkpoint is None:
            return None
        try:
            self._require_same(checkpoint.state["identity"])
            self.take(checkpoint.weights)
            self._optimizer.load(self._job.net.distribute(checkpoint.momentum), checkpoint.state["rates"])
            self._watch.load(checkpoint.state["watch"])
            position = Position.from_json(checkpoint.state["position"])
        except (KeyError, TypeError) as other:  # the file is whole: its seal was checked
            what = f"they have no {other}" if isinstance(other, KeyError) else f"{other}"
            reason = f"its checkpoints are of another version of netspec: {what}"
            fix = "resume with that version, or start a new run (--init-from takes this one's weights)"
            raise DataError(str(self._job.folder.path), reason, fix) from None
        self.last = f"that of step {checkpoint.step:,}"
        return Restored(position, tuple(damaged))

    def _found(self) -> tuple[Checkpoint | None, list[str]]:
        """What all processes go on from: one that looked later would see what the first one has saved since."""
        world = self._job.world
        if world.rank == 0:  # it holds the run's lock
            self._checkpoints.claim()
            found, damaged = self._checkpoints.latest()
            world.share("" if found is None else str(found.step))
            return found, damaged
        step = world.share("")
        return (self._checkpoints.at(int(step)) if step else None), []

    def take(self, weights: Mapping[str, Tensor]) -> None:
        """Weights by their names in the merged net become the net's."""
        self._job.net.module.load_state_dict(self._job.net.distribute(weights), strict=False)

    def save(self, position: Position) -> None:
        """Write a checkpoint. Raises DataError where the disk refuses.

        Raises Diverged, in every process and before anything is written, if a weight or a momentum is not finite.
        """
        weights = self._weights(position.step)
        momentum = self._job.net.collect(self._optimizer.state_tensors())
        self._require_finite(position.step, momentum, "the momentum of ")
        state: dict[str, Any] = {
            "identity": dict(self._job.identity),
            "position": position.as_json(),
            "rates": self._optimizer.rates(),
            "watch": self._watch.state(),
        }
        saved = ""
        if self._job.world.rank == 0:
            saved = str(self._checkpoints.save(Checkpoint(position.step, weights, momentum, state)))
        self.last = self._job.world.share(saved)  # one on another machine tells of it too
        self._job.world.barrier()

    def keep_best(self, step: int, epoch: int, error: float) -> None:
        """Write the weights as those of the least error so far. Raises as `save` does."""
        weights = self._weights(step)
        if self._job.world.rank == 0:
            write_best(self._job.folder.path, weights, {"step": step, "epoch": epoch, "error": error})

    def _weights(self, step: int) -> State:
        weights = self._job.net.collect(self._job.net.module.state_dict())
        self._require_finite(step, weights)
        return weights

    def _require_finite(self, step: int, tensors: State, of: str = "") -> None:
        if bad := not_finite(tensors):
            raise self.diverged(step, f"{of}{bad[0]} is not finite")

    def diverged(self, step: int, what: str, tested: bool = False) -> Diverged:
        """The error that ends the run; one that was ``tested`` for is not that of the last batch's pictures."""
        pictures = () if tested else self.pictures
        return Diverged(step, what, pictures, self.last, self._job.pictures.unscaled)

    def _require_same(self, identity: Mapping[str, str]) -> None:
        for what, value in self._job.identity.items():
            if identity.get(what) != value:
                reason = f"its checkpoints were made with another {what}"
                fix = "resume with the same, or start a new run (--init-from takes this one's weights)"
                raise DataError(str(self._job.folder.path), reason, fix)
