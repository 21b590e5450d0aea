"""The pictures that a command counts errors on: which they are, and as a net takes them. It opens no nets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from netspec.cli.arguments import DATA_CACHE, DRAWN
from netspec.cli.prepare import preparing
from netspec_runtime.errors import DataError
from netspec_runtime.terminal import complain

if TYPE_CHECKING:
    from netspec.pipeline import Compiled
    from netspec_runtime.card import ModelCard, Preprocessing
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
    place = source or ensure_shapes(DATA_CACHE / DRAWN).path
    others = [run for run in runs[1:] if data_of(run) != source]
    if others:
        named = ", ".join(str(run.path) for run in others)
        complain(f"{named}: trained on other data; all are judged on those of {runs[0].path}, {place}")
    return place


@dataclass(frozen=True)
class Taken:
    """How raw pictures without a test split are taken: a fraction ``holdout`` is for test, or all are of one split."""

    holdout: float = 0.0
    whole: str = "train"


def taken(models: Iterable[str], cards: Iterable[ModelCard], path: Path, split: str) -> Taken:
    """How to take the pictures at ``path`` for some models, which it says where pictures name no test split.

    Pictures in one folder for each class, without a word of training or test, are all of ``split``; but if one of the
    models learned from them, what was set aside then is for test again, which depends on their names only: so nobody
    counts errors on what was learned. Folders of runs say what that was by its place; models say it by their cards,
    wherever it lies. Raises DataError for what cannot be listed.
    """
    from netspec.runs import data_of
    from netspec.train import HOLDOUT
    from netspec_runtime.data.find import find_source
    from netspec_runtime.data.manifest import TEST
    from netspec_runtime.data.open import is_prepared
    from netspec_runtime.data.source import fraction_of

    if not path.exists() or is_prepared(path):
        return Taken()
    source = find_source([path])
    known = [fraction for card in cards if (fraction := fraction_of(source, card.held_out_of)) is not None]
    places = {place.resolve() for run in _runs(models) if (place := data_of(run)) is not None}
    known += [HOLDOUT] * (path.resolve() in places)
    aside = min(known, default=0.0)  # a part of what any other of them set aside
    if aside:
        if TEST not in source.splits:
            complain(f"{path}: split as it was to learn from it, {aside:.3g} of it set aside for test")
        return Taken(holdout=aside)
    if source.unsplit:
        none = "a model here learned from all of them" if known else "no model here says that it learned from them"
        complain(f"{path}: all {len(source):,} pictures are judged: it names no training split, and {none}")
    return Taken(whole=split)


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
        data = ensure_shapes(DATA_CACHE / DRAWN)
    else:
        with preparing() as progress:
            data = ensure_prepared(source, DATA_CACHE, prepare_options(compiled, None), progress)
    state = latest_state(run.checkpoints)
    if state is not None and state["identity"].get("data set") != data.digest:
        reason = f"the pictures in {data.path} are not those that it learned from"
        raise DataError(str(folder), reason, "bring them back, or end its training with --resume")
    return data


def open_for(card: Preprocessing, path: Path, way: Taken) -> PreparedData:
    """Pictures as a net takes them, from a prepared folder or from raw pictures. Raises DataError."""
    from netspec_runtime.data.prepare import Options, ensure_prepared

    stretch = card.crop if card.resize is None else None
    grey = card.channels.planes == 1
    options = Options(side=card.resize, stretch=stretch, grey=grey, holdout=way.holdout, unsplit=way.whole)
    with preparing() as progress:
        return ensure_prepared(path, DATA_CACHE, options, progress)
