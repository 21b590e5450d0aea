"""Where the runs of an experiment are: those made before, by whatever command, and folders for new ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Final

from netspec.diagnostics import SpecError
from netspec.experiment.trials import Trial
from netspec.runs import Before, before
from netspec.spec import load_spec
from netspec.spec.dump import dump, spec_hash
from netspec_runtime.errors import DataError

if TYPE_CHECKING:
    from netspec_runtime.training.run import RunFolder

EXPERIMENTS: Final = "experiments"  # the folder of experiments below that of runs


@dataclass(frozen=True)
class Made:
    """A run that is there. ``data`` is the digest of what it was trained on, None before its first checkpoint.

    ``epochs`` are done. ``ended`` is the training error with which it ended early, as `--until-error` said; None if it
    did not. ``started`` is what it was asked for.
    """

    path: Path
    name: str
    spec: str
    data: str | None
    step: int
    epochs: int = 0
    ended: float | None = None
    started: Before = field(default_factory=Before)

    def serves(self, trial: Trial) -> bool:
        """Whether it is a trial's run: the same net, computed in the same way, which ends where the trial would."""
        return self.spec == trial.hash and self._computes(trial) and self._ends(trial)

    def _computes(self, trial: Trial) -> bool:
        """Whether it differs in its rounding at most: `--compile`, `--channels-last` and `--parts` change no more."""
        flags, views = self.started.flags, str(trial.compiled.spec.data.test_views)
        exact = flags.get("precision", "float32") == "float32"
        return self.started.init_from is None and exact and flags.get("views") in (None, views)

    def _ends(self, trial: Trial) -> bool:
        """Whether it did not end before the trial would, nor will: the trial's own error goes before the run's."""
        if trial.until is not None:
            return self.ended is None or self.ended <= trial.until
        whole = self.epochs >= trial.compiled.spec.train.epochs
        return whole or (self.ended is None and self.started.flags.get("until") is None)


def made_runs(runs: Path) -> tuple[Made, ...]:
    """Every run below ``runs``: its own ones, and those of experiments."""
    folders = (path for pattern in ("*", f"{EXPERIMENTS}/*/*") for path in sorted(runs.glob(pattern)))
    found = (_made(path) for path in folders if path.is_dir())
    return tuple(made for made in found if made is not None)


def _made(path: Path) -> Made | None:
    from netspec_runtime.training.checkpoint import latest_state
    from netspec_runtime.training.run import RunFolder

    specs = sorted(path.glob("*.yaml"))
    if len(specs) != 1:
        return None
    name = specs[0].stem
    folder = RunFolder(path, name)
    state = latest_state(folder.checkpoints)
    try:
        started = before(folder)
        if state is None:
            return Made(path, name, spec_hash(load_spec(specs[0])), None, 0, started=started)
    except (SpecError, DataError):
        return None  # a layer file that somebody put there, or a run of which nobody knows how it was started
    identity, position = state["identity"], state["position"]
    ended = position.get("learned") if position["ended"] else None
    spec, data = identity["spec"], identity["data set"]
    return Made(path, name, spec, data, position["step"], position["tested"], ended, started)


def match(trials: tuple[Trial, ...], made: tuple[Made, ...], data: str | None) -> dict[str, Made]:
    """The run of each trial that has one, by the trial's label; of several the one that is farthest.

    ``data`` is the digest of the pictures; None for those that the runs were trained on. Raises DataError where these
    were trained on several.
    """
    right = [run for run in made if data is None or run.data in (data, None)]
    found = {trial.label: [run for run in right if run.serves(trial)] for trial in trials}
    sets = {run.data for runs in found.values() for run in runs} - {None}
    if len(sets) > 1:
        reason = f"its runs were trained on {len(sets)} data sets"
        raise DataError("--report-only", reason, "give --data to say which runs count")
    return {label: max(runs, key=lambda run: run.step) for label, runs in found.items() if runs}


def open_trial(trial: Trial, home: Path) -> RunFolder:
    """A new run's folder in ``home``, with the trial's spec in it, for `netspec train --resume`.

    Raises DataError where the disk refuses.
    """
    from netspec_runtime.training.run import RunFolder

    spec = trial.compiled.spec
    try:
        home.mkdir(parents=True, exist_ok=True)
        path = next(path for path in _names(home, trial.slug) if not path.exists())
        path.mkdir()
    except OSError as error:
        raise DataError(str(home), f"cannot make a folder: {error.strerror}", "choose another with --runs") from None
    folder = RunFolder(path, spec.name)
    folder.write(folder.spec.name, dump(spec))
    return folder


def discard(folders: Iterable[Path]) -> None:
    """Remove those of these folders of `open_trial` in which nothing was begun: they hold their spec alone."""
    for folder in folders:
        files = list(folder.iterdir())
        if [file.suffix for file in files] == [".yaml"]:
            files[0].unlink()
            folder.rmdir()


def _names(home: Path, slug: str) -> Iterator[Path]:
    """`<slug>`, `<slug>-2` and so on: the same run with other epochs has another spec, and a folder of its own."""
    return (home / (slug if number == 1 else f"{slug}-{number}") for number in count(1))
