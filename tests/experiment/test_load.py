"""An experiment file: what it may say, and what is refused where, with which code and advice."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from netspec.diagnostics import Diagnostic, SpecError
from netspec.experiment.load import find_experiment, load_experiment, load_experiment_source, shipped_experiments
from netspec.experiment.trials import make_trials
from netspec.source import Source

HEAD = "experiment: 1\nname: test\nabout: a\ndata: shapes\nspec: shapes\n"
MEASURE = "measure: {last: test}\n"
RUNS = "runs: {a: {}, b: {without: conv3}}\n"


def diagnostics(text: str) -> list[Diagnostic]:
    with pytest.raises(SpecError) as error:
        load_experiment_source(Source("e.yaml", text))
    return list(error.value.diagnostics)


def test_what_is_set_and_tried_is_kept_with_its_place() -> None:
    text = HEAD + MEASURE + "set: {train.epochs: 3}\nruns:\n  a: {set: {train.batch: 8}, try: {train.lr: [1, 2]}}\n"
    experiment = load_experiment_source(Source("<string>", text))
    (run,) = experiment.runs
    assert [s.path.text for s in experiment.settings] == ["train.epochs"]
    assert [s.path.text for s in run.settings] == ["train.batch"]
    assert [(c.path.text, len(c.values)) for c in run.choices] == [("train.lr", 2)]
    assert run.choices[0].path.span.where == "<string>:9:36"


@pytest.mark.parametrize(
    ("rest", "code", "where", "message", "advice"),
    [
        (MEASURE + "run: {}\n" + RUNS, "NS201", "7:1", "an experiment has no key `run`", "did you mean `runs`?"),
        (MEASURE, "NS202", "1:1", "an experiment needs the key `runs`", "`runs`: nets by name"),
        (RUNS, "NS202", "1:1", "an experiment needs the key `measure`", "`measure`: what is measured of each run."),
        (MEASURE + "runs: [a]\n", "NS203", "7:7", "expected runs by name, found a list", "for instance `relu: "),
        (MEASURE + "runs: {}\n", "NS203", "7:7", "expected runs by name, found a mapping", "for instance `relu: "),
        (MEASURE + "runs: {a: {witout: x}}\n", "NS201", "7:12", "a run has no key `witout`", "did you mean `without`?"),
        (MEASURE + "runs: {a/b: {}}\n", "NS207", "7:8", "`a/b` is no name for", "ASCII letters, digits"),
        (MEASURE + "runs: {a: {set: 3}}\n", "NS203", "7:17", "expected values of a spec", "for instance"),
        (MEASURE + "runs: {a: {try: {seed: 3}}}\n", "NS203", "7:24", "takes a list of values", "for instance"),
        (MEASURE + "runs: {a: {try: {seed: []}}}\n", "NS203", "7:24", "takes a list of values", "for instance"),
        ("measure: {}\n" + RUNS, "NS703", "6:10", "nothing is measured", "one of"),
        ("measure: {best: val}\n" + RUNS, "NS205", "6:17", "must be `train` or `test`", ""),
        ("measure: {epochs_to: 25}\n" + RUNS, "NS204", "6:22", "but must be above 0 and at most 1", ""),
        ("measure: {best: test, of: test}\n" + RUNS, "NS703", "6:23", "`of` belongs to `epochs_to`", "remove it"),
        (
            MEASURE + RUNS + "paper: {where: x, says: y, better: a, than: c}\n",
            "NS704",
            "8:45",
            "no run `c`",
            "`a`, `b`",
        ),
        (MEASURE + RUNS + "paper: {where: x, says: y, better: a, than: [b, a]}\n", "NS704", "8:45", "itself", "name"),
        (MEASURE + RUNS + "paper: {where: x, says: y, better: a}\n", "NS202", "8:1", "`paper` needs the key", "`than`"),
    ],
)
def test_what_cannot_be_compared_is_refused(rest: str, code: str, where: str, message: str, advice: str) -> None:
    (found,) = diagnostics(HEAD + rest)
    assert (found.code, found.span.where) == (code, f"e.yaml:{where}")
    assert message in found.message
    assert advice in found.help


def test_all_errors_come_in_one_run() -> None:
    text = "experiment: 3\nname: a b\nabout: a\ndata: d\nmeasure: {}\nruns: {a: {}}\n"
    assert [d.code for d in diagnostics(text)] == ["NS701", "NS207", "NS703", "NS702"]


def test_an_unknown_experiment_is_answered_with_the_nearest() -> None:
    with pytest.raises(SpecError) as error:
        find_experiment("figure1")
    assert error.value.diagnostics[0].help == "did you mean `figure-1`?"
    assert find_experiment("figure-1").name == "figure-1.yaml"


@pytest.mark.parametrize("name", shipped_experiments())
def test_every_shipped_experiment_makes_different_nets_that_compile(name: str) -> None:
    path = shipped_experiments()[name]
    experiment = load_experiment(path)
    trials = make_trials(experiment, path.parent)
    assert experiment.name == name
    assert len({trial.hash for trial in trials}) == len(trials) >= 2
    assert experiment.paper is not None


def test_the_experiments_of_the_paper_are_there() -> None:
    assert {"figure-1", "lrn", "lrn-full", "pooling", "dropout", "weight-decay", "depth", "towers"} <= set(
        shipped_experiments()
    )


def test_in_a_wheel_the_specs_lie_inside_the_package(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """hatch_build.py puts all of specs/ there, folders too."""
    shutil.copytree(root / "specs", tmp_path / "netspec" / "specs")
    monkeypatch.setattr("netspec.spec.shipped._PACKAGE", tmp_path / "netspec")
    path = find_experiment("figure-1")
    assert path.is_relative_to(tmp_path)
    assert len(make_trials(load_experiment(path), path.parent)) == 4
