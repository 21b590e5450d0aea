"""Work done ahead by threads, its results in order. It knows nothing of pictures."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")


def in_order(make: Callable[[Job], Result], jobs: Iterable[Job], workers: int) -> Generator[Result, None, None]:
    """``make`` of each job, in the order of the jobs; ``workers`` threads are at most two jobs each ahead.

    With 0 workers each job is done when it is asked for. What a job raises is raised at its turn. Closing the generator
    ends the threads: they finish what they have begun, which is one job each.
    """
    if workers == 0:
        yield from map(make, jobs)
        return
    remaining = iter(jobs)
    pool = ThreadPoolExecutor(workers, thread_name_prefix="netspec-input")
    try:
        ahead: deque[Future[Result]] = deque(pool.submit(make, job) for job in islice(remaining, 2 * workers))
        while ahead:
            result = ahead.popleft().result()
            ahead.extend(pool.submit(make, job) for job in islice(remaining, 1))
            yield result
    finally:
        pool.shutdown(cancel_futures=True)
