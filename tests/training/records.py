"""Records of made-up runs. No tests."""

from __future__ import annotations

import math

from netspec_runtime.training.metrics import EpochRecord, EventRecord, Record, TrainRecord

TIMES = frozenset({"seconds", "images_per_second"})  # the fields that differ between two equal runs


def epochs(count: int, top5: bool = True, steps: int = 10) -> list[EpochRecord]:
    """Errors that fall; the rate falls three times."""
    found = []
    for epoch in range(1, count + 1):
        error = 0.1 + 0.8 * math.exp(-4 * epoch / count)
        rate = 0.01 / 10 ** (4 * epoch // (count + 1))
        found.append(
            EpochRecord(
                step=epoch * steps,
                epoch=epoch,
                train_loss=2 * error,
                train_top1_error=0.8 * error,
                train_top5_error=0.3 * error if top5 else 0.0,
                test_loss=2.1 * error,
                test_top1_error=error,
                test_top5_error=0.4 * error if top5 else 0.0,
                lr=rate,
                lr_b=2 * rate,
                seconds=61.5 * epoch,
            )
        )
    return found


def train(step: int, steps: int = 10) -> TrainRecord:
    return TrainRecord(step, (step - 1) // steps + 1, 1 / step, 0.5, 0.25, 812.3, 0.01, 0.02, step / 3)


def run(count: int, steps: int = 10) -> list[Record]:
    """Each epoch's training records, its end, and one event."""
    found: list[Record] = []
    for end in epochs(count, steps=steps):
        found += [train(end.step - steps + done, steps) for done in (steps // 2, steps)]
        found += [EventRecord(end.step, end.epoch, "advice", "try é\nthis"), end]
    return found
