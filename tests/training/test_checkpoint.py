"""Checkpoints come back bit for bit or not at all. Faults of disks and processes: test_checkpoint_faults.py."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from safetensors.torch import load_file

from netspec_runtime.errors import DataError
from netspec_runtime.training.checkpoint import Checkpoint, Checkpoints, read_best, seal, unseal, write_best
from tests.training.checkpoints import STATE, checkpoint, claimed, equal, same, tensors


def test_what_is_saved_comes_back_bit_for_bit(tmp_path: Path) -> None:
    saved = checkpoint(7, **STATE)
    note = claimed(tmp_path).save(saved)
    found, damaged = Checkpoints(tmp_path).latest()
    assert same(found, saved)
    assert damaged == []
    assert json.loads(note.read_text())["state"] == STATE
    plain = load_file(note.with_suffix(".safetensors"))
    assert equal(plain["weights.turned"], saved.weights["turned"])


def test_no_momentum_and_no_weights_come_back_as_none(tmp_path: Path) -> None:
    claimed(tmp_path).save(Checkpoint(0, {}, {}, {}))
    assert Checkpoints(tmp_path).latest() == (Checkpoint(0, {}, {}, {}), [])


def test_there_is_none_before_the_first(tmp_path: Path) -> None:
    assert Checkpoints(tmp_path / "new" / "folder").latest() == (None, [])


def test_the_two_newest_are_kept(tmp_path: Path) -> None:
    checkpoints = claimed(tmp_path)
    for step in (3, 99_999_999, 123_456_789):
        checkpoints.save(checkpoint(step))
    names = {p.name for p in tmp_path.iterdir()}
    assert names == {f"step-{n}.{kind}" for n in (99999999, 123456789) for kind in ("json", "safetensors")}
    found, _ = checkpoints.latest()
    assert same(found, checkpoint(123_456_789))


def test_a_damaged_one_gives_way_to_those_saved_after_it_was_passed_over(tmp_path: Path) -> None:
    for step in (1, 5):
        claimed(tmp_path).save(checkpoint(step))
    (tmp_path / "step-00000005.safetensors").write_bytes(b"")
    checkpoints = claimed(tmp_path)
    found, _ = checkpoints.latest()
    assert same(found, checkpoint(1))
    for step in (2, 3):
        checkpoints.save(checkpoint(step))
        assert same(Checkpoints(tmp_path).latest()[0], checkpoint(step))
    assert {p.stem for p in tmp_path.iterdir()} == {"step-00000002", "step-00000003"}


def test_none_that_is_whole_is_an_error(tmp_path: Path) -> None:
    claimed(tmp_path).save(checkpoint(1))
    (tmp_path / "step-00000001.safetensors").unlink()
    with pytest.raises(DataError, match="none of its 1 checkpoints is whole"):
        Checkpoints(tmp_path).latest()


def test_a_note_of_another_format_is_refused_and_not_skipped(tmp_path: Path) -> None:
    note = claimed(tmp_path).save(checkpoint(1))
    note.write_bytes(seal({**unseal(note.read_bytes()), "format": 2}))
    with pytest.raises(DataError, match="it has format 2, this netspec reads 1"):
        Checkpoints(tmp_path).latest()


def test_the_best_weights_come_back_with_their_note(tmp_path: Path) -> None:
    write_best(tmp_path, tensors(1), {"step": 1, "error": 0.1})
    path = write_best(tmp_path, tensors(2), {"step": 2, "error": 0.05})
    weights, note = read_best(tmp_path)
    assert note == {"step": 2, "error": 0.05}
    assert weights.keys() == tensors(2).keys()
    assert all(equal(weights[name], tensor) for name, tensor in tensors(2).items())
    assert equal(load_file(path)["conv1.weight"], tensors(2)["conv1.weight"])
