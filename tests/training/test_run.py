"""Run folders: never over another, one process each, found again; and what environment.json says."""

from __future__ import annotations

import getpass
import json
import platform
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
import torch

from netspec_runtime.errors import DataError
from netspec_runtime.training.environment import describe_environment
from netspec_runtime.training.run import RunFolder, claim_run, create_run, find_latest, open_run

HOLD = """
import pathlib, sys
from netspec_runtime.training.run import RunFolder
with RunFolder(pathlib.Path(sys.argv[1]), "net").locked():
    print("held", flush=True)
    sys.stdin.read()
"""


def make(runs: Path, name: str) -> RunFolder:
    run = create_run(runs, name)
    run.write(run.spec.name, "netspec: 1\n")
    return run


def test_a_new_run_takes_the_first_free_name(tmp_path: Path) -> None:
    runs = tmp_path / "new" / "runs"
    assert [make(runs, "net").path.name for _ in range(3)] == ["net", "net-2", "net-3"]
    (runs / "net-4").write_text("a file is in the way too")
    assert make(runs, "net").path.name == "net-5"
    assert (runs / "net" / "net.yaml").read_text() == "netspec: 1\n"


def test_files_are_written_whole_and_replaced(tmp_path: Path) -> None:
    run = make(tmp_path, "net")
    run.write("module.py", b"old")
    assert run.write("module.py", "né").read_bytes() == "né".encode()
    assert json.loads(run.write_json("arguments.json", {"set": ["a=1"], "seed": None}).read_text()) == {
        "set": ["a=1"],
        "seed": None,
    }
    assert run.arguments.is_file()
    assert not any(path.suffix == ".tmp" for path in run.path.iterdir())


def test_the_latest_run_is_the_one_made_last(tmp_path: Path) -> None:
    assert find_latest(tmp_path / "none", "net") is None
    assert find_latest(tmp_path, "net") is None
    made = [make(tmp_path, "net") for _ in range(11)]
    assert find_latest(tmp_path, "net") == made[-1]
    assert made[-1].path.name == "net-11"


def test_the_latest_run_is_the_one_made_last_where_another_was_removed(tmp_path: Path) -> None:
    first, second, third = (make(tmp_path, "net") for _ in range(3))
    shutil.rmtree(first.path)
    shutil.rmtree(second.path)
    last = make(tmp_path, "net")
    assert (third.path.name, last.path.name) == ("net-3", "net-4")
    assert find_latest(tmp_path, "net") == last


def test_a_run_of_another_net_is_not_the_latest(tmp_path: Path) -> None:
    mine = make(tmp_path, "net")
    make(tmp_path, "net-2")
    make(tmp_path, "net-wide")
    create_run(tmp_path, "net")  # `net-3`, killed before it had a spec
    assert find_latest(tmp_path, "net") == mine


@pytest.mark.parametrize("name", ["net", "net-2"])
def test_a_run_is_opened_by_its_folder(tmp_path: Path, name: str) -> None:
    runs = [make(tmp_path, name) for _ in range(2)]
    assert [open_run(run.path) for run in runs] == runs
    moved = tmp_path / "elsewhere"
    runs[0].path.rename(moved)
    assert open_run(moved) == RunFolder(moved, name)


@pytest.mark.parametrize("path", ["missing", "empty", "file"])
def test_what_is_no_run_is_refused(tmp_path: Path, path: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="there is no such folder" if path == "missing" else "no run of netspec train"):
        open_run(tmp_path / path)


def test_a_place_for_runs_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "runs").touch()
    with pytest.raises(DataError, match="cannot make a folder"):
        create_run(tmp_path / "runs", "net")


def test_only_a_run_can_be_gone_on_with(tmp_path: Path) -> None:
    """Not pictures, nor prepared data."""
    (tmp_path / "prepared.json").touch()
    with pytest.raises(DataError, match=r"the folder is not empty; choose another with --out$"):
        claim_run(tmp_path, "net")
    (tmp_path / "prepared.json").rename(tmp_path / "arguments.json")
    with pytest.raises(DataError, match=r"choose another with --out, or go on with it: --resume$"):
        claim_run(tmp_path, "net")


def test_one_process_at_a_time_and_a_killed_one_lets_go(tmp_path: Path) -> None:
    run = make(tmp_path, "net")
    command = (sys.executable, "-c", HOLD, str(run.path))
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(DataError, match="another process is training into it"), run.locked():
            pytest.fail("two processes hold one run")
        other.kill()
        other.wait()
        with run.locked():
            pass
        with run.locked():  # given back at the end
            pass


def test_the_environment_says_what_ran_and_where_it_cannot_be_told_from(tmp_path: Path) -> None:
    found = describe_environment(("cpu", "cpu"), tmp_path)
    assert found["versions"]["netspec"] == metadata.version("netspec")
    assert found["versions"]["torch"] == metadata.version("torch")
    assert found["python"] == platform.python_version()
    assert found["devices"] == {"cpu": "cpu"}
    assert found["threads"] == torch.get_num_threads()
    assert found["commit"] is None
    text = json.dumps(found)
    assert platform.node() not in text
    assert str(Path.home()) not in text or str(Path.home()) == "/"
    assert getpass.getuser() not in text


def test_the_environment_has_the_commit_of_a_repository(tmp_path: Path) -> None:
    def git(*arguments: str) -> str:
        author = ("-c", "user.name=a", "-c", "user.email=a@b")
        return subprocess.run(
            ("git", "-C", str(tmp_path), *author, *arguments), check=True, capture_output=True, text=True
        ).stdout.strip()

    git("init", "--quiet")
    (tmp_path / "net.yaml").write_text("netspec: 1\n")
    git("add", "net.yaml")
    git("commit", "--quiet", "-m", "x", "--no-verify")
    name = git("rev-parse", "HEAD")
    assert describe_environment(("cpu",), tmp_path)["commit"] == {"name": name, "modified": False}
    (tmp_path / "net.yaml").write_text("netspec: 2\n")
    assert describe_environment(("cpu",), tmp_path)["commit"] == {"name": name, "modified": True}
