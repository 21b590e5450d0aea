"""`netspec experiment` as a user meets it: whole, killed, stopped, repeated, wrongly called."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from netspec.experiment.execute import Task
from netspec.experiment.folders import open_trial
from netspec.experiment.outcome import mark_diverged
from netspec_runtime.data.shapes import prepare_shapes
from tests.data.raw import write_folder
from tests.experiment.made import EXPERIMENT, loaded, write

ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}
PATIENCE = 120  # seconds, on a machine that is busy


@dataclass(frozen=True)
class Lab:
    """A folder with an experiment and its data; commands run in it."""

    folder: Path

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """In a process group of its own, as a shell would."""
        return subprocess.Popen(
            [sys.executable, "-m", "netspec", *arguments],
            cwd=self.folder,
            env=ENVIRONMENT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Exit code, stdout, stderr."""
        process = self.start(*arguments)
        out, err = process.communicate(timeout=PATIENCE)
        return process.returncode, out, err

    def experiment(self, runs: str, *arguments: str) -> tuple[int, str, str]:
        return self.run("experiment", "small.yaml", "--data", "data", "--runs", runs, *arguments)

    def results(self, runs: str, name: str = "small") -> dict[str, Any]:
        text = (self.folder / runs / "experiments" / name / "results.json").read_text(encoding="utf-8")
        document: dict[str, Any] = json.loads(text)
        return document

    def wait(self, path: str, text: str, process: subprocess.Popen[str]) -> None:
        """Until a file holds a text; a process that ends before is a failure."""
        for _ in range(PATIENCE * 100):
            file = self.folder / path
            if file.is_file() and text in file.read_text(encoding="utf-8"):
                return
            if process.poll() is not None:
                pytest.fail(f"ended with {process.returncode}: {process.communicate()[1]}")
            time.sleep(0.01)
        pytest.fail(f"no {text} in {path}")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    folder = tmp_path_factory.mktemp("lab")
    write(folder)
    prepare_shapes(folder / "data", 160, 80)
    return Lab(folder)


@pytest.fixture(scope="module")
def whole(lab: Lab) -> tuple[str, str]:
    """What an undisturbed experiment printed on stdout and stderr; its runs are in `whole`."""
    code, out, err = lab.experiment("whole", "--jobs", "3")
    assert code == 0, err
    return out, err


def curves(results: dict[str, Any]) -> dict[str, Any]:
    return {f"{r['run']} {r['variant']}": (r["train_errors"], r["test_errors"], r["state"]) for r in results["runs"]}


@pytest.mark.slow
def test_all_runs_are_trained_measured_drawn_and_compared(lab: Lab, whole: tuple[str, str]) -> None:
    home = lab.folder / "whole" / "experiments" / "small"
    assert whole[0] == (home / "results.md").read_text(encoding="utf-8")
    last = r"netspec: deep: epoch 12, .* minutes, training error .*%, test error .*%\n"
    assert re.search(rf"{last}(netspec: flat.*\n)*netspec: deep: done", whole[1])
    assert sorted(p.name for p in home.iterdir()) == [
        "deep",
        "flat-lr-0.0005",
        "flat-lr-0.001",
        "results.json",
        "results.md",
        "small.svg",
    ]
    results = lab.results("whole")
    assert [len(r["test_errors"]) for r in results["runs"]] == [12, 12, 12]
    assert {r["state"] for r in results["runs"]} == {"finished"}
    assert re.search(r"- flat - deep: .*, within chance on 80 pictures|- flat - deep: .*: the direction", whole[0])
    for name in ("model.onnx", "metrics.jsonl", "curves.svg", "tiny.yaml", "best.safetensors"):
        assert (home / "deep" / name).is_file()


@pytest.mark.slow
def test_what_is_finished_is_not_run_again(lab: Lab, whole: tuple[str, str]) -> None:
    home = lab.folder / "whole" / "experiments" / "small"
    before = {path: path.stat().st_mtime_ns for path in home.glob("*/*") if path.name != ".lock"}
    code, out, err = lab.experiment("whole")
    assert (code, out) == (0, whole[0])
    assert err == "netspec: wrote results.md, results.json and small.svg in whole/experiments/small/\n"
    assert {path: path.stat().st_mtime_ns for path in before} == before
    code, out, err = lab.run("experiment", "small.yaml", "--report-only", "--runs", "whole", "--json")
    assert curves(json.loads(out)) == curves(lab.results("whole"))


