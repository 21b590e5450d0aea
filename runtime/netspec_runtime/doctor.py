"""What is wrong with this machine for netspec, row by row with the fix. It repairs and installs nothing.

It works where libraries are missing or broken: each is looked at on its own, and imported only for its own row.
"""

from __future__ import annotations

import os
import shutil
import sys
from importlib import import_module
from pathlib import Path
from typing import Final

from netspec_runtime import cuda
from netspec_runtime.checks import Check, Status, failed, passed, warned
from netspec_runtime.distributions import (
    Onnxruntime,
    check_onnxruntime,
    check_versions,
    imported_onnxruntime,
    installed,
)
from netspec_runtime.errors import EnvironmentProblem

OLDEST_PYTHON: Final = (3, 11)
ROOM: Final = 1 << 30  # bytes; a built AlexNet is 250 MB, a training run keeps a few of them


def examine() -> tuple[Check, ...]:
    """All rows, in the order in which they should be mended."""
    versions = installed()
    onnxruntime = imported_onnxruntime()
    return (
        check_python(sys.version_info[:3]),
        *check_versions(versions),
        check_onnxruntime(versions, onnxruntime),
        check_driver(cuda.driver_obstacle(), cuda.device_count()),
        check_provider(onnxruntime),  # before torch is imported: its CUDA libraries would help onnxruntime
        check_torch(present="torch" in versions, devices=cuda.device_count()),
        check_towers(cuda.device_count()),
        check_folder(),
    )


def exit_code(checks: tuple[Check, ...]) -> int:
    """0 if everything works at least on the CPU, 3 if something is broken."""
    broken = any(check.status is Status.FAIL for check in checks)
    return EnvironmentProblem.exit_code if broken else 0


def check_python(version: tuple[int, int, int]) -> Check:
    """Whether this Python is new enough."""
    text = ".".join(map(str, version))
    if version < OLDEST_PYTHON:
        return failed("python", text, "use Python 3.11 or newer")
    return passed("python", text)


def check_driver(obstacle: cuda.Obstacle | None, devices: int) -> Check:
    """Whether NVIDIA's driver shows a device to this process."""
    if obstacle is None:
        return passed("cuda driver", f"devices: {devices}")
    return warned("cuda driver", f"{obstacle.reason}; everything runs on the CPU", obstacle.fix)


def check_provider(onnxruntime: Onnxruntime) -> Check:
    """Where a session really runs."""
    if not onnxruntime.importable:
        return failed("provider", "no onnxruntime to ask", "see the row onnxruntime")
    try:
        from netspec_runtime.trial import try_onnxruntime
    except ImportError as error:
        return failed("provider", f"onnxruntime cannot be asked ({error})", "see the rows above")
    trial = try_onnxruntime()
    return judge_provider(trial.compiled, trial.provider, trial.obstacle, trial.problem)


def judge_provider(compiled: tuple[str, ...], provider: str, obstacle: cuda.Obstacle | None, problem: str) -> Check:
    """The provider that a session got, against those that onnxruntime was ``compiled`` with."""
    if problem:
        return failed("provider", f"onnxruntime does not work: {problem}", cuda.REINSTALL)
    if obstacle is not None:
        return failed("provider", f"{provider} though there is a CUDA device: {obstacle.reason}", obstacle.fix)
    return passed("provider", f"{provider} (compiled: {', '.join(compiled)})")


def check_torch(*, present: bool, devices: int) -> Check:
    """Whether torch imports, and sees the devices that the driver shows."""
    if not present:
        return warned("torch device", "no torch to ask", "see the row torch")
    try:
        torch = import_module("torch")
    except (ImportError, OSError) as error:
        reason = str(error).partition("\n")[0]
        return failed("torch device", f"torch does not import ({reason})", "pip install --force-reinstall torch")
    return judge_torch(torch.version.cuda, int(torch.cuda.device_count()), devices)


def judge_torch(built_for: str | None, seen: int, devices: int) -> Check:
    """What torch was built for (None: no CUDA) and sees, against the ``devices`` that the driver shows."""
    if devices and not built_for:
        return warned("torch device", "a build without CUDA: train runs on the CPU", "install torch with CUDA")
    if devices and not seen:
        return failed("torch device", f"built for CUDA {built_for}, sees none of {devices}", "update the driver")
    return passed("torch device", f"CUDA {built_for}, devices: {seen}" if seen else "CPU")


def check_towers(devices: int) -> Check:
    """Where the two towers of a net can live."""
    if devices > 1:
        return passed("two towers", "--devices cuda:0,cuda:1")
    if devices == 1:
        return passed("two towers", "one CUDA device takes both: cuda:0,cuda:0")
    return passed("two towers", "no CUDA device: cpu,cpu")


def check_folder() -> Check:
    """Whether there is room in the working folder."""
    try:
        folder = Path.cwd()
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return failed("folder", f"the working folder cannot be read ({error.strerror})", "go to another folder")
    if not os.access(folder, os.W_OK):
        return warned("folder", "no permission to write here", "go to another folder, or give -o to build")
    if free < ROOM:
        return warned("folder", f"{free >> 20} MiB free", "make room: a built AlexNet takes 250 MB")
    return passed("folder", f"{free >> 30} GiB free")
