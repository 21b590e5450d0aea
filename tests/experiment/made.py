"""Small experiments as text, and outcomes that nobody trained. No tests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from netspec.experiment.compare import Variant, variants
from netspec.experiment.load import load_experiment_source
from netspec.experiment.model import Experiment
from netspec.experiment.outcome import Outcome, State, value_of
from netspec.experiment.trials import Trial, make_trials
from netspec.source import Source
from netspec_runtime.training.metrics import EpochRecord

NET = """
netspec: 1
name: tiny
input: {size: 32}
classes: 10
defaults: {conv: {size: 3, pad: 1, neuron: relu, init_w: he}}
layers:
  conv1: {type: conv, inputs: data, filters: 4, stride: 2}
  conv2: {type: conv, inputs: conv1, filters: 8, stride: 2}
  fc3: {type: fc, inputs: conv2, outputs: 10, init_w: he}
  probs: {type: softmax, inputs: fc3}
data: {mean: color}
train: {batch: 32, epochs: 12, lr: 0.0005}
"""

EXPERIMENT = """
experiment: 1
name: small
about: Two nets on drawn shapes
data: shapes
spec: tiny.yaml
measure: {best: test}
runs:
  deep: {}
  flat: {without: conv2, try: {train.lr: [0.0005, 0.001]}}
paper: {where: "7", says: Depth matters, better: deep, than: flat, by: 0.02}
"""


def write(folder: Path, experiment: str = EXPERIMENT) -> Path:
    """tiny.yaml and small.yaml in a folder; the path of the latter."""
    (folder / "tiny.yaml").write_text(NET, encoding="utf-8")
    path = folder / "small.yaml"
    path.write_text(experiment, encoding="utf-8")
    return path


def loaded(folder: Path, experiment: str = EXPERIMENT) -> tuple[Experiment, tuple[Trial, ...]]:
    """An experiment and its nets."""
    write(folder, experiment)
    made = load_experiment_source(Source("small.yaml", experiment))
    return made, make_trials(made, folder)


def records(errors: Sequence[tuple[float, float | None]], seconds: float = 60.0) -> tuple[EpochRecord, ...]:
    """(training, test) errors by epoch."""
    return tuple(
        EpochRecord(n * 5, n, 1.0, train, 0.0, 1.0, test, 0.0, 0.01, 0.01, n * seconds)
        for n, (train, test) in enumerate(errors, 1)
    )


def outcome(
    experiment: Experiment, trial: Trial, errors: Sequence[tuple[float, float | None]], state: State = "finished"
) -> Outcome:
    """What a trial would have come to with these errors."""
    epochs = records(errors)
    return Outcome(trial, Path("runs") / trial.slug, state, epochs, value_of(experiment.measure, epochs))


def tried(
    experiment: Experiment,
    trials: Sequence[Trial],
    errors: Sequence[Sequence[tuple[float, float | None]]],
    states: Sequence[State] = (),
) -> tuple[Variant, ...]:
    """Variants of trials with made-up errors, a sequence for each trial."""
    each: Sequence[State] = states or ["finished" for _ in trials]
    return variants([outcome(experiment, t, e, s) for t, e, s in zip(trials, errors, each, strict=True)])
