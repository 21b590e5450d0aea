"""`netspec train` under torchrun: killed, stopped and resumed in other processes, it ends where one process does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest

from netspec_runtime.training.checkpoint import Checkpoints
from tests.cli.runs import draw_pictures, prepared
from tests.training.mesh_run import free_ports

SPEC = """
netspec: 1
name: towers
input: {channels: 3, size: 16}
classes: 6
defaults:
  conv: {neuron: relu, init_w: he}
layers:
  conv1: {type: conv, inputs: data, filters: 8, size: 5, stride: 2, gpu: [0, 1]}
  rnorm1: {type: rnorm, inputs: conv1, size: 3, k: 2, alpha: 1e-4, alpha_over: sum, groups: 2}
  conv2: {type: conv, inputs: rnorm1, filters: 8, size: 3, pad: 1}
  pool2: {type: pool, inputs: conv2, pool: max, size: 2, stride: 2}
  fc3: {type: fc, inputs: pool2, outputs: 16, neuron: relu, init_w: 0.05}
  drop3: {type: dropout, inputs: fc3, rate: 0.5}
  fc4: {type: fc, inputs: drop3, outputs: 6, gpu: 0}
  probs: {type: softmax, inputs: fc4}
data: {resize: 20, mirror: true, mean: image, std: [64, 64, 64], color_pca: 0.1}
train: {batch: 10, epochs: 8, momentum: 0.9, decay: 0.0005, lr: {start: 0.01, divide: 10, when: [4]}}
"""
STEPS = 8 * 4  # 48 pictures, in batches of 10
STOPPED = 130
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a spec, prepared pictures, and a whole run of one process."""
    folder = tmp_path_factory.mktemp("runs")
    draw_pictures(folder / "pictures")
    prepared(folder / "pictures", folder / "data")
    (folder / "towers.yaml").write_text(SPEC)
    with started(folder, netspec("--runs", "alone")) as process:
        assert process.wait(120) == 0
    return folder


def netspec(*options: str, spec: bool = True) -> list[str]:
    named = ["towers.yaml", "--data", "data"] if spec else []
    return ["-m", "netspec", "train", *named, "--devices", "cpu", "--workers", "1", "--save-every", "1", *options]


def torchrun(count: int, command: list[str], restarts: int = 0) -> list[str]:
    options = ["--standalone", f"--nproc-per-node={count}", f"--max-restarts={restarts}"]
    return ["-m", "torch.distributed.run", *options, "--module", *command[1:]]


