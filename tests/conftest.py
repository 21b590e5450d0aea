"""What every test may use: the shared material beside the repository, and how much hypothesis tries. No test data."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"

# Two workers on two cores: torch's own threads would only fight. Tests that start a program hand this on to it.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

# A shell starts background jobs with Ctrl-C ignored, and children inherit that: tests of Ctrl-C would wait forever.
signal.signal(signal.SIGINT, signal.default_int_handler)

# No deadline anywhere: a slow machine is no bug. `make test` tries the same examples each time, `make quick` a few of
# them, `make soak` new ones.
settings.register_profile("test", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("quick", settings.get_profile("test"), max_examples=25)
settings.register_profile("soak", settings.get_profile("test"), derandomize=False, max_examples=5000)
settings.load_profile(os.environ.get("NETSPEC_HYPOTHESIS", "test"))


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder `../shared`. Skips where it is missing, and fails there if NETSPEC_REQUIRE_SHARED=1, as in CI."""
    if SHARED.is_dir():
        return SHARED
    if os.environ.get("NETSPEC_REQUIRE_SHARED") == "1":
        pytest.fail("NETSPEC_REQUIRE_SHARED=1, but there is no ../shared beside the repository", pytrace=False)
    pytest.skip("needs ../shared beside the repository: photos, original layer files, a pretrained net")


@pytest.fixture(scope="session")
def cifar10(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of CIFAR-10's binary batches: that in NETSPEC_CIFAR10, else fetched by ../shared's tool (npm)."""
    if "NETSPEC_CIFAR10" in os.environ:
        return Path(os.environ["NETSPEC_CIFAR10"])
    tool, folder = shared / "tools" / "get_cifar10.py", tmp_path_factory.mktemp("fetched")
    done = subprocess.run([sys.executable, str(tool), str(folder)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"CIFAR-10 could not be fetched: {done.stderr.strip().splitlines()[-1]}")
    return folder / "cifar-10-batches-bin"


@pytest.fixture(autouse=True)
def _same_numbers_in_any_order() -> None:
    """Modules that draw their own weights draw the same ones, whichever tests ran before in this process."""
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(0)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte. Skips where this user may mount none."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ("mount", "-t", "tmpfs", "-o", "size=1m", "none", str(disk))
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"mounting a small file system needs root: {done.stderr.strip()}")
    yield disk
    subprocess.run(("umount", str(disk)), check=True)
