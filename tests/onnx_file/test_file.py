"""The file writer: what stands in the file, at every length, and what is left when a write fails."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Iterator
from math import prod
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import numpy_helper

from netspec.backends.onnx.file import ALIGNMENT, LIMIT, write_model
from netspec.backends.onnx.graph import OnnxGraph, Tensor
from netspec.backends.onnx.model import merged_graph
from netspec.ir.shape import Range
from netspec_runtime.errors import DataError
from netspec_runtime.layout import read_layout
from netspec_runtime.model_file import SEAL_KEY, seal_of
from netspec_runtime.weights import map_weights
from tests.build.nets import ALL, compiled, random_weights
from tests.build.nets import write_model as write_net

Array = NDArray[np.float32]


def graph(about: int, *sizes: tuple[int, ...]) -> OnnxGraph:
    """No operators, a text of ``about`` bytes, and weights of these sizes."""
    body = onnx.helper.make_graph([], "g", [], [], doc_string="x" * about)
    model = onnx.helper.make_model(body, ir_version=10, opset_imports=[onnx.helper.make_opsetid("", 18)])
    onnx.helper.set_model_props(model, {SEAL_KEY: "0" * 64})
    tensors = (Tensor(f"w{i}", f"w{i}", Range(0, dims[0]), dims) for i, dims in enumerate(sizes))
    return OnnxGraph(model, tuple(tensors))


def numbered(arrays: dict[str, Array]) -> None:
    for name, array in arrays.items():
        array[...] = np.arange(array.size, dtype=np.float32).reshape(array.shape) + len(name)


def check(path: Path, wanted: OnnxGraph, weights: dict[str, Array]) -> None:
    """The file is the skeleton and the weights, each aligned, and sealed."""
    data = path.read_bytes()
    layout = read_layout(data)
    places = {t.name: t.raw.body for t in layout.initializers.values() if t.raw is not None}
    assert {name for name in weights if places[name] % ALIGNMENT} == set()
    parsed = onnx.load(path)
    found = {t.name: t for t in parsed.graph.initializer}
    for name, array in weights.items():
        assert np.array_equal(numpy_helper.to_array(found[name]), array)
    assert next(p.value for p in parsed.metadata_props if p.key == SEAL_KEY) == seal_of(data, layout)
    assert stripped(parsed, set(weights)) == stripped(wanted.model, set())


def stripped(model: onnx.ModelProto, weights: set[str]) -> bytes:
    """Without weights and seal."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    kept = [t for t in copy.graph.initializer if t.name not in weights]
    del copy.graph.initializer[:]
    copy.graph.initializer.extend(kept)
    for entry in copy.metadata_props:
        entry.value = "" if entry.key == SEAL_KEY else entry.value
    return bytes(copy.SerializeToString(deterministic=True))


@pytest.mark.parametrize("net", ALL)
def test_the_file_is_the_graph_and_its_weights(net: str, tmp_path: Path) -> None:
    made = compiled(ALL[net])
    weights = random_weights(made)
    path = write_net(made, tmp_path, weights)
    check(path, merged_graph(made.spec, made.merged, "fast", ()), weights)
    assert {n: a.tobytes() for n, a in map_weights(path).items() if n in weights} == {
        n: a.tobytes() for n, a in weights.items()
    }


@pytest.mark.parametrize("edge", [1 << 7, 1 << 14])
def test_graphs_around_a_longer_length(edge: int, tmp_path: Path) -> None:
    """Where the length of the graph needs another byte in front, which moves all that follows."""
    path, found = tmp_path / "g.onnx", set()
    for about in range(max(0, edge - 200), edge - 20):
        made = graph(about, (1,))
        write_model(path, made, numbered)
        check(path, made, {"w0": map_weights(path)["w0"].copy()})
        found.add(length(path))
    assert min(found) < (edge, 0) < max(found)
    assert {width for _, width in found} == {1 + (edge > 128), 2 + (edge > 128)}


