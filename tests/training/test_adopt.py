"""The start of a fine-tuning: which weights are taken from real files of another net, and what is said of the rest."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file

from netspec_runtime.errors import DataError
from netspec_runtime.training.adopt import SHOWN, adopt
from netspec_runtime.training.checkpoint import Checkpoint, write_best
from tests.build.nets import ONE, compiled, random_weights, write_model
from tests.training.checkpoints import claimed

Array = NDArray[np.float32]


def arrays(**shapes: tuple[int, ...]) -> dict[str, Array]:
    """Zeros under names with a dot for each double underscore."""
    return {name.replace("__", "."): np.zeros(shape, np.float32) for name, shape in shapes.items()}


def net() -> dict[str, Array]:
    return arrays(conv1__weight=(4, 3, 5, 5), conv1__bias=(4,), fc8__weight=(10, 64), fc8__bias=(10,))


def pretrained() -> dict[str, torch.Tensor]:
    """The same net with 1000 classes."""
    shapes = {"conv1.weight": (4, 3, 5, 5), "conv1.bias": (4,), "fc8.weight": (1000, 64), "fc8.bias": (1000,)}
    return {name: torch.randn(shape) for name, shape in shapes.items()}


def test_another_classifier_is_not_taken_and_the_rest_is(tmp_path: Path) -> None:
    file, weights, initial = tmp_path / "w.safetensors", pretrained(), net()
    initial["fc8.weight"][...] = 7
    save_file(weights, file)
    report = adopt(initial, file)
    assert report.taken == ("conv1.weight", "conv1.bias")
    assert np.array_equal(initial["conv1.weight"], weights["conv1.weight"].numpy())
    assert np.array_equal(initial["conv1.bias"], weights["conv1.bias"].numpy())
    assert (initial["fc8.weight"] == 7).all()
    assert report.lines() == [
        f"from {file}: 2 of 4 tensors, 304 numbers",
        "  taken: conv1",
        "  not taken, so it starts as the spec says: fc8.weight is 10x64 here, 1000x64 there",
        "  not taken, so it starts as the spec says: fc8.bias is 10 here, 1000 there",
    ]


def test_a_renamed_layer_is_suggested(tmp_path: Path) -> None:
    file, weights = tmp_path / "w.safetensors", pretrained()
    weights["conv_1.bias"] = weights.pop("conv1.bias")
    weights["conv9.deep.weight"] = torch.zeros(1)
    save_file(weights, file)
    lines = adopt(net(), file).lines()
    assert "  not taken, so it starts as the spec says: conv1.bias is not in the file" in lines
    assert "  in the file only: conv_1.bias is not in this net (did you mean conv1.bias?)" in lines
    assert "  in the file only: conv9.deep.weight is not in this net" in lines


@pytest.mark.parametrize(
    ("tensor", "reason"),
    [
        (torch.tensor([1.0, float("nan"), 0.0, 2.0]), "has numbers there that are not finite"),
        (torch.tensor([1.0, float("-inf"), 0.0, 2.0]), "has numbers there that are not finite"),
        (torch.tensor([1.0, 1e300, 0.0, 2.0], dtype=torch.float64), "has numbers there that are not finite as float32"),
        (torch.arange(4), "has int64 numbers there"),
        (torch.tensor(1.0), "is 4 here, one number there"),
    ],
)
def test_no_weights(tensor: torch.Tensor, reason: str, tmp_path: Path) -> None:
    file = tmp_path / "w.safetensors"
    save_file({**pretrained(), "conv1.bias": tensor}, file)
    initial = net()
    refused = {one.name: one.reason for one in adopt(initial, file).refused}
    assert refused["conv1.bias"] == reason
    assert (initial["conv1.bias"] == 0).all()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_other_floats_are_converted(dtype: torch.dtype, tmp_path: Path) -> None:
    file, weights, initial = tmp_path / "w.safetensors", pretrained(), net()
    save_file({name: tensor.to(dtype) for name, tensor in weights.items()}, file)
    assert "conv1.weight" in adopt(initial, file).taken
    assert np.array_equal(initial["conv1.weight"], weights["conv1.weight"].to(dtype).float().numpy())


def test_a_net_that_netspec_wrote_as_onnx(tmp_path: Path) -> None:
    made = compiled(ONE)
    weights = random_weights(made)
    file = write_model(made, tmp_path, weights)
    initial = {name: np.zeros_like(array) for name, array in weights.items()}
    report = adopt(initial, file)
    assert set(report.taken) == set(weights)
    assert report.refused == report.unused == ()
    assert {name: a.tobytes() for name, a in initial.items()} == {name: a.tobytes() for name, a in weights.items()}


def test_a_checkpoint_has_weights_beside_its_momentum(tmp_path: Path) -> None:
    weights = pretrained()
    momentum = {name: torch.zeros_like(tensor) for name, tensor in weights.items()}
    for step in (3, 20):
        claimed(tmp_path / "checkpoints").save(Checkpoint(step, weights, momentum, {}))
    initial = net()
    report = adopt(initial, tmp_path)
    assert report.file.name == "step-00000020.safetensors"
    assert report.taken == ("conv1.weight", "conv1.bias")
    assert report.unused == ()
    assert np.array_equal(initial["conv1.bias"], weights["conv1.bias"].numpy())


def test_a_damaged_checkpoint_gives_way_to_the_one_before_it(tmp_path: Path) -> None:
    weights, folder = pretrained(), tmp_path / "checkpoints"
    for step in (99_999_999, 100_000_000):  # as names, the first one is the later
        claimed(folder).save(Checkpoint(step, weights, {}, {}))
    assert adopt(net(), tmp_path).file.name == "step-100000000.safetensors"
    file = folder / "step-100000000.safetensors"
    data = bytearray(file.read_bytes())
    data[-5] ^= 1
    file.write_bytes(data)
    assert adopt(net(), tmp_path).file.name == "step-99999999.safetensors"
    (folder / "step-99999999.safetensors").unlink()
    with pytest.raises(DataError, match="none of its 2 checkpoints is whole"):
        adopt(net(), tmp_path)


def test_a_run_gives_its_best_weights(tmp_path: Path) -> None:
    best = pretrained()
    write_best(tmp_path, best, {"step": 1})
    claimed(tmp_path / "checkpoints").save(Checkpoint(3, pretrained(), {}, {}))
    initial = net()
    assert adopt(initial, tmp_path).file == tmp_path / "best.safetensors"
    assert np.array_equal(initial["conv1.bias"], best["conv1.bias"].numpy())


def test_damaged_weights_of_a_run_are_refused(tmp_path: Path) -> None:
    file = write_best(tmp_path, pretrained(), {"step": 1})
    data = bytearray(file.read_bytes())
    data[-5] ^= 1
    file.write_bytes(data)
    with pytest.raises(DataError, match="damaged"):
        adopt(net(), tmp_path)


def test_counters_of_batch_norms_are_nobodys_business(tmp_path: Path) -> None:
    module = torch.nn.Sequential()
    module.add_module("norm", torch.nn.BatchNorm2d(4))
    file, initial = tmp_path / "w.safetensors", arrays(norm__weight=(4,), norm__bias=(4,), norm__running_mean=(4,))
    initial["norm.running_var"] = np.zeros(4, np.float32)
    save_file(module.state_dict(), file)
    report = adopt(initial, file)
    assert len(report.taken) == 4
    assert report.unused == ()
    assert (initial["norm.running_var"] == 1).all()


def test_nothing_taken_is_an_error_that_names_both_sides(tmp_path: Path) -> None:
    file = tmp_path / "w.safetensors"
    save_file({"features.0.weight": torch.zeros(4, 3, 5, 5), "classifier.bias": torch.zeros(10)}, file)
    initial = net()
    with pytest.raises(DataError, match=r"nothing in it fits this net: conv1\.weight is not in the file") as caught:
        adopt(initial, file)
    assert "it has classifier.bias, features.0.weight" in str(caught.value)
    assert "rename" in caught.value.fix
    assert not any(array.any() for array in initial.values())


@pytest.mark.parametrize("content", [b"", b"no model", b"\x08\0\0\0\0\0\0\0{nojson}", b"\xff" * 8 + b"{" + b"x" * 50])
def test_what_is_no_file_of_weights(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "weights"
    file.write_bytes(content)
    with pytest.raises(DataError):
        adopt(net(), file)


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="No such file"):
        adopt(net(), tmp_path / "none.safetensors")
    with pytest.raises(DataError, match="no weights in this folder"):
        adopt(net(), tmp_path)


def test_a_long_report_is_cut(tmp_path: Path) -> None:
    file = tmp_path / "w.safetensors"
    save_file({"conv1.bias": torch.ones(4)}, file)
    many = {f"layer{i}.weight": np.zeros(1, np.float32) for i in range(SHOWN + 5)}
    lines = adopt({**net(), **many}, file).lines()
    assert len(lines) == 2 + SHOWN + 1
    assert lines[-1] == "  not taken, so it starts as the spec says: 8 more"


@pytest.mark.parametrize(
    ("name", "content", "files"),
    [
        ("net.caffemodel", b"\n\x03net", "NET.prototxt 'of others/net.caffemodel'"),
        ("net.pt", b"PK\3\4", "SPEC 'of others/net.pt'"),
        ("net.bin", b"\x80\x02\x8a", "SPEC 'of others/net.bin'"),
    ],
)
def test_weights_of_other_tools_are_to_be_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes, files: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("of others").mkdir()
    Path("of others", name).write_bytes(content)
    fix = f"make a safetensors file of it: netspec import {files} -o weights.safetensors"
    with pytest.raises(DataError, match=re.escape(f"{name}: it is neither a safetensors nor an ONNX file; {fix}")):
        adopt(net(), Path("of others", name))


def test_what_holds_no_weights_is_said_plainly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    spec = tmp_path / "tiny.yaml"
    spec.write_text("netspec: 1\nname: tiny\n")
    with pytest.raises(DataError, match="it holds no weights: neither a safetensors nor an ONNX file; give a run's"):
        adopt(net(), spec)
    with pytest.raises(DataError, match="alexnet: No such file or directory; check the path: a file of weights, or"):
        adopt(net(), Path("alexnet"))
    (tmp_path / "runs" / "alexnet").mkdir(parents=True)
    with pytest.raises(DataError, match=r"alexnet: No such file or directory; did you mean its run, runs/alexnet\?"):
        adopt(net(), Path("alexnet"))