@pytest.mark.slow
@pytest.mark.usefixtures("whole")
def test_a_run_of_train_is_taken_and_an_experiment_goes_on_after_kills_and_signals(lab: Lab) -> None:
    """One run was made by hand; the next is killed, the one after it is stopped; then all are those of `whole`."""
    code, _, err = lab.run("train", "tiny.yaml", "--data", "data", "--runs", "broken")
    assert code == 0, err

    process = lab.start("experiment", "small.yaml", "--data", "data", "--runs", "broken")
    lab.wait("broken/experiments/small/flat-lr-0.0005/metrics.jsonl", '"epoch": 2', process)
    os.killpg(process.pid, signal.SIGKILL)
    _, err = process.communicate()
    assert "(1 of 2)" in err

    process = lab.start("experiment", "small.yaml", "--data", "data", "--runs", "broken")
    lab.wait("broken/experiments/small/flat-lr-0.001/metrics.jsonl", '"epoch": 2', process)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=PATIENCE)
    if process.returncode:  # it may have been at its end
        assert process.returncode == 143
        assert err.endswith("netspec: stopped; the same command goes on from here\n")
        assert "unfinished" in out

    code, _, err = lab.experiment("broken")
    assert code == 0, err
    assert curves(lab.results("broken")) == curves(lab.results("whole"))
    assert not (lab.folder / "broken" / "experiments" / "small" / "deep").exists()
    assert Path(lab.results("broken")["runs"][0]["folder"]) == Path("broken/tiny")


@pytest.mark.slow
def test_runs_that_never_began_leave_nothing_behind(lab: Lab) -> None:
    process = lab.start("experiment", "small.yaml", "--data", "data", "--runs", "short")
    lab.wait("short/experiments/small/deep/metrics.jsonl", '"step"', process)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, err
    assert out.count("unfinished") == 1
    assert out.count("not run") == 2
    folder = lab.folder / "short" / "experiments" / "small"
    assert [path.name for path in folder.iterdir() if path.is_dir()] == ["deep"]


@pytest.mark.slow
def test_a_run_that_diverges_is_a_result_and_is_not_tried_again(lab: Lab) -> None:
    text = EXPERIMENT.replace("name: small", "name: wild").replace("deep: {}", "deep: {set: {train.lr: 1e30}}")
    (lab.folder / "wild.yaml").write_text(text, encoding="utf-8")
    for tasks in (1, 0):
        code, out, err = lab.run("experiment", "wild.yaml", "--data", "data", "--runs", "wild", "--only", "deep")
        assert code == 0, err
        assert "diverged" in out
        assert err.count(" of 1): ") == tasks
    assert [r["state"] for r in lab.results("wild", "wild")["runs"]] == ["diverged", "not run", "not run"]


SEVEN = EXPERIMENT.replace("runs:", "set: {layers.fc3.outputs: 7, classes: 7}\nruns:").replace("small", "seven")


@pytest.mark.slow
@pytest.mark.parametrize("data", ["data", "raw"])
def test_data_of_other_classes_are_refused_before_anything_is_made(lab: Lab, data: str) -> None:
    (lab.folder / "seven.yaml").write_text(SEVEN, encoding="utf-8")
    if data == "raw":
        write_folder(lab.folder / "raw", {"a": 2, "b": 2})
    before = sorted(path.name for path in lab.folder.iterdir())
    code, out, err = lab.run("experiment", "seven.yaml", "--data", data, "--runs", "seven", "--jobs", "2")
    count = 10 if data == "data" else 2
    reason = f"it has {count} classes, and the net tells 7 apart; seven is made for: shapes"
    assert (code, out, err) == (4, "", f"netspec: {data}: {reason}\n")
    assert sorted(path.name for path in lab.folder.iterdir()) == before


