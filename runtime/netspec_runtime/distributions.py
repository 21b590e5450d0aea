"""What pip has installed here, and whether it fits: versions, and the many wheels that share one onnxruntime folder.

It imports no library but onnxruntime, to see whether that folder still has something in it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import distributions
from typing import Final

from netspec_runtime.checks import Check, failed, passed, warned

# Each of these wheels writes its files into the same folder `onnxruntime`.
ONNXRUNTIMES: Final = frozenset(
    {"onnxruntime", *(f"onnxruntime-{kind}" for kind in ("gpu", "openvino", "directml", "rocm", "training"))}
    | {*(f"onnxruntime-{kind}" for kind in ("qnn", "cann", "migraphx", "webgpu", "azure", "silicon"))}
    | {"ort-nightly", "ort-nightly-gpu"}
)
PREFERRED: Final = "onnxruntime" if sys.platform == "darwin" else "onnxruntime-gpu"


@dataclass(frozen=True)
class Requirement:
    """A library, the oldest version that works and the first that does not; ``needed_by`` names the commands."""

    name: str
    oldest: str
    first_refused: str
    needed_by: str


REQUIREMENTS: Final = (
    Requirement("numpy", "2", "", "all commands"),
    Requirement("pillow", "12", "", "infer"),
    Requirement("onnx", "1.21", "2", "build"),
    Requirement("torch", "2.10", "", "build and train"),
)
ONNXRUNTIME: Final = Requirement(PREFERRED, "1.27", "", "infer and build")


@dataclass(frozen=True)
class Onnxruntime:
    """The onnxruntime folder as it is imported: which wheel its files are from, if any."""

    importable: bool
    wheel: str
    problem: str


def installed() -> dict[str, str]:
    """Version by name of every installed distribution; names as PyPI writes them (lower case, dashes)."""
    found = ((entry.metadata["Name"], entry.version) for entry in distributions())
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in found if name}


def imported_onnxruntime() -> Onnxruntime:
    """What `import onnxruntime` really gives."""
    try:
        module = import_module("onnxruntime")
    except (ImportError, OSError) as error:
        return Onnxruntime(importable=False, wheel="", problem=str(error).partition("\n")[0])
    if not hasattr(module, "InferenceSession"):
        return Onnxruntime(importable=False, wheel="", problem="the folder onnxruntime is empty")
    return Onnxruntime(importable=True, wheel=str(getattr(module, "package_name", "")), problem="")


def check_versions(versions: Mapping[str, str]) -> tuple[Check, ...]:
    """One row for each library of REQUIREMENTS."""
    return tuple(check_version(requirement, versions.get(requirement.name)) for requirement in REQUIREMENTS)


def check_version(requirement: Requirement, version: str | None) -> Check:
    """Whether ``version`` (None: not installed) is in the range."""
    name = requirement.name
    wanted = f"{name}>={requirement.oldest}" + (f",<{requirement.first_refused}" if requirement.first_refused else "")
    fix = f"python -m pip install '{wanted}'"
    if version is None:
        return failed(name, f"not installed; {requirement.needed_by} needs it", fix)
    too_new = requirement.first_refused and release(version) >= release(requirement.first_refused)
    if release(version) < release(requirement.oldest) or too_new:
        return failed(name, f"{version}, not {wanted}", fix)
    return passed(name, version)


def check_onnxruntime(versions: Mapping[str, str], found: Onnxruntime) -> Check:
    """Whether one, and only one, wheel owns the onnxruntime folder."""
    owners = sorted(set(versions) & ONNXRUNTIMES)
    if len(owners) > 1:
        # pip is content with this: the files of the last one lie over those of the first.
        fix = f"python -m pip uninstall -y {' '.join(owners)}; {_reinstall(PREFERRED)}"
        return failed("onnxruntime", f"{' and '.join(owners)} lie in one folder and spoil each other", fix)
    if not owners and not found.importable:
        return failed("onnxruntime", f"not installed ({found.problem})", f"python -m pip install '{PREFERRED}>=1.27'")
    if not owners:
        return warned("onnxruntime", "it works, but no wheel owns it", "nothing, if you built it yourself")
    name = owners[0]
    if not found.importable:
        return failed("onnxruntime", f"{name} does not import ({found.problem})", _reinstall(name))
    if found.wheel and found.wheel != name:
        return failed("onnxruntime", f"{name} is installed, but its files are those of {found.wheel}", _reinstall(name))
    row = check_version(ONNXRUNTIME, versions[name])
    return Check("onnxruntime", row.status, f"{name} {row.found}", row.fix)


def _reinstall(name: str) -> str:
    return f"python -m pip install --force-reinstall --no-deps {name}"


def release(version: str) -> tuple[int, ...]:
    """The numbers of a version without what follows them: (2, 13) from ``2.13.0+cpu``; zeros at the end are dropped."""
    match = re.match(r"\d+(\.\d+)*", version)
    numbers = [int(part) for part in match[0].split(".")] if match else []
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)
