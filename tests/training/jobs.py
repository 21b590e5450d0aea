"""Jobs in this process, and worlds of two processes played by two threads. No tests."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Queue
from typing import Any

import torch
from torch import Tensor

from netspec.pipeline import Compiled, compile_spec
from netspec.processes import NetOptions, open_net
from netspec.spec.load import load_text
from netspec.train import initial_weights, make_job
from netspec_runtime.data.open import open_prepared
from netspec_runtime.training.job import Job, Options
from netspec_runtime.training.run import RunFolder
from netspec_runtime.training.world import Alone, World
from tests.e2e.runs import SPEC, write_data

PATIENCE = 60  # seconds


def compiled(text: str = SPEC) -> Compiled:
    return compile_spec(load_text(text))


def job(
    place: Path,
    *,
    text: str = SPEC,
    run: str = "run",
    devices: str = "cpu",
    world: World | None = None,
    **options: Any,
) -> Job:
    """A small run in ``place``, where its data are made at first use."""
    made, data, folder = compiled(text), place / "data", place / run
    if not data.exists():
        write_data(data)
    folder.mkdir(exist_ok=True)
    net, _, _ = open_net(made, NetOptions(devices))
    chosen = Options(**{"workers": 0, **options})
    return make_job(made, open_prepared(data), net, world or Alone(), RunFolder(folder, "tiny"), chosen)


def initial(text: str = SPEC) -> dict[str, Tensor]:
    arrays, _ = initial_weights(compiled(text), None)
    return {name: torch.from_numpy(array) for name, array in arrays.items()}


class Meeting:
    """Where two threads meet."""

    def __init__(self) -> None:
        self.barrier = threading.Barrier(2)
        self.said: Queue[str] = Queue()


class Half:
    """The world of one of two threads. Both compute the whole batch, so gradients need no sum."""

    size = 2

    def __init__(self, rank: int, meeting: Meeting) -> None:
        self.rank, self._meeting = rank, meeting

    def rows(self, batch: int) -> slice:
        return slice(0, batch)

    def sum_gradients(self, parameters: Mapping[str, torch.nn.Parameter]) -> None:
        self.barrier()

    def total(self, numbers: Iterable[float]) -> list[float]:
        self.barrier()
        return list(numbers)

    def any(self, flag: bool) -> bool:
        self.barrier()
        return flag

    def share(self, text: str) -> str:
        """As a broadcast, it does not wait for those who are to hear it."""
        if self.rank == 0:
            self._meeting.said.put(text)
            return text
        return self._meeting.said.get(timeout=PATIENCE)

    def barrier(self) -> None:
        self._meeting.barrier.wait(PATIENCE)

    def leave(self) -> None:
        return


def both(first: Any, second: Any) -> tuple[Any, Any]:
    """What two functions return that run at the same time."""
    with ThreadPoolExecutor(2) as pool:
        futures = pool.submit(first), pool.submit(second)
        return futures[0].result(PATIENCE), futures[1].result(PATIENCE)
