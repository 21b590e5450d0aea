"""The groups that one process of several is in, and what to say when another is gone. It sends nothing itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Self, cast

import torch
import torch.distributed as dist
from torch.distributed import ProcessGroup
from torch.distributed.distributed_c10d import Store

from netspec_runtime.errors import EnvironmentProblem
from netspec_runtime.training.launch import Launch, MeshShape

PATIENCE: Final = timedelta(minutes=10)  # one process may read data or save for so long while others wait


@dataclass(frozen=True)
class Peers:
    """The groups of one process. ``tower`` and ``data`` carry tensors of its device; the others small CPU tensors."""

    launch: Launch
    shape: MeshShape
    device: torch.device
    everyone: ProcessGroup
    tower: ProcessGroup
    tower_control: ProcessGroup
    data: ProcessGroup

    @classmethod
    def join(cls, store: Store, launch: Launch, shape: MeshShape, device: torch.device) -> Self:
        """Make the groups, by NCCL on GPUs, else gloo, with all processes. Raises EnvironmentProblem."""
        on_gpu = device.type == "cuda"
        with no_one_lost():
            if on_gpu:
                torch.cuda.set_device(device)
            dist.init_process_group(
                "nccl" if on_gpu else "gloo",
                store=store,
                rank=launch.rank,
                world_size=launch.size,
                timeout=PATIENCE,
                device_id=device if on_gpu else None,
            )
            everyone = dist.new_group(backend="gloo", timeout=PATIENCE)
            towers = [list(range(d * shape.tower, (d + 1) * shape.tower)) for d in range(shape.data)]
            copies = [list(range(t, launch.size, shape.tower)) for t in range(shape.tower)]
            tower, data = _own_group(towers, launch.rank), _own_group(copies, launch.rank)
            control = _own_group(towers, launch.rank, "gloo") if on_gpu else tower
            for group in (tower, data):  # NCCL wants all of a group in its first call
                dist.all_reduce(torch.zeros(1, device=device), group=group)
        return cls(launch, shape, device, everyone, tower, control, data)

    @property
    def tower_number(self) -> int:
        return self.launch.rank % self.shape.tower

    @property
    def data_number(self) -> int:
        return self.launch.rank // self.shape.tower

    def leave(self) -> None:
        """Let go of all groups, at the end of the process."""
        dist.destroy_process_group()


def _own_group(all_ranks: list[list[int]], rank: int, backend: str | None = None) -> ProcessGroup:
    """Every process makes every group, in the same order; the one that this process is in."""
    groups = [dist.new_group(ranks, timeout=PATIENCE, backend=backend) for ranks in all_ranks]
    return cast(ProcessGroup, next(g for g, ranks in zip(groups, all_ranks, strict=True) if rank in ranks))


@contextmanager
def no_one_lost() -> Iterator[None]:
    """Turn what torch raises when another process has ended into a line. Raises EnvironmentProblem."""
    try:
        yield
    except RuntimeError as error:  # gloo raises this itself; NCCL and the store subclasses of it
        said = (str(error).strip() or "no reason given").splitlines()[0]
        reason = re.sub(r"^\[\S+\] ", "", said).partition(". ")[0][:200]  # without the place in torch's source
        fix = "see what it said; `torchrun --max-restarts 3` starts all again from the last checkpoint"
        raise EnvironmentProblem("torchrun", f"another process is gone: {reason}", fix) from error
