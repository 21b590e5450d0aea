"""What someone should know of a run before its first step, and may not expect. Nothing here is an error."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from netspec.cli.arguments import DATA_CACHE

if TYPE_CHECKING:  # torch: `netspec --help` must not load it
    from netspec.pipeline import Compiled
    from netspec_runtime.training.job import Job


def remarks(compiled: Compiled, job: Job) -> Iterator[str]:
    """Of raw pictures, a recipe that nobody wrote, data that cannot tell how good a net is, views that are one."""
    from netspec.cli.prepare_report import no_picture_of
    from netspec_runtime.class_names import other_names
    from netspec_runtime.data.manifest import QUARANTINE, read_manifest
    from netspec_runtime.data.prepare import OTHER_CACHE

    recipe, prepared = job.recipe, read_manifest(job.data.path).origin
    if job.data.path.parent in (DATA_CACHE, DATA_CACHE.with_name(OTHER_CACHE)) and prepared.sources:
        count = prepared.quarantined
        bad = f", {count:,} bad file{'s' * (count > 1)} left out (see its {QUARANTINE})" if count else ""
        yield f"the pictures are prepared in {job.data.path}{bad}"
    if ("train",) not in compiled.spec.spans.keys:
        yield (
            f"note: the spec has no `train`, so {recipe.epochs} epochs in batches of {recipe.batch}, rate "
            f"{recipe.lr.start:g}, momentum {recipe.momentum:g}, decay {compiled.spec.train.decay:g}; "
            "write another, or --set train.epochs=10"
        )
    if job.test_pictures is None:
        yield (
            "note: there are no test pictures with labels, so the best weights are those of the least training error; "
            "`netspec prepare --holdout 0.1` sets some aside"
        )
    absent = job.data.absent("train")
    if absent:
        yield f"note: {no_picture_of(absent)}"
    labels = compiled.spec.labels
    other = other_names(labels, job.data.classes) if isinstance(labels, tuple) else ""
    if other:
        yield f"note: {other}"
    if job.classes == 1:
        yield "note: there is one class, so every answer is right and nothing is learned; add pictures of another class"
    if job.options.views == 10 and job.pictures.prepared == job.pictures.crop:
        height, width = job.pictures.crop
        yield (
            "note: the ten test views are all the same crop, or its reflection, as pictures are prepared at its size, "
            f"{height} x {width}; a `data.resize` above {max(height, width)} leaves room for others"
        )
    if job.batch < recipe.batch:
        yield f"note: train.batch is {recipe.batch}, and there are {job.batch} pictures: each batch has all of them"


def begin_line(job: Job, step: int, folder: Path) -> str:
    """What is trained on what, and from which step on; ``folder`` is the run's, as people write it."""
    train, test = job.data.splits["train"], job.test_pictures or ()
    pictures = f"{len(train):,} pictures to learn from, {len(test):,} to test"
    where = f"from step {step:,} of {job.steps:,}" if step else f"{job.steps:,} steps"
    return f"{folder}: {pictures}; {where}, {job.batch} pictures each"
