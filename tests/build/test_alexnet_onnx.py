"""AlexNet's ONNX file: onnxruntime and onnx take it as it is, and it is the generated module, input by input."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import onnxruntime  # type: ignore[import-untyped]
import pytest
import torch
from numpy.typing import NDArray

from netspec.backends.onnx.outputs import with_outputs
from netspec.backends.torch import emit_module
from netspec.proof.modules import load_classes, merged_module
from netspec.proof.prove import relative_error
from netspec_runtime.device import Device
from netspec_runtime.model_file import read_model
from netspec_runtime.session import open_net, open_session
from netspec_runtime.split import open_split
from netspec_runtime.weights import map_weights
from tests.build.conftest import Built
from tests.build.nets import images

Array = NDArray[np.float32]
WARNING = 2

pytestmark = pytest.mark.slow
CHUNK, CHUNKS = 16, 16


@pytest.fixture(scope="module")
def plain(alexnet: Built) -> Iterator[onnxruntime.InferenceSession]:
    """As anyone opens it: by path, without an option of netspec's."""
    onnxruntime.set_default_logger_severity(WARNING)
    yield onnxruntime.InferenceSession(alexnet.model)
    onnxruntime.set_default_logger_severity(WARNING)


def test_it_loads_without_a_warning(alexnet: Built, capfd: pytest.CaptureFixture[str]) -> None:
    onnxruntime.set_default_logger_severity(WARNING)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = WARNING
    session = onnxruntime.InferenceSession(alexnet.model, options)
    session.run(None, {"data": images(alexnet.net, 1)})
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("batch", [1, 3, 10])
def test_any_batch(plain: onnxruntime.InferenceSession, alexnet: Built, batch: int) -> None:
    pictures = images(alexnet.net, batch)
    (probabilities,) = plain.run(None, {"data": pictures})
    assert probabilities.shape == (batch, 1000)
    assert np.allclose(probabilities.sum(1), 1, atol=1e-5)
    (alone,) = plain.run(None, {"data": pictures[-1:]})
    assert np.allclose(probabilities[-1:], alone, rtol=1e-4, atol=1e-7)


def test_the_runtime_gives_what_anyone_gets(plain: onnxruntime.InferenceSession, alexnet: Built) -> None:
    """Though it maps the weights instead of reading them: bit for bit."""
    pictures = images(alexnet.net, 2)
    net = open_net(read_model(str(alexnet.model)), Device.CPU, prepack=True)
    assert np.array_equal(net.probabilities(pictures), plain.run(None, {"data": pictures})[0])


def test_its_two_files_are_the_one(plain: onnxruntime.InferenceSession, alexnet: Built) -> None:
    pictures = images(alexnet.net, 2)
    (wanted,) = plain.run(None, {"data": pictures})
    for device in (0, 1):
        net = open_split(str(alexnet.folder / f"alexnet.gpu{device}.onnx"), [Device.CPU, Device.CPU])
        assert relative_error(wanted, net.run(pictures)["probs"]) <= 1e-6
    sizes = [path.stat().st_size for path in sorted(alexnet.folder.glob("*.gpu*.onnx"))]
    floats = [alexnet.net.placed.parameters_on(device) for device in (0, 1)]
    assert all(4 * count < size < 4 * count + 200_000 for size, count in zip(sizes, floats, strict=True))


def test_onnx_checks_it_in_full(alexnet: Built) -> None:
    onnx.checker.check_model(str(alexnet.model), full_check=True)


def test_every_layer_is_the_modules_on_256_inputs(alexnet: Built) -> None:
    """Within 1e-4 of the layer's magnitude, image by image, and the same largest output. 16 images at a time."""
    net = alexnet.net
    names = [node.name for node in net.typed.nodes]
    source = emit_module(net.spec, net.merged, net.merged, trace=True)
    weights = map_weights(alexnet.model)
    module = merged_module(load_classes(source, "alexnet")[0], {p.name: weights[p.name] for p in net.typed.parameters})
    session = traced(alexnet.model, names)
    worst, same = 0.0, 0
    for chunk in range(CHUNKS):
        pictures = images(net, CHUNK, seed=chunk)
        with torch.no_grad():
            wanted = {name: value.numpy() for name, value in module(torch.from_numpy(pictures)).items()}
        found = dict(zip(names, session.run(names, {"data": pictures}), strict=True))
        worst = max(worst, *(relative_error(wanted[name], found[name]) for name in names))
        same += int((wanted["probs"].argmax(1) == found["probs"].argmax(1)).sum())
    assert same == CHUNK * CHUNKS == 256
    assert worst <= 1e-4


def traced(model: Path, names: list[str]) -> onnxruntime.InferenceSession:
    """A session that returns every layer."""
    opened = read_model(str(model))
    graph = with_outputs(opened.graph, names)
    return open_session(graph, opened.path.parent, Device.CPU, prepack=True).session
