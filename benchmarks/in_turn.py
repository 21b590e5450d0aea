"""Ways of doing one thing, run in turn in one process, compared by the median. Only ratios are worth anything."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Timing:
    """One side: the median of its runs in seconds, and relative to the first side."""

    name: str
    seconds: float
    ratio: float


def in_turn(sides: Mapping[str, Callable[[], object]], rounds: int, warm_up: int = 1) -> list[Timing]:
    """Run every side ``rounds`` times, one after the other in each round, so that drift hits all alike."""
    times: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(warm_up + rounds):
        for name, run in sides.items():
            start = time.perf_counter()
            run()
            if number >= warm_up:
                times[name].append(time.perf_counter() - start)
    medians = {name: median(values) for name, values in times.items()}
    first = next(iter(medians.values()))
    return [Timing(name, value, value / first) for name, value in medians.items()]


def show(title: str, timings: list[Timing]) -> None:
    """Print one table; the first side is 1.00."""
    print(f"\n{title}")
    width = max(len(timing.name) for timing in timings)
    for timing in timings:
        print(f"  {timing.name:<{width}}  {timing.seconds * 1000:9.1f} ms  x {timing.ratio:.2f}")
