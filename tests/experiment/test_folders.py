"""Which run is a trial's: by spec and data, whoever made it and whatever its folder is called."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from netspec.experiment.folders import Made, discard, made_runs, match, open_trial
from netspec.experiment.trials import make_trials
from netspec.runs import Before
from netspec.spec import load_spec
from netspec.spec.dump import spec_hash
from netspec_runtime.errors import DataError
from tests.experiment.made import loaded


def test_the_farthest_run_of_the_same_spec_and_data_counts(tmp_path: Path) -> None:
    _, trials = loaded(tmp_path)
    first, second = trials[:2]
    near = Made(Path("a"), "tiny", first.hash, "data", 3)
    far, other = replace(near, path=Path("b"), step=9), replace(near, path=Path("c"), step=99, data="other")
    elsewhere = replace(near, path=Path("d"), spec="another")
    assert match(trials, (far, near, other, elsewhere), "data") == {first.label: far}
    assert match(trials, (near, replace(near, spec=second.hash, data=None)), None).keys() == {first.label, second.label}


def test_a_run_that_ended_earlier_than_wanted_is_another(tmp_path: Path) -> None:
    _, (trial, *_) = loaded(tmp_path)
    run = Made(Path("a"), "tiny", trial.hash, "data", 3, ended=0.2)
    assert match((trial,), (run,), "data") == {}
    assert match((replace(trial, until=0.1),), (run,), "data") == {}
    assert match((replace(trial, until=0.25),), (run,), "data") == {trial.label: run}


@pytest.mark.parametrize(
    ("asked", "same"),
    [
        ({"flags": {"precision": "float32", "views": None, "compiled": True, "parts": 4}}, True),
        ({"flags": {"log_every": 1, "save_every": 5, "tensorboard": True, "views": "1"}}, True),
        ({"init_from": "runs/another"}, False),
        ({"flags": {"precision": "bf16"}}, False),
        ({"flags": {"precision": "tf32"}}, False),
        ({"flags": {"views": "10"}}, False),
        ({"flags": {"until": 0.25}}, False),
        ({"flags": "damaged"}, False),
    ],
)
def test_a_run_that_was_started_otherwise_is_another(tmp_path: Path, asked: dict[str, Any], same: bool) -> None:
    _, (trial, *_) = loaded(tmp_path)
    folder = open_trial(trial, tmp_path / "runs" / "experiments" / "small")
    folder.write_json("arguments.json", {"data": None, "init_from": None, "flags": {}, **asked})
    assert bool(match((trial,), made_runs(tmp_path / "runs"), None)) == same


def test_an_error_to_end_at_makes_no_other_run_where_the_trial_has_its_own_or_it_was_not_reached(
    tmp_path: Path,
) -> None:
    _, (trial, *_) = loaded(tmp_path)
    run = Made(Path("a"), "tiny", trial.hash, "data", 3, epochs=11, started=Before(flags={"until": 0.25}))
    assert match((trial,), (run,), "data") == {}
    whole = replace(run, epochs=12)
    assert match((trial,), (whole,), "data") == {trial.label: whole}
    assert match((replace(trial, until=0.1),), (run,), "data") == {trial.label: run}


def test_runs_on_several_data_sets_are_not_mixed(tmp_path: Path) -> None:
    _, trials = loaded(tmp_path)
    runs = tuple(Made(Path("a"), "tiny", trial.hash, f"data {n}", 3) for n, trial in enumerate(trials))
    with pytest.raises(DataError, match="trained on 3 data sets; give --data"):
        match(trials, runs, None)


def test_a_new_runs_folder_holds_its_spec_and_is_found_again(tmp_path: Path) -> None:
    experiment, trials = loaded(tmp_path)
    home = tmp_path / "runs" / "experiments" / "small"
    folder = open_trial(trials[1], home)
    assert folder.path == home / "flat-lr-0.0005"
    assert spec_hash(load_spec(folder.spec)) == trials[1].hash
    longer = make_trials(experiment, tmp_path, epochs=99)[1]
    assert open_trial(longer, home).path == home / "flat-lr-0.0005-2"
    found = match(trials, made_runs(tmp_path / "runs"), "any data")
    assert found[trials[1].label].path == home / "flat-lr-0.0005"


def test_folders_in_which_something_was_begun_stay(tmp_path: Path) -> None:
    _, trials = loaded(tmp_path)
    idle, begun, empty = (open_trial(trial, tmp_path / "runs").path for trial in trials)
    (begun / "train.log").touch()
    next(empty.iterdir()).unlink()
    discard([idle, begun, empty])
    assert (idle.exists(), begun.is_dir(), empty.is_dir()) == (False, True, True)


def test_the_labels_of_a_spec_go_with_it(tmp_path: Path) -> None:
    experiment, _ = loaded(tmp_path)
    net = (tmp_path / "tiny.yaml").read_text(encoding="utf-8")
    (tmp_path / "tiny.yaml").write_text(f"{net}labels: names.txt\n", encoding="utf-8")
    (tmp_path / "nets").mkdir()
    (tmp_path / "tiny.yaml").rename(tmp_path / "nets" / "tiny.yaml")
    experiment = replace(experiment, spec="nets/tiny.yaml")
    (tmp_path / "nets" / "names.txt").write_text("\n".join("abcdefghij"), encoding="utf-8")
    folder = open_trial(make_trials(experiment, tmp_path)[0], tmp_path / "runs")
    assert load_spec(folder.spec).labels == tuple("abcdefghij")


def test_other_folders_are_no_runs(tmp_path: Path) -> None:
    (tmp_path / "runs" / "empty").mkdir(parents=True)
    (tmp_path / "runs" / "wrong").mkdir()
    (tmp_path / "runs" / "wrong" / "a.yaml").write_text("x: 1\n")
    (tmp_path / "runs" / "file").write_text("")
    assert made_runs(tmp_path / "runs") == ()
    assert made_runs(tmp_path / "nowhere") == ()
