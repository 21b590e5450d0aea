"""Whatever happens to the disk or to the process, the last whole checkpoint is there. Formats: test_checkpoint.py."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
import torch

from netspec_runtime.errors import DataError
from netspec_runtime.training.checkpoint import Checkpoint, Checkpoints, read_best, write_best
from tests.training.checkpoints import STATE, checkpoint, claimed, equal, same, tensors
from tests.training.faults import failing, refusal


def test_every_changed_bit_is_found(tmp_path: Path) -> None:
    saved = checkpoint(1, **STATE), checkpoint(2, **STATE)
    for one in saved:
        claimed(tmp_path).save(one)
    generator = random.Random(0)
    for path in (tmp_path / "step-00000002.json", tmp_path / "step-00000002.safetensors"):
        whole = path.read_bytes()
        for place in {0, len(whole) - 1, *generator.sample(range(len(whole)), 150)}:
            changed = bytearray(whole)
            changed[place] ^= 1 << generator.randrange(8)
            path.write_bytes(changed)
            expect_the_one_before(tmp_path, saved[0])
        for length in {0, 1, len(whole) - 1, *generator.sample(range(len(whole)), 20)}:
            path.write_bytes(whole[:length])
            expect_the_one_before(tmp_path, saved[0])
        path.write_bytes(whole + b"\n")
        expect_the_one_before(tmp_path, saved[0])
        path.write_bytes(whole)
    assert same(Checkpoints(tmp_path).latest()[0], saved[1])


def expect_the_one_before(folder: Path, before: Checkpoint) -> None:
    found, damaged = Checkpoints(folder).latest()
    assert same(found, before)
    (line,) = damaged
    assert "step-00000002.json" in line
    assert "so the one before it is used" in line


def test_a_fault_anywhere_leaves_the_last_one(tmp_path: Path) -> None:
    failed: list[str] = []
    for at in range(200):
        folder = tmp_path / str(at)
        checkpoints = claimed(folder)
        for step in (1, 2):
            checkpoints.save(checkpoint(step))
        with failing(at) as fault:
            refusal(partial(checkpoints.save, checkpoint(3)))
        found, damaged = Checkpoints(folder).latest()
        assert damaged == []
        if not fault.failed:
            break
        failed.append(fault.failed)
        assert found is not None
        assert same(found, checkpoint(found.step))
        assert found.step == 2 or failed.count("replace") == 2
        assert len(list(folder.iterdir())) == 4  # nothing begun is left
        checkpoints.save(checkpoint(4))
        assert same(checkpoints.latest()[0], checkpoint(4))
    assert failed.count("replace") == 2
    assert failed.count("fsync") == 4
    assert failed.count("write") > 10


def test_a_full_disk_leaves_the_last_one(small_disk: Path) -> None:
    checkpoints, ballast = claimed(small_disk / "run"), small_disk / "ballast"
    for step in (1, 2):
        checkpoints.save(large(step))
    status = os.statvfs(small_disk)
    free = status.f_bavail * status.f_frsize
    refused = 0
    for room in range(0, 110_000, 4096):
        ballast.write_bytes(bytes(free - room))
        step = 3 + room
        error = refusal(partial(checkpoints.save, large(step)))
        if error is not None:
            refused += 1
            assert "No space left on device" in str(error)
            step = 2
        assert same(Checkpoints(small_disk / "run").latest()[0], large(step))
        if step > 2:
            break
    assert refused >= 24


def large(step: int) -> Checkpoint:
    return Checkpoint(step, {"a": torch.full((25_000,), float(step))}, {}, {})


def kills(folder: Path, root: Path, rounds: int, seed: int) -> tuple[int, int]:
    command = (sys.executable, "-m", "tests.training.saving", str(folder), str(rounds), str(seed))
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    torn, steps = map(int, done.stdout.split())
    return torn, steps


@pytest.mark.slow
def test_a_kill_at_any_moment_leaves_a_good_one(tmp_path: Path, root: Path) -> None:
    torn, steps = kills(tmp_path / "run", root, 60, 0)
    assert torn >= 3  # the kills do come in the middle of writes
    assert steps > 10


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(1, 5))
def test_hundreds_of_kills(tmp_path: Path, root: Path, seed: int) -> None:
    torn, _ = kills(tmp_path / "run", root, 500, seed)
    assert torn >= 25


def test_every_changed_bit_of_the_best_weights_is_found(tmp_path: Path) -> None:
    path = write_best(tmp_path, tensors(1), {"step": 1, "error": 0.1})
    whole = path.read_bytes()
    generator = random.Random(0)
    for place in generator.sample(range(len(whole)), 300):
        changed = bytearray(whole)
        changed[place] ^= 1 << generator.randrange(8)
        path.write_bytes(changed)
        with pytest.raises(DataError):
            read_best(tmp_path)
    for length in generator.sample(range(len(whole)), 30):
        path.write_bytes(whole[:length])
        with pytest.raises(DataError):
            read_best(tmp_path)


def test_a_fault_leaves_the_best_weights_of_before(tmp_path: Path) -> None:
    write_best(tmp_path, tensors(1), {"step": 1})
    note: dict[str, int] = {}
    failed: list[str] = []
    for at in range(100):
        with failing(at) as fault:
            refusal(partial(write_best, tmp_path, tensors(2), {"step": 2}))
        weights, note = read_best(tmp_path)
        assert equal(weights["conv1.weight"], tensors(note["step"])["conv1.weight"])
        if not fault.failed:
            break
        assert note["step"] == 1 or "replace" in failed
        failed.append(fault.failed)
        assert len(list(tmp_path.iterdir())) == 1
    assert note == {"step": 2}
    assert failed.count("replace") == 1


def test_a_step_saved_again_replaces_the_first_only_when_it_is_whole(tmp_path: Path) -> None:
    checkpoints = claimed(tmp_path)
    checkpoints.save(checkpoint(5, tested=False))
    found: Checkpoint | None = None
    for at in range(100):
        with failing(at) as fault:
            refusal(partial(checkpoints.save, checkpoint(5, tested=True)))
        found, damaged = Checkpoints(tmp_path).latest()
        assert damaged == []
        assert same(found, checkpoint(5, tested=found is not None and found.state["tested"]))
        if not fault.failed:
            break
    assert same(found, checkpoint(5, tested=True))
    assert len(list(tmp_path.iterdir())) == 2
