"""Work ahead by threads: order, errors at their turn, bounds, and threads that end."""

from __future__ import annotations

import threading
import time
from itertools import count

import pytest

from netspec_runtime.errors import DataError
from netspec_runtime.prefetch import in_order

WORKERS = [0, 1, 2, 4]


def running() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("netspec-input")]


@pytest.mark.parametrize("workers", WORKERS)
def test_results_come_in_the_order_of_jobs(workers: int) -> None:
    def make(job: int) -> int:
        time.sleep(0.01 if job % 3 == 0 else 0.0)  # later jobs end earlier
        return job * job

    assert list(in_order(make, range(20), workers)) == [n * n for n in range(20)]
    assert running() == []


@pytest.mark.parametrize("workers", WORKERS)
def test_an_error_comes_at_its_turn(workers: int) -> None:
    def make(job: int) -> int:
        if job == 3:
            raise DataError("photos", "broken", "mend them")
        return job

    results = in_order(make, count(), workers)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(DataError, match="broken"):
        next(results)
    assert running() == []


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_threads_are_never_far_ahead(workers: int) -> None:
    begun: list[int] = []

    def make(job: int) -> int:
        begun.append(job)
        return job

    results = in_order(make, count(), workers)
    for asked in range(5):
        next(results)
        time.sleep(0.02)
        assert asked + 1 < len(begun) <= asked + 1 + 2 * workers
    results.close()


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_closing_ends_the_threads_after_at_most_one_job_each(workers: int) -> None:
    begun: list[int] = []
    gate = threading.Event()

    def make(job: int) -> int:
        begun.append(job)
        if job > 0:
            gate.wait(10)
        return job

    results = in_order(make, count(), workers)
    next(results)
    threading.Timer(0.05, gate.set).start()
    while len(begun) < 1 + workers:
        time.sleep(0.001)
    results.close()
    assert len(begun) <= 1 + workers
    assert running() == []


def test_a_generator_that_is_dropped_ends_its_threads_too() -> None:
    results = in_order(lambda job: job, count(), 2)
    next(results)
    assert running()
    del results
    assert running() == []
