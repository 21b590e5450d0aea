"""What a build touches (promise R13): its output folder, and nothing else on the disk or in the network."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from netspec.output import MANIFEST, OutputFolder
from tests.build.conftest import build
from tests.build.nets import TWO

WATCHED = """
import os, sys
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
CHANGES = "rename remove mkdir rmdir link symlink truncate chmod utime".split()
def watch(event, details):
    paths = [os.path.abspath(os.fsdecode(d)) for d in details if isinstance(d, (str, bytes))]
    if event == "open" and paths and details[2] & WRITES:
        print("WRITE", paths[0], file=sys.stderr)
    elif event in ["os." + change for change in CHANGES]:
        print("CHANGE", *paths, file=sys.stderr)
    elif event.startswith("socket.") and event != "socket.gethostname":
        print("NETWORK", event, file=sys.stderr)
    elif event in ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn"):
        print("PROGRAM", event, file=sys.stderr)
sys.addaudithook(watch)
from netspec.cli import main
main()
"""

# Sends itself a signal (2 is that of Ctrl-C) at the n-th write or rename in `out`.
INTERRUPTED = """
import os, sys
left, number = [int(sys.argv.pop(1))], int(sys.argv.pop(1))
def press(event, details):
    if event in ("open", "os.rename") and str(details[0]).startswith("out/.") and details[2] != os.O_RDONLY:
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), number)
sys.addaudithook(press)
from netspec.cli import main
main()
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "specs" / "two.yaml"
    path.parent.mkdir()
    path.write_text(TWO)
    return path


@pytest.mark.slow
def test_only_the_output_folder_is_written(spec: Path, tmp_path: Path) -> None:
    """With the proof and a file a device, watched by Python's audit hook."""
    command = [sys.executable, "-B", "-c", WATCHED, "build", str(spec), "--split", "--out", "out"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    seen = [line.split(" ", 1) for line in done.stderr.splitlines()]
    written = [line for kind, line in seen if kind == "WRITE"]
    out = str(tmp_path / "out")
    assert f"{out}/.two.onnx" in "\n".join(written)
    assert [line for line in written if not line.startswith(f"{out}/") and line != os.devnull] == []
    changed = [path for kind, line in seen if kind == "CHANGE" for path in line.split(" ")[1:]]
    assert [path for path in changed if not path.startswith(out)] == []
    assert [line for kind, line in seen if kind in {"NETWORK", "PROGRAM"}] == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("earlier", "number", "code"),
    [(False, signal.SIGINT, 130), (True, signal.SIGINT, 130), (True, signal.SIGTERM, 143)],
)
def test_a_stopped_build_leaves_no_trace_that_disturbs(
    earlier: bool, number: signal.Signals, code: int, spec: Path, tmp_path: Path
) -> None:
    """As a file is opened or moved: nothing half-written stays, and the next build knows its own files."""
    names = ("two.onnx", "two.yaml", "two.py", "graph.svg", "report.html")
    if earlier:
        build(tmp_path, "--no-check", "--set", "seed=1", "--out", "out", spec=str(spec))
    for moment in (1, 2, 3, 4, 7, 19, 20):
        command = [sys.executable, "-c", INTERRUPTED, str(moment), str(int(number))]
        command += ["build", str(spec), "--no-check", "--out", "out"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert (done.returncode, "Traceback" in done.stderr) == (code, False), (moment, done.stderr)
        assert list(tmp_path.glob("out/.*")) == []
        again = OutputFolder(tmp_path / "out", "hash")
        again.open()
        again.reserve(*names)
    build(tmp_path, "--no-check", "--out", "out", spec=str(spec))
    assert all((tmp_path / "out" / name).is_file() for name in names)


@pytest.mark.slow
def test_a_build_over_an_earlier_one(spec: Path, tmp_path: Path) -> None:
    """What the earlier one said of its weights is not left beside the new ones; foreign files stay."""
    build(tmp_path, "--split", "--out", "out", spec=str(spec))
    (tmp_path / "out" / "notes.txt").write_text("mine")
    before = {path.name for path in (tmp_path / "out").iterdir()}
    build(tmp_path, "--no-check", "--set", "seed=1", "--out", "out", spec=str(spec))
    after = {path.name for path in (tmp_path / "out").iterdir()}
    assert before - after == {"parity.json", "two.gpu0.onnx", "two.gpu1.onnx"}
    assert {"notes.txt", MANIFEST, "two.onnx", "two.py", "two.yaml"} <= after


@pytest.mark.slow
def test_the_spec_is_not_overwritten_by_its_own_build(spec: Path) -> None:
    """`--out .` beside the spec would write a file of its name."""
    command = [sys.executable, "-m", "netspec", "build", "two.yaml", "--no-check", "--out", ".", "--force"]
    done = subprocess.run(command, cwd=spec.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 4
    assert done.stderr == "netspec: two.yaml: this build reads that file; choose another folder with --out\n"
    assert spec.read_text() == TWO
    assert list(spec.parent.iterdir()) == [spec]
