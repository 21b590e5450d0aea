"""Transposed convolution on several devices, and kernels that interpolate."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from netspec.diagnostics import SpecError
from netspec.pipeline import compile_spec
from netspec.spec.load import load_text
from netspec.weights import fill_initial
from tests.conformance.forms import Forms, run_torch
from tests.conformance.rules import problems
from tests.property.equality import differences

NET = """
netspec: 1
name: net
input: {{channels: 4, size: [5, 3]}}
layers:
  up: {{type: deconv, inputs: data, {keys}}}
"""
KEYS = (
    "filters: 6, size: 4, stride: 2, pad: 1",
    "filters: 8, size: [3, 2], stride: [2, 3], pad: [0, 1, 2, 0], groups: 2",
    "filters: 4, size: 3, dilation: 2, groups: 4, bias: false",
    "filters: 8, size: 2, stride: 3, groups: 4",
    "filters: 4, size: 2, pad: [3, 0, 0, 1], stride: 4",
    "filters: 4, size: 3, pad: 2, stride: 2",
)


@pytest.mark.parametrize("keys", KEYS)
def test_every_promise(keys: str) -> None:
    assert not problems(NET.format(keys=keys))


@pytest.mark.parametrize("keys", KEYS)
@pytest.mark.parametrize("devices", ["[0, 1]", "[3, 1, 0, 2]"])
def test_parts_compute_the_same(keys: str, devices: str) -> None:
    if "filters: 6" in keys:
        devices = devices.replace(", 2]", "]")  # three devices
    text = NET.format(keys=f"{keys}, gpu: {devices}")
    assert not differences(text, "native")


@pytest.mark.parametrize("groups", [1, 2])
def test_torchs_own_module_has_the_first_two_dimensions_the_other_way_round(groups: int) -> None:
    forms = Forms.of(NET.format(keys=f"filters: 6, size: 3, stride: 2, pad: 1, groups: {groups}"))
    weights, batch = forms.weights(), forms.inputs()
    module = torch.nn.ConvTranspose2d(4, 6, 3, 2, 1, groups=groups)
    own = torch.from_numpy(weights["up.weight"])
    blocks = [block.transpose(0, 1) for block in own.chunk(groups)]
    module.load_state_dict({"weight": torch.cat(blocks), "bias": torch.from_numpy(weights["up.bias"])})
    with torch.no_grad():
        wanted = module(torch.from_numpy(batch)).numpy()
    np.testing.assert_allclose(run_torch(forms.merged(weights), batch)["up"], wanted, rtol=1e-5, atol=1e-6)


def caffe_bilinear(size: int) -> NDArray[np.float64]:
    """Caffe's BilinearFiller: f = ceil(size / 2), c = (2 f - 1 - f % 2) / (2 f)."""
    f = int(np.ceil(size / 2))
    c = (2 * f - 1 - f % 2) / (2.0 * f)
    kernel = [[(1 - abs(x / f - c)) * (1 - abs(y / f - c)) for x in range(size)] for y in range(size)]
    return np.array(kernel)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 6, 7, 8])
@pytest.mark.parametrize("kind", ["deconv", "conv"])
def test_bilinear_kernels(size: int, kind: str) -> None:
    text = NET.format(keys=f"filters: 4, size: {size}, groups: 2, init_w: bilinear").replace("deconv", kind)
    forms = Forms.of(text.replace("size: [5, 3]", "size: 9"))
    array = np.empty(forms.net.typed.parameters[0].parameter.dims, dtype=np.float32)
    fill_initial(forms.net.typed, 1, {"up.weight": array, "up.bias": np.empty(4, dtype=np.float32)})
    wanted = np.broadcast_to(caffe_bilinear(size), (4, 2, size, size))
    np.testing.assert_allclose(array, wanted, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(forms.classes[0]().state_dict()["up.weight"].numpy(), wanted, rtol=1e-6, atol=1e-7)


def test_large_kernels_are_filled_in_stretches() -> None:
    """More numbers than one stretch of weights has, and no multiple of a kernel's."""
    net = compile_spec(load_text(NET.format(keys="filters: 3000, size: [7, 5], init_w: bilinear")))
    arrays = {p.name: np.empty(p.parameter.dims, dtype=np.float32) for p in net.typed.parameters}
    fill_initial(net.typed, 1, arrays)
    assert arrays["up.weight"].size > 1 << 18
    assert (arrays["up.weight"] == arrays["up.weight"][0, 0]).all()


def test_bilinear_upsampling_keeps_a_ramp() -> None:
    """By 2 with Caffe's size of 4 and pad of 1: inside, the values between two pixels."""
    text = NET.format(keys="filters: 4, size: 4, stride: 2, pad: 1, groups: 4, init_w: bilinear, bias: false")
    module = Forms.of(text).classes[0]().eval()
    ramp = np.broadcast_to(np.arange(5, dtype=np.float32)[:, None], (1, 4, 5, 3)).copy()
    found = run_torch(module, ramp)["up"][0, 0, :, 2]
    np.testing.assert_allclose(found[1:-1], np.arange(0.25, 4, 0.5), rtol=1e-6)


@pytest.mark.parametrize(
    ("keys", "code"),
    [
        ("filters: 4, size: 2, pad: 4", "NS313"),
        ("filters: 4, size: 2, groups: 3", "NS306"),
        ("filters: 6, size: 2, groups: 4", "NS306"),
        ("filters: 9, size: 2, gpu: [0, 1]", "NS401"),
        ("filters: 12, size: 2, groups: 4, gpu: [0, 1, 2]", "NS402"),
    ],
)
def test_what_cannot_be_is_refused(keys: str, code: str) -> None:
    with pytest.raises(SpecError) as error:
        compile_spec(load_text(NET.format(keys=keys)))
    assert {d.code for d in error.value.diagnostics} == {code}


@pytest.mark.parametrize("layer", ["type: fc, outputs: 3", "type: local, filters: 3, size: 2"])
def test_only_kernels_interpolate(layer: str) -> None:
    text = NET.format(keys="init_w: bilinear").replace("type: deconv", layer)
    with pytest.raises(SpecError) as error:
        compile_spec(load_text(text))
    assert {d.code for d in error.value.diagnostics} == {"NS310"}
