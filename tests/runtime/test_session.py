"""Sessions: on the device that was asked for, or one line; and only for models that are what their card says."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime  # type: ignore[import-untyped]
import pytest
from onnx import TensorProto, helper

from netspec_runtime import cuda
from netspec_runtime.device import Device
from netspec_runtime.errors import DataError, EnvironmentProblem
from netspec_runtime.model_file import read_model
from netspec_runtime.session import CPU, open_net
from tests.runtime.models import SIDE, SmallNet, described, model

ALL = [cuda.PROVIDER, CPU]
NO_DRIVER = cuda.Obstacle("no NVIDIA driver", "install it")


def opened(path: Path, device: Device = Device.CPU) -> str:
    return open_net(read_model(str(path)), device, prepack=False).opened.provider


def test_cpu(model_path: Path) -> None:
    net = open_net(read_model(str(model_path)), Device.CPU, prepack=False)
    answer = net.probabilities(np.zeros((4, 3, SIDE, SIDE), np.float32))
    assert (net.classes, net.opened.provider, net.opened.obstacle) == (5, CPU, None)
    np.testing.assert_allclose(answer.sum(axis=1), 1, rtol=1e-5)


def test_auto_without_a_driver_is_the_cpu(model_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda, "driver_obstacle", lambda: NO_DRIVER)
    net = open_net(read_model(str(model_path)), Device.AUTO, prepack=False)
    assert (net.opened.provider, net.opened.obstacle) == (CPU, None)


def test_auto_says_why_a_device_that_is_here_is_not_used(model_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda, "driver_obstacle", lambda: None)
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [CPU])
    net = open_net(read_model(str(model_path)), Device.AUTO, prepack=False)
    assert net.opened.provider == CPU
    assert net.opened.obstacle is not None
    assert "no CUDA in it" in net.opened.obstacle.reason


def test_cuda_without_a_driver_fails_with_the_reason(model_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ALL)
    monkeypatch.setattr(cuda, "driver_obstacle", lambda: NO_DRIVER)
    with pytest.raises(EnvironmentProblem, match="--device cuda: no NVIDIA driver; install it"):
        opened(model_path, Device.CUDA)


def test_cuda_that_silently_becomes_the_cpu_fails(model_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if cuda.device_count():
        pytest.skip("this machine has a CUDA device: onnxruntime will not fall back")
    monkeypatch.setattr(cuda, "provider_obstacle", lambda _compiled, _package: None)
    with pytest.raises(EnvironmentProblem, match=r"--device cuda: .*; use --device auto"):
        opened(model_path, Device.CUDA)


def test_cuda_works_where_there_is_one(model_path: Path) -> None:
    if cuda.provider_obstacle(onnxruntime.get_available_providers(), Path(onnxruntime.__file__).parent):
        pytest.skip("onnxruntime has no CUDA on this machine")
    assert opened(model_path, Device.CUDA) == cuda.PROVIDER


def written(path: Path, change: Callable[[onnx.ModelProto], object], metadata: dict[str, str] | None = None) -> Path:
    """A small net in which something has been changed."""
    proto = onnx.load_from_string(SmallNet(metadata=metadata or described({})).plain_bytes())
    change(proto)
    path.write_bytes(proto.SerializeToString())
    return path


def changes() -> dict[str, tuple[Callable[[onnx.ModelProto], object], str]]:
    def fix_batch(proto: onnx.ModelProto) -> None:
        proto.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1

    def more_input(proto: onnx.ModelProto) -> None:
        proto.graph.input.append(helper.make_tensor_value_info("more", TensorProto.FLOAT, [1]))

    def wrong_operator(proto: onnx.ModelProto) -> None:
        proto.graph.node[0].op_type = "Convolution"

    def other_output(proto: onnx.ModelProto) -> None:
        del proto.graph.output[:]
        proto.graph.output.append(helper.make_tensor_value_info("relu1", TensorProto.FLOAT, ["N", 8, 7, 7]))

    def endless(proto: onnx.ModelProto) -> None:
        proto.graph.node[0].input[0] = "fc"

    return {
        "one picture at a time": (fix_batch, "takes 1 pictures at a time"),
        "two inputs": (more_input, "its input is not the 3x16x16 floats"),
        "unknown operator": (wrong_operator, r"onnxruntime refuses it: [^[/]*Convolution"),
        "no probabilities": (other_output, "no row of probabilities"),
        "a circle": (endless, r"onnxruntime refuses it: [A-Z]"),
    }


@pytest.mark.parametrize("case", changes())
def test_a_model_that_is_not_what_it_should_be(case: str, tmp_path: Path) -> None:
    change, reason = changes()[case]
    with pytest.raises(DataError, match=reason):
        opened(written(tmp_path / "a.onnx", change))


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        (described({}, labels=("a", "b")), "5 classes and 2 labels"),
        (described({"crop": [15, 15]}), "not the 3x15x15 floats"),
        (described({"channels": "grey", "mean": [0], "std": [1]}), "not the 1x16x16 floats"),
    ],
)
def test_a_card_that_does_not_fit(metadata: dict[str, str], reason: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=reason):
        opened(written(tmp_path / "a.onnx", lambda proto: proto, metadata))


def test_an_answer_that_is_no_number(tmp_path: Path) -> None:
    def spoil(proto: onnx.ModelProto) -> None:
        proto.graph.initializer[3].raw_data = np.full(5, np.nan, np.float32).tobytes()

    net = open_net(read_model(str(written(tmp_path / "a.onnx", spoil))), Device.CPU, prepack=False)
    with pytest.raises(DataError, match="no row of finite numbers"):
        net.probabilities(np.zeros((1, 3, SIDE, SIDE), np.float32))


def test_a_model_that_fails_while_it_runs(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Reshape", ["data", "shape"], ["flat"]),
        helper.make_node("Softmax", ["flat"], ["probs"]),
    ]
    shape = TensorProto(name="shape", data_type=TensorProto.INT64, dims=[2])
    shape.raw_data = np.array([7, 5], np.int64).tobytes()
    data = helper.make_tensor_value_info("data", TensorProto.FLOAT, ["N", 3, SIDE, SIDE])
    probs = helper.make_tensor_value_info("probs", TensorProto.FLOAT, ["N", 5])
    graph = helper.make_graph(nodes, "odd", [data], [probs], [shape])
    (tmp_path / "a.onnx").write_bytes(model(graph, described({})).SerializeToString())
    net = open_net(read_model(str(tmp_path / "a.onnx")), Device.CPU, prepack=False)
    with pytest.raises(DataError, match="onnxruntime fails: "):
        net.probabilities(np.zeros((1, 3, SIDE, SIDE), np.float32))


def test_the_home_folder_stays_as_it_was(tmp_path: Path) -> None:
    """There onnxruntime would keep an id of the machine, and say so on stderr where it cannot."""
    home = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    environment = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"} | home
    command = (sys.executable, "-c", "import netspec_runtime.session")
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert (done.stderr, list(tmp_path.iterdir())) == ("", [])
