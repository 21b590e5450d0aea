"""The pictures that a command counts errors on: which they are, and as a net takes them. It opens no nets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from netspec.cli.arguments import DATA_CACHE
from netspec.cli.prepare import preparing
from netspec_runtime.errors import DataError
from netspec_runtime.terminal import complain

if TYPE_CHECKING:
    from netspec.pipeline import Compiled
    from netspec_runtime.card import Preprocessing
    from netspec_runtime.data.prepared import PreparedData
    from netspec_runtime.training.run import RunFolder


def data_of_runs(models: Iterable[str]) -> Path | None:
    """What the first of them that is a run was trained on, drawn again if netspec drew it; None if none is a run.

    Says of other runs that they learned from other pictures. Raises DataError for pictures that are gone.
    """
    from netspec.runs import data_of, present_data_of
    from netspec_runtime.data.shapes import ensure_shapes

    runs = list(_runs(models))
    if not runs:
        return None
    source = present_data_of(runs[0], "say where they are with --data")
    place = source or ensure_shapes(DATA_CACHE / "shapes").path
    others = [run for run in runs[1:] if data_of(run) != source]
    if others:
        named = ", ".join(str(run.path) for run in others)
        complain(f"{named}: trained on other data; all are judged on those of {runs[0].path}, {place}")
    return place


def learned_by(models: Iterable[str], path: Path) -> bool:
    """Whether one of the models was trained on the data at ``path``, as far as the folders of runs say."""
    from netspec.runs import data_of

    sources = (data_of(run) for run in _runs(models))
    return any(source is not None and source.resolve() == path.resolve() for source in sources)


def _runs(models: Iterable[str]) -> Iterator[RunFolder]:
    """Of those models that are a run's folder, or a file in one."""
    from netspec.runs import run_of

    return filter(None, (run_of(Path(model)) for model in models))


def open_learned(folder: Path, compiled: Compiled) -> PreparedData:
    """What a run that has not ended learns from. Raises DataError where that is not there any more."""
    from netspec.runs import present_data_of
    from netspec.train import prepare_options
    from netspec_runtime.data.prepare import ensure_prepared
    from netspec_runtime.data.shapes import ensure_shapes
    from netspec_runtime.training.checkpoint import latest_state
    from netspec_runtime.training.metrics import divergence
    from netspec_runtime.training.run import open_run

    run = open_run(folder)
    end = "diverged" if divergence(run.metrics) else "has not ended"
    complain(f"{folder}: its training {end}, so these are the best weights so far")
    source = present_data_of(run, f"end its training: netspec train --resume {folder} --data DIR")
    if source is None:
        data = ensure_shapes(DATA_CACHE / "shapes")
    else:
        with preparing() as progress:
            data = ensure_prepared(source, DATA_CACHE, prepare_options(compiled, None), progress)
    state = latest_state(run.checkpoints)
    if state is not None and state["identity"].get("data set") != data.digest:
        reason = f"the pictures in {data.path} are not those that it learned from"
        raise DataError(str(folder), reason, "bring them back, or end its training with --resume")
    return data


def open_for(card: Preprocessing, path: Path, split: str, *, learned: bool) -> PreparedData:
    """Pictures as a net takes them, from a prepared folder or from raw pictures. Raises DataError.

    Raw pictures in one folder for each class, without a word of training or test, are all of ``split``; but if a net
    ``learned`` from that folder, or `train` prepared it here, they are split as it does, which depends on their names
    only: so nobody counts errors on what was learned.
    """
    from netspec.train import HOLDOUT
    from netspec_runtime.data.open import is_prepared
    from netspec_runtime.data.prepare import Options, cache_folder, ensure_prepared

    stretch = card.crop if card.resize is None else None
    options = Options(side=card.resize, stretch=stretch, grey=card.channels.planes == 1, holdout=HOLDOUT)
    if path.exists() and not is_prepared(path):
        here = cache_folder(path, DATA_CACHE, options)
        if learned or is_prepared(here):
            complain(f"{path}: split as `train` did, in {here}")
        else:
            options = replace(options, holdout=0, unsplit=split)
    with preparing() as progress:
        return ensure_prepared(path, DATA_CACHE, options, progress)
