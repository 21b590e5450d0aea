"""`netspec validate`: all errors of all files, in each format; the ledger; exit codes. It writes nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from netspec import __version__
from netspec.spec.shipped import shipped_specs
from tests.build.nets import ONE
from tests.cli.conftest import Run

WRONG = ONE.replace("inputs: conv1", "inputs: conv").replace("inputs: fc}", "inputs: fcc}")
DOUBTFUL = ONE.replace("layers:", "defaults: {pool: {size: 3}}\nlayers:")


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in {"good": ONE, "wrong": WRONG, "doubtful": DOUBTFUL}.items():
        (tmp_path / f"{name}.yaml").write_text(text)
    monkeypatch.chdir(tmp_path)


def test_a_good_spec(netspec: Run, tmp_path: Path) -> None:
    done = netspec("validate", "good.yaml")
    assert (done.code, done.err) == (0, "")
    assert done.out == "good.yaml: 4 layers, 2,189 parameters, 12,544 multiply-adds\n"
    assert len(list(tmp_path.iterdir())) == 3


def test_every_shipped_spec(netspec: Run) -> None:
    done = netspec("validate", *shipped_specs())
    assert (done.code, done.err) == (0, "")
    for name in shipped_specs():
        assert f"\n{name}: " in f"\n{done.out}"


def test_all_errors_of_all_files(netspec: Run) -> None:
    done = netspec("validate", "wrong.yaml", "good.yaml", "none.yaml")
    assert done.code == 1
    assert done.out.startswith("good.yaml: 4 layers")
    assert done.err.count("error[NS301]") == 2
    assert done.err.count("error[NS101]") == 1
    assert "did you mean `conv1`?" in done.err


def test_warnings_are_shown_and_pass(netspec: Run) -> None:
    done = netspec("validate", "doubtful.yaml")
    assert done.code == 0
    assert done.err.startswith("warning[NS218]: ")
    assert json.loads(netspec("validate", "doubtful.yaml", "--format", "json").out)[0]["severity"] == "warning"


def test_as_json(netspec: Run) -> None:
    done = netspec("validate", "wrong.yaml", "good.yaml", "--format", "json")
    assert (done.code, done.err) == (1, "")
    found = json.loads(done.out)
    assert [(d["code"], d["file"], d["severity"]) for d in found] == [("NS301", "wrong.yaml", "error")] * 2
    line = WRONG.split("\n")[found[0]["line"] - 1]
    assert line[found[0]["column"] - 1 : found[0]["end_column"] - 1] == "conv"
    assert json.loads(netspec("validate", "good.yaml", "--format", "json").out) == []


def test_as_sarif(netspec: Run) -> None:
    done = netspec("validate", "wrong.yaml", "--format", "sarif")
    assert (done.code, done.err) == (1, "")
    document = json.loads(done.out)
    (run,) = document["runs"]
    assert document["version"] == "2.1.0"
    assert run["tool"]["driver"]["version"] == __version__
    assert [result["ruleId"] for result in run["results"]] == ["NS301", "NS301"]
    place = run["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "wrong.yaml"
    assert "  rnorm1:" in WRONG.split("\n")[place["region"]["startLine"] - 1]


def test_as_github_annotations(netspec: Run) -> None:
    done = netspec("validate", "wrong.yaml", "--format", "github")
    assert (done.code, done.err) == (1, "")
    lines = done.out.splitlines()
    assert len(lines) == 2
    assert all(line.startswith("::error file=wrong.yaml,line=") and ",title=NS301::" in line for line in lines)
    assert netspec("validate", "good.yaml", "--format", "github").out == ""


def test_overrides_reach_every_file(netspec: Run) -> None:
    done = netspec("validate", "good.yaml", "doubtful.yaml", "--set", "layers.conv1.filters=16")
    assert done.out.count("4 layers, 4,373 parameters") == 2
    done = netspec("validate", "good.yaml", "--set", "layers.conv1.filtres=16")
    assert (done.code, "did you mean `filters`?" in done.err) == (1, True)


def test_the_ledger_that_a_spec_names(netspec: Run) -> None:
    done = netspec("validate", "alexnet")
    assert done.code == 0
    assert "alexnet against krizhevsky2012: " in done.out
    failing = netspec("validate", "alexnet", "--set", "layers.conv3.groups=2")
    assert (failing.code, "FAILS" in failing.out) == (1, True)


@pytest.mark.parametrize("form", ["json", "sarif", "github"])
def test_a_machine_gets_no_table(form: str, netspec: Run) -> None:
    """The table goes to stderr; a row that fails is a finding, NS509, in every format."""
    done = netspec("validate", "alexnet", "--set", "layers.conv3.groups=2", "--format", form)
    assert done.code == 1
    assert "verdict" not in done.out
    assert ("FAILS" in done.err, "NS509" in done.out) == (True, True)
    if form != "github":
        json.loads(done.out)


def test_another_ledger(netspec: Run) -> None:
    assert "against caffe" in netspec("validate", "alexnet-bvlc", "--against", "caffe").out
    assert netspec("validate", "alexnet-bvlc", "--against", "paper").code == 1
    done = netspec("validate", "good.yaml", "--against", "cafe")
    assert (done.code, "did you mean `caffe`?" in done.err) == (1, True)
