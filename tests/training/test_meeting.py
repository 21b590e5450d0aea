"""Processes find those of their own start, though the store still holds what an earlier start left."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from torch.distributed import TCPStore  # type: ignore[attr-defined]  # torch documents it, and does not export it

from netspec_runtime.errors import EnvironmentProblem
from netspec_runtime.training.launch import Launch
from netspec_runtime.training.meeting import meet

SIZE = 3


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> TCPStore:
    """The store that torchrun keeps over all starts."""
    store = TCPStore("127.0.0.1", 0, None, True, wait_for_workers=False)
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    monkeypatch.setenv("MASTER_PORT", str(store.port))
    monkeypatch.setenv("TORCHELASTIC_USE_AGENT_STORE", "True")
    return store


def start() -> list[str]:
    """All processes meet; the first leaves a word for the others. What each reads."""

    def process(rank: int) -> str:
        store = meet(Launch(rank, SIZE, rank, SIZE, 0))
        if rank == 0:
            assert not store.check(["word"]), "an earlier start's"
            store.set("word", uuid4().hex)
        return store.get("word").decode()

    with ThreadPoolExecutor(SIZE) as pool:
        return list(pool.map(process, range(SIZE)))


def test_each_start_has_a_store_of_its_own(server: TCPStore) -> None:
    server.set("netspec/hello/2", "a process that died before anyone answered")
    words = [start() for _ in range(3)]
    assert all(len(set(each)) == 1 for each in words)
    assert len({each[0] for each in words}) == 3


def test_without_an_address_there_is_no_meeting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MASTER_ADDR", raising=False)
    with pytest.raises(EnvironmentProblem, match="start with torchrun"):
        meet(Launch(1, 2, 1, 2, 0))
