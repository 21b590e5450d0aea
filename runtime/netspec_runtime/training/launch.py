"""How many processes torchrun started, and in which mesh they train: words to numbers. It starts and joins nothing."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

import torch

from netspec_runtime.errors import EnvironmentProblem, OneLineError


class MeshError(OneLineError):
    """The mesh that was asked for does not fit the processes or the net. Exit code 2, as for wrong usage."""

    exit_code: ClassVar[int] = 2


@dataclass(frozen=True)
class Launch:
    """What torchrun tells each process; ``restarts`` counts how often it has started all of them again."""

    rank: int
    size: int
    local_rank: int
    local_size: int
    restarts: int

    @classmethod
    def of_environment(cls) -> Self | None:
        """None where this process is alone. Raises EnvironmentProblem for variables that make no sense."""
        if os.environ.get("WORLD_SIZE", "1") == "1":
            return None
        names = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE")
        try:
            rank, size, local_rank, local_size = (int(os.environ[name]) for name in names)
            restarts = int(os.environ.get("TORCHELASTIC_RESTART_COUNT", "0"))
        except (KeyError, ValueError) as error:
            fix = "start with torchrun, or unset WORLD_SIZE"
            raise EnvironmentProblem("WORLD_SIZE", f"torchrun's other variables are not set: {error}", fix) from None
        return cls(rank, size, local_rank, local_size, restarts)

    def device(self, kind: str) -> torch.device:
        """This process's own: ``cpu``, or the GPU of its number on the machine. Raises EnvironmentProblem."""
        if kind == "cpu":
            return torch.device("cpu")
        gpus = torch.cuda.device_count()
        if gpus < self.local_size:
            found = f"{self.local_size} processes on this machine, and {gpus} GPU{'' if gpus == 1 else 's'}"
            fix = f"torchrun --nproc-per-node {gpus}, or --devices cpu" if gpus else "--devices cpu"
            raise EnvironmentProblem("--devices cuda", found, fix)
        return torch.device("cuda", self.local_rank)


def launch_mark() -> str | None:
    """A word that the first process has in all starts by one torchrun, and in no others; None without torchrun.

    It is torchrun's own name of the run, and where nobody chose one ("none") also that of torchrun's process.
    """
    name = os.environ.get("TORCHELASTIC_RUN_ID")
    if name != "none":
        return name
    agent = os.getppid()
    return f"{name} {agent} {_started(agent)}"


def _started(process: int) -> str:
    """When a process began, in the system's ticks: its number is given anew some day."""
    try:
        status = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:  # no Linux
        return ""
    return status.rpartition(")")[2].split()[19]  # proc(5): the name before may have blanks


@dataclass(frozen=True)
class MeshShape:
    """``data`` groups of ``tower`` processes: a group shares the net, the groups share the batch.

    With ``trick`` (Krizhevsky 2014) the processes of the one group share the batch up to the first fully-connected
    layer, and that and what follows by units.
    """

    data: int = 1
    tower: int = 1
    trick: bool = False

    @property
    def processes(self) -> int:
        """How many take part."""
        return self.data * self.tower

    @classmethod
    def chosen(cls, text: str | None, size: int, devices: int) -> Self:
        """``data=2,tower=2`` or ``trick=4``, for ``size`` processes and a spec that names so many devices.

        Without a text the net is shared as its spec says. Raises MeshError.
        """
        if text is None:
            if size % devices:
                reason = f"the spec's {devices} devices do not divide {size} processes"
                raise MeshError("--mesh", reason, f"whole nets: --mesh data={size}")
            return cls(size // devices, devices)
        shape = cls.parsed(text)
        where = f"--mesh {text}"
        if shape.processes != size:
            reason = f"that is {shape.processes} processes, and torchrun started {size}"
            raise MeshError(where, reason, f"--nproc-per-node {shape.processes}, or --mesh data={size}")
        if shape.tower not in (1, devices) and not shape.trick:
            names = f"{devices} device{'' if devices == 1 else 's'}"
            fix = f"--mesh data={size}" + (f", or tower={devices}" if devices > 1 else ", or `gpu: [0, 1]` in the spec")
            raise MeshError(where, f"{shape.tower} towers for a spec that names {names}", fix)
        return shape

    @classmethod
    def parsed(cls, text: str) -> Self:
        """The words alone. Raises MeshError."""
        fields = [re.fullmatch(r"(data|tower|trick)=([1-9][0-9]{0,4})", part) for part in text.split(",")]
        sizes = {field[1]: int(field[2]) for field in fields if field}
        if len(sizes) < len(fields) or ("trick" in sizes and len(sizes) > 1):
            raise MeshError(f"--mesh {text}", "not a mesh", "for instance data=2, data=2,tower=2 or trick=2")
        if "trick" in sizes:
            return cls(tower=sizes["trick"], trick=True)
        return cls(sizes.get("data", 1), sizes.get("tower", 1))
