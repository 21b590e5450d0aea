"""What torchrun's variables and `--mesh` mean, and what is refused."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping

import pytest
import torch

from netspec_runtime.errors import EnvironmentProblem
from netspec_runtime.training.launch import Launch, MeshError, MeshShape, launch_mark

pytestmark = pytest.mark.slow

VARIABLES = {"RANK": "5", "WORLD_SIZE": "8", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "4"}


def say(monkeypatch: pytest.MonkeyPatch, variables: Mapping[str, str]) -> None:
    for name in (*VARIABLES, "TORCHELASTIC_RESTART_COUNT"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


def test_without_torchrun_a_process_is_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    say(monkeypatch, {})
    assert Launch.of_environment() is None
    say(monkeypatch, {**VARIABLES, "WORLD_SIZE": "1"})
    assert Launch.of_environment() is None


def test_torchrun_says_who_is_who(monkeypatch: pytest.MonkeyPatch) -> None:
    say(monkeypatch, {**VARIABLES, "TORCHELASTIC_RESTART_COUNT": "2"})
    assert Launch.of_environment() == Launch(5, 8, 1, 4, 2)


@pytest.mark.parametrize("wrong", [{"WORLD_SIZE": "8"}, {**VARIABLES, "RANK": "first"}])
def test_half_of_the_variables_make_no_sense(monkeypatch: pytest.MonkeyPatch, wrong: Mapping[str, str]) -> None:
    say(monkeypatch, wrong)
    with pytest.raises(EnvironmentProblem, match="start with torchrun, or unset WORLD_SIZE"):
        Launch.of_environment()


def test_each_process_needs_a_gpu_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert Launch(1, 2, 1, 2, 0).device("cuda") == torch.device("cuda:1")
    assert Launch(1, 4, 1, 4, 0).device("cpu") == torch.device("cpu")
    with pytest.raises(
        EnvironmentProblem,
        match="--devices cuda: 4 processes on this machine, and 2 GPUs; torchrun --nproc-per-node 2, or --devices cpu",
    ):
        Launch(1, 4, 1, 4, 0).device("cuda")


@pytest.mark.parametrize(
    ("text", "size", "devices", "shape"),
    [
        (None, 4, 2, MeshShape(2, 2)),
        (None, 3, 1, MeshShape(3, 1)),
        ("data=4", 4, 2, MeshShape(4, 1)),
        ("tower=2", 2, 2, MeshShape(1, 2)),
        ("data=2,tower=2", 4, 2, MeshShape(2, 2)),
        ("tower=2,data=3", 6, 2, MeshShape(3, 2)),
        ("trick=4", 4, 2, MeshShape(1, 4, trick=True)),
    ],
)
def test_a_mesh(text: str | None, size: int, devices: int, shape: MeshShape) -> None:
    assert MeshShape.chosen(text, size, devices) == shape
    assert shape.processes == size


@pytest.mark.parametrize(
    ("text", "size", "devices", "line"),
    [
        (None, 3, 2, "--mesh: the spec's 2 devices do not divide 3 processes; whole nets: --mesh data=3"),
        (
            "data=2,tower=2",
            2,
            2,
            "--mesh data=2,tower=2: that is 4 processes, and torchrun started 2; --nproc-per-node 4, or --mesh data=2",
        ),
        (
            "tower=4",
            4,
            2,
            "--mesh tower=4: 4 towers for a spec that names 2 devices; --mesh data=4, or tower=2",
        ),
        (
            "tower=2",
            2,
            1,
            "--mesh tower=2: 2 towers for a spec that names 1 device; --mesh data=2, or `gpu: [0, 1]` in the spec",
        ),
        *(
            (text, 2, 2, f"--mesh {text}: not a mesh; for instance data=2, data=2,tower=2 or trick=2")
            for text in ("2", "data=0", "data=-1", "data=2,data=2", "trick=2,data=1", "towers=2", "", "data=2,")
        ),
    ],
)
def test_a_mesh_that_does_not_fit_is_one_line_with_a_fix(text: str, size: int, devices: int, line: str) -> None:
    with pytest.raises(MeshError) as refused:
        MeshShape.chosen(text, size, devices)
    assert str(refused.value) == line
    assert refused.value.exit_code == 2


def test_a_launch_is_known_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """By torchrun's name of the run; that is "none" for everyone who chose none, so then by torchrun's process too."""
    monkeypatch.delenv("TORCHELASTIC_RUN_ID", raising=False)
    assert launch_mark() is None
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "night-7")
    assert launch_mark() == "night-7"
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
    assert launch_mark() == launch_mark()
    command = [sys.executable, "-c", "from netspec_runtime.training.launch import launch_mark; print(launch_mark())"]
    here = [subprocess.run(command, capture_output=True, text=True, check=True).stdout for _ in range(2)]
    nested = f"import subprocess; subprocess.run({command!r}, check=True)"
    done = subprocess.run([sys.executable, "-c", nested], capture_output=True, text=True, check=True)
    assert here[0] == here[1] != done.stdout
    assert str(os.getpid()) in here[0]