def test_a_length_that_no_shortest_form_can_say(tmp_path: Path) -> None:
    """With 1 byte for it the graph is 128 long, with 2 it is 127: alignment keeps the end where it is."""
    path, found = tmp_path / "g.onnx", set()
    for producer in range(ALIGNMENT):
        made = graph(70, (1,))
        made.model.producer_name = "p" * producer
        write_model(path, made, numbered)
        check(path, made, {"w0": map_weights(path)["w0"].copy()})
        found.add(length(path))
    assert (127, 2) in found


def length(path: Path) -> tuple[int, int]:
    """Of the graph, and in how many bytes it is said."""
    field = next(f for f in read_layout(path.read_bytes()).model_fields if f.number == 7)
    return field.end - field.body, field.body - field.start - 1


@pytest.mark.parametrize("count", [1, 7, 8, 9, 31, 32, 33, 1023, 4095, 4096, 4097, (1 << 19) - 20, 1 << 19])
def test_tensors_around_a_longer_length(count: int, tmp_path: Path) -> None:
    made = graph(1, (count,), (1,), (count, 1))
    write_model(tmp_path / "g.onnx", made, numbered)
    check(tmp_path / "g.onnx", made, {n: a.copy() for n, a in map_weights(tmp_path / "g.onnx").items()})


def test_two_files_of_the_same_are_the_same(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_model(tmp_path / name, graph(5, (100, 3)), numbered)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_more_than_one_file_can_hold_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    too_large = graph(1, (1 << 20, 600))

    def never(_: dict[str, Array]) -> None:
        pytest.fail("asked for weights")

    with pytest.raises(DataError) as caught:
        write_model(tmp_path / "g.onnx", too_large, never)
    assert caught.value.reason.startswith("the model takes 2,516,58")
    assert f"at most {LIMIT:,}" in caught.value.reason
    assert caught.value.fix == "make the net smaller: fewer filters, outputs or layers"
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "g.onnx"
    path.write_bytes(b"an older file")
    return path


def intact(old: Path) -> bool:
    return old.read_bytes() == b"an older file" and list(old.parent.iterdir()) == [old]


@pytest.mark.parametrize("error", [DataError("w", "no", "do"), KeyboardInterrupt(), MemoryError()])
def test_a_fill_that_raises_leaves_the_old_file(error: BaseException, old: Path) -> None:
    def fill(arrays: dict[str, Array]) -> None:
        numbered(arrays)
        raise error

    with pytest.raises(type(error)):
        write_model(old, graph(1, (1000,)), fill)
    assert intact(old)


def test_a_full_disk_names_the_bytes(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(DataError, match=r"cannot write [0-9,]+ bytes: No space left on device; free some space"):
        write_model(old, graph(1, (1000,)), numbered)
    assert intact(old)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MB. Skips where this user may not mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", place], capture_output=True, check=False)
    if made.returncode:
        pytest.skip("needs the right to mount a tmpfs")
    yield place
    subprocess.run(["umount", place], check=True)


def test_a_disk_that_is_really_full(small_disk: Path) -> None:
    old = small_disk / "g.onnx"
    old.write_bytes(b"an older file")
    with pytest.raises(DataError, match="No space left on device"):
        write_model(old, graph(1, (1 << 20,)), numbered)
    assert intact(old)
    write_model(old, graph(1, (1 << 10,)), numbered)
    assert prod(map_weights(old)["w0"].shape) == 1 << 10


def test_what_a_killed_build_left_is_no_obstacle_and_no_way_out(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("mine")
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / f".g.onnx.{os.getpid()}.tmp").symlink_to(outside)
    write_model(folder / "g.onnx", graph(1, (3,)), numbered)
    assert outside.read_text() == "mine"
    assert list(folder.iterdir()) == [folder / "g.onnx"]


def test_no_folder_to_write_to(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="No such file or directory"):
        write_model(tmp_path / "none" / "g.onnx", graph(1, (3,)), numbered)
