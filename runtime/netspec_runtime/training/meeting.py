"""Where the processes of a run find each other: a store of their own, also after a restart. It makes no groups."""

from __future__ import annotations

import os
import time
from typing import Final
from uuid import uuid4

from torch.distributed import TCPStore  # type: ignore[attr-defined]  # torch documents it, and does not export it
from torch.distributed.distributed_c10d import PrefixStore, Store

from netspec_runtime.errors import EnvironmentProblem
from netspec_runtime.training.launch import Launch
from netspec_runtime.training.peers import PATIENCE

_PAUSE: Final = 0.02  # seconds between two looks


def meet(launch: Launch) -> Store:
    """A store that only these processes have. Raises EnvironmentProblem, and RuntimeError where nobody answers.

    torchrun keeps one store over all restarts, and in it the addresses of processes that are gone. So each process
    says a word that nobody said before, and the first one answers all of them with the name of this session.
    """
    store = _open(launch)
    word = uuid4().hex
    if launch.rank != 0:
        store.set(f"netspec/hello/{launch.rank}", word)
        session = store.get(f"netspec/session/{word}").decode()
        store.set(f"netspec/{session}/{launch.rank}", "here")
    else:
        session = word
        _answer(store, session, launch.size)
    return PrefixStore(f"netspec/{session}", store)


def _open(launch: Launch) -> Store:
    try:
        host, port = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
    except (KeyError, ValueError) as error:
        reason = f"not set as torchrun sets it: {error}"
        raise EnvironmentProblem("MASTER_ADDR and MASTER_PORT", reason, "start with torchrun") from None
    serves = launch.rank == 0 and os.environ.get("TORCHELASTIC_USE_AGENT_STORE") != "True"
    store: Store = TCPStore(host, port, None, serves, timeout=PATIENCE, wait_for_workers=False)
    return store


def _answer(store: Store, session: str, size: int) -> None:
    """Tell the session to whoever says hello, until all know it. An old word is answered too, and does no harm."""
    expected = set(range(1, size))
    end = time.monotonic() + PATIENCE.total_seconds()
    while expected:
        for rank in sorted(expected):
            if store.check([f"netspec/hello/{rank}"]):
                store.set(f"netspec/session/{store.get(f'netspec/hello/{rank}').decode()}", session)
        expected = {rank for rank in expected if not store.check([f"netspec/{session}/{rank}"])}
        if time.monotonic() > end:
            raise RuntimeError(f"processes {sorted(expected)} did not come")
        time.sleep(_PAUSE)
