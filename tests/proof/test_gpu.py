"""The same on a GPU: the split module on CUDA devices and onnxruntime's CUDA provider against the CPU. TF32 is off."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import netspec
from netspec.backends.onnx.model import merged_graph, write_merged
from netspec.backends.torch import emit_module
from netspec.proof.modules import load_classes
from netspec.weights import fill_initial
from netspec_runtime import cuda
from netspec_runtime.device import Device
from netspec_runtime.session import open_session

TOLERANCE = 1e-4


@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no CUDA device on this machine")
@pytest.mark.parametrize("devices", [("cuda:0", "cuda:0"), ("cuda:0", "cpu"), ("cpu", "cuda:0")])
def test_the_split_module_on_cuda_equals_the_merged_one_on_the_cpu(devices: tuple[str, str]) -> None:
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    compiled = netspec.compile("alexnet")
    merged_class, split_class = load_classes(emit_module(compiled.spec, compiled.merged, compiled.placed), "alexnet")
    assert split_class is not None
    merged, split = merged_class().eval(), split_class(*devices).eval()
    split.load_merged(merged.state_dict())  # type: ignore[operator]  # a generated method
    images = torch.randn(4, 3, 224, 224, generator=torch.Generator().manual_seed(0)) * 60
    with torch.no_grad():
        wanted, found = merged(images), split(images).cpu()
    assert float((wanted - found).abs().max() / wanted.abs().max()) <= TOLERANCE


@pytest.mark.skipif(not cuda.device_count(), reason="this machine has no CUDA device")
def test_onnxruntime_on_cuda_equals_the_cpu(tmp_path: Path) -> None:
    compiled = netspec.compile("alexnet")
    path = tmp_path / "alexnet.onnx"
    graph = merged_graph(compiled.spec, compiled.merged, "fast", ())
    write_merged(path, graph, lambda arrays: fill_initial(compiled.typed, compiled.spec.seed, arrays))
    images = np.random.default_rng(0).standard_normal((4, 3, 224, 224)).astype(np.float32) * 60
    answers = []
    for device in (Device.CPU, Device.CUDA):
        session = open_session(path.read_bytes(), tmp_path, device, prepack=True).session
        answers.append(session.run(["probs"], {"data": images})[0])
    assert np.abs(answers[0] - answers[1]).max() <= TOLERANCE * np.abs(answers[0]).max() * 10  # TF32 on the device
