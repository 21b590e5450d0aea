"""The pictures that a command counts errors on: which they are, and as a net takes them. It opens no nets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from netspec.cli.arguments import DATA_CACHE
from netspec.cli.prepare import preparing
from netspec_runtime.terminal import complain

if TYPE_CHECKING:
    from netspec_runtime.card import Preprocessing
    from netspec_runtime.data.prepared import PreparedData


def data_of_runs(models: Iterable[str]) -> Path | None:
    """What the first of them that is a run was trained on, drawn again if netspec drew it; None if none is a run."""
    from netspec.runs import data_of
    from netspec_runtime.data.shapes import ensure_shapes
    from netspec_runtime.training.run import open_run

    folder = next((Path(model) for model in models if (Path(model) / "arguments.json").is_file()), None)
    if folder is None:
        return None
    return data_of(open_run(folder)) or ensure_shapes(DATA_CACHE / "shapes").path


def open_for(card: Preprocessing, path: Path, split: str) -> PreparedData:
    """Pictures as a net takes them, from a prepared folder or from raw pictures. Raises DataError.

    Raw pictures in one folder for each class, without a word of training or test, are all of ``split``; but if `train`
    prepared that folder, they are split as it did, so that nobody counts errors on what was learned.
    """
    from netspec.train import HOLDOUT
    from netspec_runtime.data.open import is_prepared
    from netspec_runtime.data.prepare import Options, cache_folder, ensure_prepared

    stretch = card.crop if card.resize is None else None
    options = Options(side=card.resize, stretch=stretch, grey=card.channels.planes == 1, holdout=HOLDOUT)
    if not is_prepared(path):
        learned = cache_folder(path, DATA_CACHE, options)
        if is_prepared(learned):
            complain(f"{path}: split as `train` did, in {learned}")
        else:
            options = replace(options, holdout=0, unsplit=split)
    with preparing() as progress:
        return ensure_prepared(path, DATA_CACHE, options, progress)
