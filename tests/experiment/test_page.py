"""docs/experiments.md names what is shipped, and its example is one that can be run."""

from __future__ import annotations

import re
from pathlib import Path

from netspec.experiment.load import load_experiment_source, shipped_experiments
from netspec.experiment.trials import make_trials
from netspec.source import Source


def test_the_example_makes_its_nets(root: Path) -> None:
    page = (root / "docs" / "experiments.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    trials = make_trials(load_experiment_source(Source("<string>", example)), root)
    assert [trial.label for trial in trials] == ["plain", "wide", "shallow", "fast, lr=0.02", "fast, lr=0.05"]


def test_every_shipped_experiment_is_named(root: Path) -> None:
    page = (root / "docs" / "experiments.md").read_text(encoding="utf-8")
    assert [
        name
        for name in shipped_experiments()
        if f"`{name.replace('imagenet', '')}`" not in page and f"`{name}`" not in page
    ] == []
