"""The same spec gives the same bytes: on another day, in another folder, with other hashes, languages and threads."""

from __future__ import annotations

import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from netspec.output import MANIFEST
from netspec.spec.shipped import shipped_specs
from tests.build.conftest import build

# Python runs a module of this name when it starts: the clock of the second build stands in 1999.
ANOTHER_DAY = """
import datetime, time
_now = 930_000_000.5
time.time = lambda: _now
time.time_ns = lambda: int(_now * 1e9)
_gmtime, _localtime, _strftime = time.gmtime, time.localtime, time.strftime
time.gmtime = lambda seconds=None: _gmtime(_now if seconds is None else seconds)
time.localtime = lambda seconds=None: _localtime(_now if seconds is None else seconds)
time.strftime = lambda form, moment=None: _strftime(form, moment or time.localtime())
class _Day(datetime.datetime):
    @classmethod
    def now(cls, tz=None): return cls.fromtimestamp(_now, tz)
    @classmethod
    def utcnow(cls): return cls.fromtimestamp(_now)
    today = utcnow
datetime.datetime = _Day
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", ["alexnet", "lenet"])
def test_two_builds_are_byte_identical(name: str) -> None:
    """LeNet's with its proof and report, AlexNet's without the proof."""
    check = ["--no-check"] if name == "alexnet" else []
    with TemporaryDirectory() as first, TemporaryDirectory(suffix=" with blanks é") as second:
        build(Path(first), *check, "--split", "--out", "here", spec=name, PYTHONHASHSEED="1")
        (Path(second) / "sitecustomize.py").write_text(ANOTHER_DAY)
        other = {"PYTHONHASHSEED": "2", "PYTHONPATH": second, "TZ": "Asia/Tokyo", "LC_ALL": "C", "OMP_NUM_THREADS": "1"}
        assert "1999" in build_date(Path(second), other)
        build(Path(second), *check, "--split", "--out", "a/b c", spec=str(shipped_specs()[name]), **other)
        wanted, found = sums(Path(first) / "here"), sums(Path(second) / "a" / "b c")
    assert len(wanted) == 7
    assert found == wanted


def build_date(folder: Path, environment: dict[str, str]) -> str:
    """What a process started like the second build takes the date for."""
    script = "import time, datetime; print(time.strftime('%Y'), datetime.datetime.now().year)"
    command = [sys.executable, "-c", script]
    return subprocess.run(
        command, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, check=True
    ).stdout


def sums(folder: Path) -> dict[str, str]:
    """What the manifest says of times is its own business."""
    return {p.name: sha256(p.read_bytes()).hexdigest() for p in sorted(folder.iterdir()) if p.name != MANIFEST}