@contextmanager
def started(
    folder: Path, command: list[str], said_in: str = "said.txt", **variables: str
) -> Iterator[subprocess.Popen[bytes]]:
    """A program of Python in the folder; what it says is kept in `said.txt`, or another file."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **variables}
    with (folder / said_in).open("wb") as said:
        process = subprocess.Popen([sys.executable, *command], cwd=folder, env=environment, stdout=said, stderr=said)
        try:
            yield process
        finally:
            for child in children(process.pid):
                os.kill(child, signal.SIGKILL)
            process.kill()
            process.wait()


def children(process: int) -> list[int]:
    path = Path(f"/proc/{process}/task/{process}/children")
    return [int(word) for word in path.read_text().split()] if path.exists() else []


def wait_for_step(folder: Path, step: int, process: subprocess.Popen[bytes]) -> None:
    """Until a checkpoint of at least so many steps is there."""
    wait_until(lambda: max(steps(folder), default=0) >= step or process.poll() is not None)
    assert process.poll() is None, (folder.parent.parent / "said.txt").read_text()


def steps(folder: Path) -> list[int]:
    return [int(path.stem.removeprefix("step-")) for path in folder.glob("checkpoints/step-*.json")]


def wait_until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 120
    while not holds():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.005)


def assert_as_alone(place: Path, run: str) -> None:
    wanted, _ = Checkpoints(place / "alone" / "towers" / "checkpoints").latest()
    found, damaged = Checkpoints(place / run / "towers" / "checkpoints").latest()
    assert wanted is not None
    assert found is not None
    assert (wanted.step, found.step, damaged) == (STEPS, STEPS, [])
    for mine, others in ((wanted.weights, found.weights), (wanted.momentum, found.momentum)):
        assert mine.keys() == others.keys()
        assert max(float((mine[name] - others[name]).abs().max()) for name in mine) <= 1e-6
    assert found.state["position"]["weights"] == wanted.state["position"]["weights"]
    assert found.state["watch"]["dead"] == wanted.state["watch"]["dead"]


def test_towers_of_which_one_is_killed_are_started_again_and_resume(place: Path) -> None:
    with started(place, torchrun(2, netspec("--runs", "killed"), restarts=1)) as process:
        wait_for_step(place / "killed" / "towers", 5, process)
        os.kill(children(process.pid)[-1], signal.SIGKILL)
        assert process.wait(120) == 0, (place / "said.txt").read_text()
    assert "another process is gone" in (place / "said.txt").read_text()
    assert_as_alone(place, "killed")
    assert (place / "killed" / "towers" / "model.onnx").exists()


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(20))
def test_any_process_may_be_killed_at_any_moment(place: Path, seed: int) -> None:
    """Two meshes of two and one of four; also while the first process saves, and before anything is saved."""
    random = Random(seed)
    mesh, count = random.choice([("tower=2", 2), ("trick=2", 2), ("data=2,tower=2", 4)])
    run = f"killed-{seed}"
    with started(place, torchrun(count, netspec("--runs", run, "--mesh", mesh), restarts=1)) as process:
        wait_until(lambda: len(children(process.pid)) == count)
        wait_for_step(place / run / "towers", random.randrange(STEPS - 5), process)
        time.sleep(random.random() / 10)
        os.kill(random.choice(children(process.pid)), signal.SIGKILL)
        assert process.wait(120) == 0, (place / "said.txt").read_text()
    assert_as_alone(place, run)


def test_a_run_goes_from_one_process_to_two_and_back(place: Path) -> None:
    """Ctrl-C each time; torchrun hands it on to its processes, and they all stop after the same step."""
    with started(place, netspec("--runs", "moved")) as process:
        wait_for_step(place / "moved" / "towers", 3, process)
        process.send_signal(signal.SIGINT)
        assert process.wait(120) == STOPPED
    first = max(steps(place / "moved" / "towers"))
    resumed = netspec("--resume", "moved/towers", "--mesh", "trick=2", spec=False)
    with started(place, torchrun(2, resumed)) as process:
        wait_for_step(place / "moved" / "towers", first + 3, process)
        process.send_signal(signal.SIGINT)
        assert process.wait(120) != 0
    said = (place / "said.txt").read_text()
    assert said.count("stopped and saved after step") == 1, said
    second = max(steps(place / "moved" / "towers"))
    assert first < second < STEPS
    with started(place, netspec("--resume", "moved/towers", spec=False)) as process:
        assert process.wait(120) == 0, (place / "said.txt").read_text()
    assert_as_alone(place, "moved")


def test_without_torchrun_a_signal_to_one_process_ends_all_of_them_unfinished(place: Path) -> None:
    """Whoever started the first one must not take the run for a whole one."""
    command = netspec("--runs", "by-hand", "--mesh", "data=2")
    where = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_ports(1)[0])}
    group = {**where, "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2"}
    with (
        started(place, command, **group, RANK="0", LOCAL_RANK="0") as first,
        started(place, command, "second.txt", **group, RANK="1", LOCAL_RANK="1") as second,
    ):
        wait_for_step(place / "by-hand" / "towers", 3, first)
        second.send_signal(signal.SIGTERM)
        assert (first.wait(120), second.wait(120)) == (143, 143), (place / "said.txt").read_text()
    assert "stopped and saved after step" in (place / "said.txt").read_text()


def test_torchrun_leaves_the_options_to_netspec(place: Path) -> None:
    """Also those that begin like its own; and each process takes leave of the others."""
    flags = ("--out", "named", "--until-error", "1", "--device", "cpu", "--precision", "float32")
    with started(place, torchrun(2, ["-m", "netspec", "train", "towers.yaml", "--data", "data", *flags])) as process:
        assert process.wait(120) == 0, (place / "said.txt").read_text()
    assert sorted(steps(place / "named")) == [0, 4]


def test_a_share_of_a_batch_is_not_empty(place: Path) -> None:
    command = torchrun(2, netspec("--mesh", "data=2", "--set", "train.batch=1"))
    with started(place, command) as process:
        assert process.wait(120) != 0
    said = (place / "said.txt").read_text()
    assert said.count("netspec: --mesh: 2 processes cannot share a batch of 1; use fewer, or a larger batch") == 1


def test_what_all_processes_meet_at_the_start_is_told_once(place: Path) -> None:
    with started(place, torchrun(2, ["-m", "netspec", "train", "towers.yaml", "--data", "none"])) as process:
        assert process.wait(120) == 1
    assert (place / "said.txt").read_text().count("netspec: none: ") == 1


def test_a_divergence_is_told_once(place: Path) -> None:
    command = torchrun(2, netspec("--mesh", "data=2", "--runs", "wild", "--set", "train.lr=1e30"))
    with started(place, command) as process:
        assert process.wait(120) == 1  # torchrun's own
    said = (place / "said.txt").read_text()
    assert len([line for line in said.splitlines() if line.startswith("netspec: step ")]) == 1
    assert "the last good checkpoint is wild/towers" in said.replace(f"{place}/", "")


@pytest.mark.parametrize(
    ("mesh", "line"),
    [
        ("data=3", "--mesh data=3: that is 3 processes, and torchrun started 2; --nproc-per-node 3"),
        ("trick=2,data=1", "not a mesh; for instance data=2"),
    ],
)
def test_a_wrong_mesh_is_one_line(place: Path, mesh: str, line: str) -> None:
    environment = {**os.environ, "RANK": "0", "WORLD_SIZE": "2", "LOCAL_RANK": "0", "LOCAL_WORLD_SIZE": "2"}
    command = [sys.executable, *netspec("--mesh", mesh)]
    done = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert line in done.stderr
    assert done.stderr.count("\n") == 1
