"""Whether onnxruntime can use CUDA on this machine, and if not, what is in the way. It opens no session.

onnxruntime itself only says which providers it was compiled with, and falls back to the CPU without an error.
"""

from __future__ import annotations

import ctypes
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PROVIDER: Final = "CUDAExecutionProvider"
REINSTALL: Final = "python -m pip install --force-reinstall --no-deps onnxruntime-gpu"
_NO_DEVICE: Final = 100  # CUDA_ERROR_NO_DEVICE
_DRIVERS: Final = {"linux": "libcuda.so.1", "win32": "nvcuda.dll"}
_LIBRARIES: Final = {"linux": "libonnxruntime_providers_cuda.so", "win32": "onnxruntime_providers_cuda.dll"}


@dataclass(frozen=True)
class Obstacle:
    """What keeps CUDA from being used, and what to do about it."""

    reason: str
    fix: str


def driver_obstacle() -> Obstacle | None:
    """Why NVIDIA's driver shows no device; None if it shows one."""
    name = _DRIVERS.get(sys.platform)
    if name is None:
        return Obstacle(f"there is no CUDA on {sys.platform}", "use --device cpu")
    try:
        driver = ctypes.CDLL(name)
    except OSError as error:
        return Obstacle(f"no NVIDIA driver ({error})", "install the driver, or use --device cpu")
    status, count = _device_count(driver)
    if status not in {0, _NO_DEVICE}:
        return Obstacle(f"the NVIDIA driver answers error {status}", "see what `nvidia-smi` says")
    if count == 0:
        return Obstacle("the NVIDIA driver shows no device", "see nvidia-smi and CUDA_VISIBLE_DEVICES")
    return None


def device_count() -> int:
    """How many CUDA devices the driver shows to this process; 0 without a driver."""
    try:
        return _device_count(ctypes.CDLL(_DRIVERS.get(sys.platform, "no driver")))[1]
    except OSError:
        return 0


def _device_count(driver: ctypes.CDLL) -> tuple[int, int]:
    """The driver's status (0 is success) and its number of devices."""
    count = ctypes.c_int(0)
    status = driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count))
    return int(status), count.value


def provider_obstacle(compiled: list[str], package: Path) -> Obstacle | None:
    """Why the onnxruntime in the folder ``package``, compiled with these providers, cannot use CUDA."""
    if PROVIDER not in compiled:
        return Obstacle("the installed onnxruntime has no CUDA in it", f"run `{REINSTALL}`; see `netspec doctor`")
    return driver_obstacle() or _library_obstacle(package)


def _library_obstacle(package: Path) -> Obstacle | None:
    """Why the library that brings CUDA to onnxruntime does not load."""
    library = package / "capi" / _LIBRARIES.get(sys.platform, "")
    if not library.is_file():
        return Obstacle(f"{library.name} is missing from onnxruntime", f"run `{REINSTALL}`")
    try:
        ctypes.CDLL(str(library))
    except OSError as error:
        # onnxruntime loads a library of its own first; a symbol of that one is no news.
        if "undefined symbol: Provider_GetHost" not in str(error):
            return Obstacle(f"a library does not load ({error})", "install CUDA and cuDNN for this onnxruntime")
    return None
