"""What pip has installed: the two onnxruntime wheels are told apart, and versions are numbers."""

from __future__ import annotations

import pytest

from netspec_runtime.checks import Status
from netspec_runtime.distributions import (
    ONNXRUNTIME,
    PREFERRED,
    REQUIREMENTS,
    Onnxruntime,
    check_onnxruntime,
    check_version,
    check_versions,
    imported_onnxruntime,
    installed,
    release,
)

GPU = Onnxruntime(importable=True, wheel="onnxruntime-gpu", problem="")
EMPTY = Onnxruntime(importable=False, wheel="", problem="the folder onnxruntime is empty")


@pytest.mark.parametrize(
    ("version", "numbers"),
    [
        ("2", (2,)),
        ("2.0.0", (2,)),
        ("2.13.0+cpu", (2, 13)),
        ("1.27.1rc2", (1, 27, 1)),
        ("1.10", (1, 10)),
        ("unknown", ()),
    ],
)
def test_release(version: str, numbers: tuple[int, ...]) -> None:
    assert release(version) == numbers


def test_one_wheel() -> None:
    check = check_onnxruntime({"onnxruntime-gpu": "1.31.1", "onnx": "1.23"}, GPU)
    assert (check.status, check.found, check.fix) == (Status.OK, "onnxruntime-gpu 1.31.1", "")


def test_two_wheels_in_one_folder() -> None:
    check = check_onnxruntime({"onnxruntime-gpu": "1.31.1", "onnxruntime": "1.31.1"}, GPU)
    assert check.status is Status.FAIL
    assert check.found.startswith("onnxruntime and onnxruntime-gpu lie in one folder")
    assert "uninstall -y onnxruntime onnxruntime-gpu; " in check.fix
    assert check.fix.endswith(f"--force-reinstall --no-deps {PREFERRED}")


def test_one_of_two_was_uninstalled_and_took_the_files() -> None:
    check = check_onnxruntime({"onnxruntime-gpu": "1.31.1"}, EMPTY)
    assert check.status is Status.FAIL
    assert check.found == "onnxruntime-gpu does not import (the folder onnxruntime is empty)"
    assert check.fix.endswith("--force-reinstall --no-deps onnxruntime-gpu")


def test_the_files_of_another_wheel() -> None:
    cpu = Onnxruntime(importable=True, wheel="onnxruntime", problem="")
    check = check_onnxruntime({"onnxruntime-gpu": "1.31.1"}, cpu)
    assert (check.status, "files are those of onnxruntime" in check.found) == (Status.FAIL, True)


def test_no_wheel() -> None:
    assert check_onnxruntime({}, EMPTY).found.startswith("not installed")
    assert check_onnxruntime({}, GPU).status is Status.WARN


def test_an_old_wheel() -> None:
    check = check_onnxruntime({"onnxruntime-gpu": "1.9.0"}, GPU)
    assert (check.status, check.found) == (Status.FAIL, f"onnxruntime-gpu 1.9.0, not {PREFERRED}>=1.27")


@pytest.mark.parametrize(
    ("name", "version", "status"),
    [
        ("numpy", "1.26.4", Status.FAIL),
        ("numpy", "2.0.0", Status.OK),
        ("pillow", "9.5.0", Status.FAIL),
        ("onnx", "1.21", Status.OK),
        ("onnx", "1.9.0", Status.FAIL),
        ("onnx", "2.0.1", Status.FAIL),
        ("torch", "2.13.0+cpu", Status.OK),
        ("torch", None, Status.FAIL),
    ],
)
def test_ranges(name: str, version: str | None, status: Status) -> None:
    (requirement,) = (requirement for requirement in REQUIREMENTS if requirement.name == name)
    check = check_version(requirement, version)
    assert check.status is status
    assert (check.fix != "") == (status is Status.FAIL)


def test_this_machine() -> None:
    versions = installed()
    assert {"numpy", "pillow", "onnx", "torch"} <= set(versions)
    assert all(check.status is Status.OK for check in check_versions(versions))
    assert check_version(ONNXRUNTIME, versions[PREFERRED]).status is Status.OK
    assert imported_onnxruntime().importable