@pytest.mark.slow
def test_a_run_that_fails_before_anything_is_saved_says_so(lab: Lab) -> None:
    text = EXPERIMENT.replace("name: small", "name: huge").replace("deep: {}", "deep: {set: {train.batch: 160}}")
    (lab.folder / "huge.yaml").write_text(text, encoding="utf-8")
    arguments = ("experiment", "huge.yaml", "--data", "data", "--runs", "huge", "--only", "deep")
    code, _, err = lab.run(*arguments, "--devices", "cuda:77")
    assert code == 3
    assert err.endswith("mend that, and give the same command again\n")


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def netspec(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Run `netspec` in this process, in a folder with small.yaml."""
    from netspec.cli import main

    write(tmp_path)
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["netspec", *arguments])
        with pytest.raises(SystemExit) as stopped:
            main()
        out, err = capsys.readouterr()
        return int(stopped.value.code or 0), out, err

    return run


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["figure-1"], 2, "figure-1 needs pictures: cifar10, as `netspec prepare --download cifar10 -o"),
        (["figure1"], 1, "did you mean `figure-1`?"),
        (["small.yaml", "--only", "depe", "--report-only"], 2, "did you mean `deep`?"),
        (["tiny.yaml"], 1, "NS201"),
        (["small.yaml", "--data", "nowhere"], 4, "nowhere"),
    ],
)
def test_wrong_use_is_one_message(netspec: Run, arguments: list[str], code: int, words: str) -> None:
    found, out, err = netspec("experiment", *arguments)
    assert (found, out) == (code, "")
    assert words in " ".join(err.replace("│", " ").split())


@pytest.mark.parametrize(("ended", "code"), [(3, 0), (2, 130)])
def test_a_signal_stops_what_is_not_done(
    ended: int, code: int, netspec: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def execute(tasks: tuple[Task, ...], *_: object) -> None:
        for task in tasks[:ended]:
            mark_diverged(task.folder)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr("netspec.experiment.execute.execute", execute)
    prepare_shapes(tmp_path / "data", 40, 20)
    found, out, err = netspec("experiment", "small.yaml", "--data", "data")
    assert (found, out.count("not run"), "stopped; the same command" in err) == (code, 3 - ended, code != 0)


def test_drawn_pictures_of_other_classes_are_refused_before_a_run_has_a_folder(
    netspec: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("netspec_runtime.data.shapes.ensure_shapes", lambda path: prepare_shapes(path, 40, 20))
    (tmp_path / "seven.yaml").write_text(SEVEN, encoding="utf-8")
    reason = "it has 10 classes, and the net tells 7 apart; seven is made for: shapes"
    assert netspec("experiment", "seven.yaml") == (4, "", f"netspec: data/shapes: {reason}\n")
    assert not (tmp_path / "runs").exists()


def test_the_list_names_all(netspec: Run) -> None:
    code, out, _ = netspec("experiment", "--list")
    assert code == 0
    assert "figure-1" in out
    assert [line.split()[1] for line in out.splitlines() if line.startswith("lrn ")] == ["cifar10"]


def test_a_report_of_nothing_is_refused(netspec: Run, tmp_path: Path) -> None:
    """A table of runs with other epochs stays as it is."""
    home = tmp_path / "runs" / "experiments" / "small"
    reason = "no run of small with these --epochs and --seeds is in this folder; give those that its runs were made"
    code, out, err = netspec("experiment", "small.yaml", "--report-only")
    assert (code, out, home.exists()) == (4, "", False)
    assert err == f"netspec: runs: {reason} with, or say where they are with --runs\n"

    _, trials = loaded(tmp_path)
    mark_diverged(open_trial(trials[0], home).path)
    code, out, _ = netspec("experiment", "small.yaml", "--report-only")
    assert (code, out.count("diverged"), out.count("not run")) == (0, 1, 2)
    written = sorted(path.name for path in home.iterdir() if path.is_file())
    assert written == ["results.json", "results.md", "small.svg"]
    code, out, err = netspec("experiment", "small.yaml", "--report-only", "--epochs", "3")
    assert (code, out, reason in err) == (4, "", True)
    assert (home / "results.md").read_text(encoding="utf-8").count("diverged") == 1
