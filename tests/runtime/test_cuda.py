"""What is in the way of CUDA, told apart. The driver and the libraries are stood in for: most machines have neither."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path

import pytest

from netspec_runtime import cuda

COMPILED = [cuda.PROVIDER, "CPUExecutionProvider"]

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="names of libraries are those of Linux")


class Driver:
    """Stands in for libcuda: ``status`` of cuInit, ``count`` of devices."""

    def __init__(self, status: int = 0, count: int = 1) -> None:
        self.status = status
        self.count = count

    def cuInit(self, _flags: int) -> int:  # noqa: N802 - the driver's own name
        return self.status

    def cuDeviceGetCount(self, pointer: object) -> int:  # noqa: N802 - the driver's own name
        pointer._obj.value = self.count  # type: ignore[attr-defined]  # what ctypes.byref points to
        return 0


@pytest.fixture
def libraries(monkeypatch: pytest.MonkeyPatch) -> dict[str, Driver | str]:
    """What loading each library gives: a driver, or the text of the error. Others load."""
    table: dict[str, Driver | str] = {}

    def load(name: str) -> Driver:
        found = table.get(Path(name).name, Driver())
        if isinstance(found, str):
            raise OSError(found)
        return found

    monkeypatch.setattr(ctypes, "CDLL", load)
    return table


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A folder onnxruntime with a CUDA library in it."""
    (tmp_path / "capi").mkdir()
    (tmp_path / "capi" / "libonnxruntime_providers_cuda.so").touch()
    return tmp_path


def reason(package: Path, compiled: list[str] = COMPILED) -> str | None:
    found = cuda.provider_obstacle(compiled, package)
    return found.reason if found else None


def test_nothing_in_the_way(libraries: dict[str, Driver | str], package: Path) -> None:
    libraries["libcuda.so.1"] = Driver(count=2)
    assert reason(package) is None
    assert cuda.device_count() == 2


def test_a_wheel_without_cuda(package: Path) -> None:
    found = cuda.provider_obstacle(["CPUExecutionProvider"], package)
    assert found is not None
    assert "force-reinstall --no-deps onnxruntime-gpu" in found.fix


def test_no_driver(libraries: dict[str, Driver | str], package: Path) -> None:
    libraries["libcuda.so.1"] = "libcuda.so.1: cannot open shared object file"
    assert reason(package) == "no NVIDIA driver (libcuda.so.1: cannot open shared object file)"
    assert cuda.device_count() == 0


@pytest.mark.parametrize(
    ("driver", "expected"),
    [
        (Driver(status=999), "the NVIDIA driver answers error 999"),
        (Driver(status=100, count=0), "the NVIDIA driver shows no device"),
        (Driver(count=0), "the NVIDIA driver shows no device"),
    ],
)
def test_a_driver_without_devices(
    driver: Driver, expected: str, libraries: dict[str, Driver | str], package: Path
) -> None:
    libraries["libcuda.so.1"] = driver
    assert reason(package) == expected


def test_a_missing_cuda_library(libraries: dict[str, Driver | str], package: Path) -> None:
    libraries["libonnxruntime_providers_cuda.so"] = "libcudnn.so.9: cannot open shared object file"
    assert reason(package) == "a library does not load (libcudnn.so.9: cannot open shared object file)"


def test_a_symbol_of_onnxruntime_is_no_obstacle(libraries: dict[str, Driver | str], package: Path) -> None:
    libraries["libonnxruntime_providers_cuda.so"] = "undefined symbol: Provider_GetHost"
    assert reason(package) is None


@pytest.mark.usefixtures("libraries")
def test_a_wheel_that_lost_its_cuda_library(tmp_path: Path) -> None:
    assert reason(tmp_path) == "libonnxruntime_providers_cuda.so is missing from onnxruntime"


def test_another_platform(monkeypatch: pytest.MonkeyPatch, package: Path) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert reason(package) == "there is no CUDA on darwin"
