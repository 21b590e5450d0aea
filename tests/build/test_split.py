"""A net in one ONNX file a device: it gives what the merged file gives, and foreign files are refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime  # type: ignore[import-untyped]
import pytest
from numpy.typing import NDArray

from netspec.backends.onnx.graph import OnnxGraph
from netspec.backends.onnx.split import split_graphs, write_split
from netspec.pipeline import Compiled
from netspec_runtime.card import SPLIT_KEY
from netspec_runtime.device import Device
from netspec_runtime.errors import DataError
from netspec_runtime.model_file import seal
from netspec_runtime.split import open_split
from netspec_runtime.weights import map_weights
from tests.build.nets import ALL, THREE, TWO, compiled, images, random_weights, write_model

Array = NDArray[np.float32]

# gpu 1 computes nothing until the end; gpu 0 nothing after the start; no device has all; results come back.
LATE = """
netspec: 1
name: late
input: {channels: 3, size: 10}
layers:
  conv1: {type: conv, inputs: data, filters: 4, size: 3, gpu: 0, init_w: 0.2}
  conv2: {type: conv, inputs: conv1, filters: 4, size: 3, gpu: 2, init_w: 0.2}
  conv3: {type: conv, inputs: conv2, filters: 4, size: 3, gpu: 0, init_w: 0.2}
  fc: {type: fc, inputs: [conv3, data], outputs: 4, gpu: 5, init_w: 0.1}
  probs: {type: softmax, inputs: fc}
"""
NETS = {**ALL, "late": LATE}


@dataclass(frozen=True)
class Written:
    """A net on disk in both forms."""

    net: Compiled
    merged: Path
    parts: tuple[Path, ...]

    def reference(self, batch: Array) -> dict[str, Array]:
        session = onnxruntime.InferenceSession(self.merged)
        names = [output.name for output in session.get_outputs()]
        return dict(zip(names, session.run(names, {"data": batch}), strict=True))


def write(text: str, folder: Path, seed: int = 0) -> Written:
    net = compiled(text)
    merged = write_model(net, folder, random_weights(net, seed))
    graphs: dict[str, OnnxGraph] = split_graphs(net.spec, net.placed, "fast", (), "")
    for name, graph in graphs.items():
        write_split(folder / name, graph, merged)
    return Written(net, merged, tuple(folder / name for name in graphs))


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("count", [1, 3])
def test_it_gives_what_the_merged_file_gives(name: str, count: int, tmp_path: Path) -> None:
    written = write(NETS[name], tmp_path)
    batch = images(written.net, count)
    wanted = written.reference(batch)
    for path in written.parts:
        found = open_split(str(path), [Device.CPU]).run(batch)
        assert list(found) == list(wanted) == list(written.net.typed.outputs)
        for output, values in wanted.items():
            assert np.abs(found[output] - values).max() <= 1e-6 * np.abs(values).max()


def test_a_file_a_device(tmp_path: Path) -> None:
    written = write(LATE, tmp_path)
    assert [path.name for path in written.parts] == ["late.gpu0.onnx", "late.gpu2.onnx", "late.gpu5.onnx"]
    net = open_split(str(written.parts[0]), [Device.CPU] * 3)
    busy = [[stage is not None for stage in part.stages] for part in net.parts]
    assert busy == [[True, False, True, False], [False, True, False, False], [False, False, False, True]]


def test_each_file_is_a_model_of_its_own(tmp_path: Path) -> None:
    """Its rows of the merged weights and nothing else, checked by onnx."""
    written = write(THREE, tmp_path)
    merged = map_weights(written.merged)
    for device, path in enumerate(written.parts):
        onnx.checker.check_model(str(path), full_check=True)
        rows = {p.name: p.rows for c in written.net.placed.computes if c.output.device == device for p in c.parameters}
        held = {name: array for name, array in map_weights(path).items() if name.endswith((".weight", ".bias"))}
        assert sorted(array.tobytes() for array in held.values()) == sorted(
            merged[name][part.start : part.stop].tobytes() for name, part in rows.items()
        )


def test_amounts_of_devices(tmp_path: Path) -> None:
    path = str(write(THREE, tmp_path).parts[1])
    with pytest.raises(DataError, match="2 devices for 3 files; name one device, or one for each file"):
        open_split(path, [Device.CPU, Device.CPU])


def refusal(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        open_split(str(path), [Device.CPU])
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_missing_sibling_is_named(tmp_path: Path) -> None:
    parts = write(TWO, tmp_path).parts
    parts[1].unlink()
    assert refusal(parts[0]).startswith(f"{parts[1]}: No such file or directory")


def test_a_sibling_of_another_spec(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    parts = write(TWO, tmp_path).parts
    other = write(TWO.replace("size: 5,", "size: 3,"), tmp_path / "other").parts
    shutil.copy(other[1], parts[1])
    assert refusal(parts[0]) == f"{parts[0]}: the files beside it are of another net; build them together with --split"


def test_a_whole_net(tmp_path: Path) -> None:
    written = write(TWO, tmp_path)
    assert "it is a whole net, no part of one; build the parts with `netspec build --split`" in refusal(written.merged)


def test_a_damaged_part(tmp_path: Path) -> None:
    path = write(TWO, tmp_path).parts[0]
    data = bytearray(path.read_bytes())
    data[data.index(b"conv1_0")] ^= 1
    path.write_bytes(data)
    assert "its graph does not match its seal" in refusal(path)


Document = dict[str, object]


@pytest.mark.parametrize(
    "change",
    [
        lambda plan: plan.pop("stages"),
        lambda plan: plan.update(files=[]),
        lambda plan: plan.update(files="two.gpu0.onnx"),
        lambda plan: plan.update(files=[1]),
        lambda plan: plan.update(stages=[1]),
        lambda plan: plan.update(stages=[[1]]),
        lambda plan: plan.update(copies=[1]),
        lambda plan: plan.update(copies={"a": 1}),
        lambda plan: plan.update(outputs=["probs"]),
        lambda plan: plan.update(outputs=[["probs"]]),
        lambda plan: plan.update(outputs=[["probs", "nothing"]]),
        lambda plan: plan.update(input=["nothing"]),
        lambda plan: plan.update(stages=[["nothing"]]),
        lambda plan: plan.update(stages=plan["stages"][1:]),
        lambda plan: plan.update(copies={}),
        lambda plan: plan.update(files=["../../two.gpu0.onnx", "/etc/passwd"]),
    ],
)
def test_a_plan_that_makes_no_sense(change: Callable[[Document], object], tmp_path: Path) -> None:
    """A file from elsewhere may say anything: one line, no traceback, and no file outside of the folder is opened."""
    path = write(TWO, tmp_path).parts[0]
    model = onnx.load(path)
    entry = next(p for p in model.metadata_props if p.key == SPLIT_KEY)
    plan = json.loads(entry.value)
    change(plan)
    entry.value = json.dumps(plan)
    onnx.save(model, path)
    seal(path)
    message = refusal(path)
    assert message.startswith(str(tmp_path))


def test_a_plan_that_is_no_json(tmp_path: Path) -> None:
    path = write(TWO, tmp_path).parts[0]
    model = onnx.load(path)
    next(p for p in model.metadata_props if p.key == SPLIT_KEY).value = "[" * 100_000
    onnx.save(model, path)
    seal(path)
    assert "what it says of the other devices is damaged" in refusal(path)
