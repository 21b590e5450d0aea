"""Weights written for an import, read back by safetensors itself. No net is built from them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file

from netspec.importers.weights import write_tensors
from netspec_runtime.errors import DataError

_RANDOM = np.random.default_rng(5)


def test_what_was_written_is_read(tmp_path: Path) -> None:
    odd = np.frombuffer(b"x" + _RANDOM.standard_normal(12, np.float32).tobytes(), np.float32, 12, 1)
    assert not odd.flags.aligned
    tensors = {
        "conv1.weight": odd.reshape(3, 4),
        "turned": _RANDOM.standard_normal((3, 5), np.float32).T,
        "reversed": _RANDOM.standard_normal((2, 3, 4), np.float32)[:, ::-1],
        "empty": np.empty((0, 3), np.float32),
        "one": np.array(2.5, np.float32),
    }
    path = tmp_path / "weights.safetensors"
    digest = write_tensors(path, tensors)
    read = load_file(path)
    assert read.keys() == tensors.keys()
    for name, array in tensors.items():
        assert read[name].shape == array.shape
        assert read[name].dtype == np.float32
        assert read[name].tobytes() == np.ascontiguousarray(array).tobytes()
    assert digest == hashlib.sha256(path.read_bytes()).hexdigest()
    head = int.from_bytes(path.read_bytes()[:8], "little")
    assert (8 + head) % 8 == 0


def test_the_same_tensors_make_the_same_file(tmp_path: Path) -> None:
    tensors = {"a": np.ones(3, np.float32), "b": np.zeros((2, 2), np.float32)}
    assert write_tensors(tmp_path / "1", tensors) == write_tensors(tmp_path / "2", tensors)


def test_metadata(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    write_tensors(path, {"a": np.ones(1, np.float32)}, {"licence": "bsd"})
    with safe_open(path, framework="np") as file:
        assert file.metadata() == {"licence": "bsd"}


def test_a_disk_that_is_full_leaves_the_file_that_was_there(small_disk: Path) -> None:
    path = small_disk / "weights.safetensors"
    write_tensors(path, {"a": np.ones(1, np.float32)})
    before = path.read_bytes()
    with pytest.raises(DataError, match="bytes are needed"):
        write_tensors(path, {"a": np.ones(1 << 20, np.float32)})
    assert path.read_bytes() == before
    assert [file.name for file in small_disk.iterdir()] == [path.name]
