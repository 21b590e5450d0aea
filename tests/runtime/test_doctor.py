"""The rows of the doctor: each finding with its fix, also where a library is missing."""

from __future__ import annotations

import sys
from pathlib import Path

import onnx
import pytest

from netspec_runtime import cuda, doctor
from netspec_runtime.checks import Check, Status, failed, passed, warned
from netspec_runtime.distributions import imported_onnxruntime
from netspec_runtime.probe import probe_model
from netspec_runtime.session import CPU
from netspec_runtime.trial import try_onnxruntime


def row(name: str) -> Check:
    (found,) = (check for check in doctor.examine() if check.name == name)
    return found


def test_the_probe_is_valid_onnx() -> None:
    onnx.checker.check_model(onnx.load_from_string(probe_model()), full_check=True)


def test_the_probe_runs() -> None:
    trial = try_onnxruntime()
    assert (trial.problem, trial.provider in trial.compiled) == ("", True)


def test_a_whole_examination() -> None:
    checks = doctor.examine()
    names = [check.name for check in checks]
    assert len(set(names)) == len(names)
    assert all(check.fix for check in checks if check.status is not Status.OK)
    assert not any(check.fix for check in checks if check.status is Status.OK)


def test_exit_codes() -> None:
    good, bad, poor = passed("a", ""), failed("b", "", "x"), warned("c", "", "x")
    assert doctor.exit_code((good, poor)) == 0
    assert doctor.exit_code((good, bad, poor)) == 3


@pytest.mark.parametrize("missing", ["onnxruntime", "numpy", "torch"])
def test_without_a_library(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("netspec_runtime.") and name.endswith("trial")]:
        monkeypatch.delitem(sys.modules, name)
    for name in [name for name in sys.modules if name == "netspec_runtime.session"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    checks = {check.name: check for check in doctor.examine()}
    broken = {"onnxruntime": "provider", "numpy": "provider", "torch": "torch device"}[missing]
    assert checks[broken].status is Status.FAIL
    assert checks[broken].fix
    assert checks["python"].status is Status.OK


def test_an_old_python() -> None:
    assert doctor.check_python((3, 10, 9)).status is Status.FAIL


def test_no_driver_is_no_failure() -> None:
    check = doctor.check_driver(cuda.Obstacle("no NVIDIA driver", "install it"), 0)
    assert (check.status, check.fix) == (Status.WARN, "install it")
    assert doctor.check_driver(None, 2) == passed("cuda driver", "devices: 2")


def test_a_device_that_onnxruntime_does_not_take_is_a_failure() -> None:
    check = doctor.judge_provider((cuda.PROVIDER, CPU), CPU, cuda.Obstacle("libcudnn.so.9 is missing", "get it"), "")
    assert (check.status, check.fix) == (Status.FAIL, "get it")
    assert check.found == "CPUExecutionProvider though there is a CUDA device: libcudnn.so.9 is missing"


def test_an_onnxruntime_that_computes_nonsense() -> None:
    assert doctor.judge_provider((CPU,), CPU, None, "it answers 3 instead of 2").status is Status.FAIL


@pytest.mark.parametrize(
    ("built_for", "seen", "devices", "status"),
    [
        (None, 0, 0, Status.OK),
        ("13.0", 0, 0, Status.OK),
        ("13.0", 2, 2, Status.OK),
        (None, 0, 1, Status.WARN),
        ("13.0", 0, 1, Status.FAIL),
    ],
)
def test_torch(built_for: str | None, seen: int, devices: int, status: Status) -> None:
    assert doctor.judge_torch(built_for, seen, devices).status is status


def test_towers() -> None:
    assert [doctor.check_towers(count).found for count in (0, 1, 2)] == [
        "no CUDA device: cpu,cpu",
        "one CUDA device takes both: cuda:0,cuda:0",
        "--devices cuda:0,cuda:1",
    ]


def test_a_working_folder_that_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()
    assert doctor.check_folder().status is Status.FAIL


def test_a_full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "ROOM", 1 << 62)
    assert "MiB free" in doctor.check_folder().found


def test_onnxruntime_here() -> None:
    assert row("onnxruntime").status is Status.OK
    assert imported_onnxruntime().problem == ""
