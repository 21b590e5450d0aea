"""Dropout with ``draw`` set: the same units anywhere, and units without a pattern. Values of a net are elsewhere."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from importlib.resources import files
from typing import Any, cast

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from netspec.backends.torch import emit_module
from netspec.pipeline import compile_spec
from netspec.proof.modules import load_classes
from netspec.spec.load import load_text
from tests.conformance.forms import Forms

NET = """
netspec: 1
name: net
input: {channels: 4, size: 8}
layers:
  conv1: {type: conv, inputs: data, filters: 12, size: 3, pad: 1, gpu: [0, 1, 2], neuron: relu, init_w: 0.3, init_b: 1}
  drop1: {type: dropout, inputs: conv1, rate: 0.3, scale: train}
  fc2: {type: fc, inputs: drop1, outputs: 60, gpu: [1, 0], init_w: 0.1, init_b: 1}
  drop2: {type: dropout, inputs: fc2}
  drop3: {type: dropout, inputs: drop2, rate: 0.1, gpu: [0, 1, 2]}
  fc3: {type: fc, inputs: drop3, outputs: 10, init_w: 0.1, gpu: 0}
"""

Masks = NDArray[np.bool_]


def helper() -> dict[str, Any]:
    source = (files("netspec_templates") / "torch" / "helpers" / "dropout.py").read_text(encoding="utf-8")
    namespace: dict[str, Any] = {}
    exec(source, namespace)  # noqa: S102 - our own template
    return namespace


KEPT = cast(Callable[..., Tensor], helper()["kept"])


def draw(key: int, first: int = 0) -> Tensor:
    return torch.tensor([key, first], dtype=torch.int32)


def masks(images: int, units: int, key: int = 1, rate: float = 0.5, layer: int = 7, place: int = 0) -> Masks:
    kept: Masks = KEPT(torch.zeros(images, units), rate, draw(key, place), layer, 0).numpy()
    return kept


def scramble(x: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """MurmurHash3's finaliser on unsigned numbers."""
    with np.errstate(over="ignore"):
        x = (x ^ (x >> np.uint32(16))) * np.uint32(0x85EBCA6B)
        x = (x ^ (x >> np.uint32(13))) * np.uint32(0xC2B2AE35)
        return x ^ (x >> np.uint32(16))


@pytest.mark.parametrize("rate", [0.0, 0.25, 0.5, 0.9, 1 - 1e-12])
def test_the_units_are_those_of_unsigned_arithmetic(rate: float) -> None:
    with np.errstate(over="ignore"):
        key = scramble(np.array([2**31 - 1 ^ 99], np.uint32))
        images = scramble(np.add(key, np.arange(1000, 1005, dtype=np.uint32), dtype=np.uint32))
        units = scramble(np.add(scramble(key), np.arange(300, 324, dtype=np.uint32), dtype=np.uint32))
        drawn = scramble(images[:, None] + units).view(np.int32)
    wanted = drawn.astype(np.float64) + 2**31 >= min(rate * 2**32, 2**32 - 1)
    found = KEPT(torch.zeros(5, 2, 3, 4), rate, draw(2**31 - 1, 1000), 99, 300)
    np.testing.assert_array_equal(found.numpy().reshape(5, 24), wanted)


@pytest.mark.parametrize("rate", [0.05, 0.3, 0.5, 0.8])
def test_units_are_kept_at_the_rate_in_images_units_and_in_all(rate: float) -> None:
    kept = np.concatenate([masks(128, 4096, key, rate) for key in range(4)])
    spread = np.sqrt(rate * (1 - rate))
    assert abs(kept.mean() - (1 - rate)) < 5 * spread / np.sqrt(kept.size)
    for axis in (0, 1):
        counts = kept.sum(axis=axis)
        chi = ((counts - kept.shape[axis] * (1 - rate)) ** 2).sum() / (kept.shape[axis] * spread**2)
        assert abs(chi - len(counts)) < 6 * np.sqrt(2 * len(counts))


def test_runs_of_eight_neighbours_come_all_equally_often() -> None:
    kept = masks(256, 4096, key=5)
    for bits in (kept.reshape(-1, 8), kept.T.reshape(-1, 8), kept[:, ::512]):
        counts = np.bincount(np.packbits(bits, axis=1)[:, 0], minlength=256)
        wanted = len(bits) / 256
        assert abs(((counts - wanted) ** 2 / wanted).sum() - 255) < 6 * np.sqrt(2 * 255)


def correlation(a: Masks, b: Masks) -> float:
    """In standard deviations of that of independent coins."""
    return float(((2.0 * a - 1) * (2.0 * b - 1)).mean() * np.sqrt(a.size))


@pytest.mark.parametrize("apart", [1, 2, 3, 4, 16, 64, 255, 1024])
def test_neighbours_are_not_alike(apart: int) -> None:
    kept = masks(1088, 1088, key=3)
    assert abs(correlation(kept[:, apart:], kept[:, :-apart])) < 5
    assert abs(correlation(kept[apart:], kept[:-apart])) < 5
    assert abs(correlation(kept[apart:, apart:], kept[:-apart, :-apart])) < 5


@pytest.mark.parametrize("bit", range(31))
def test_steps_and_layers_are_not_alike(bit: int) -> None:
    base = masks(128, 2048, key=12345, layer=678)
    assert abs(correlation(base, masks(128, 2048, key=12345 ^ 1 << bit, layer=678))) < 5
    assert abs(correlation(base, masks(128, 2048, key=12345, layer=678 ^ 1 << bit))) < 5


def test_no_two_images_and_no_two_units_are_alike() -> None:
    signs = 2.0 * masks(512, 4096, key=11) - 1
    for rows in (signs, signs.T[:1024]):
        alike = rows @ rows.T / np.sqrt(rows.shape[1])
        others = alike[~np.eye(len(rows), dtype=bool)]
        assert np.abs(others).max() < 6
        assert others.std() == pytest.approx(1, abs=0.02)


def test_corners_of_rectangles_are_independent() -> None:
    """The hash adds a number of the image and one of the unit: a weak one would show in products of four."""
    signs = 2.0 * masks(1024, 1024, key=17) - 1
    for apart in (1, 2, 8, 128):
        across = signs[:, apart:] * signs[:, :-apart]
        product = across[apart:] * across[:-apart]
        assert abs(product.sum() / np.sqrt(product.size)) < 5


@pytest.fixture(scope="module")
def net() -> type[nn.Module]:
    compiled = compile_spec(load_text(NET))
    return load_classes(emit_module(compiled.spec, compiled.merged, compiled.placed), "net")[0]


def training(forms: Forms, split: bool = False) -> nn.Module:
    weights = forms.weights()
    return (forms.split(weights) if split else forms.merged(weights)).train()


def gradients(module: nn.Module, values: dict[str, Tensor]) -> dict[str, Tensor]:
    torch.autograd.backward(values["fc3"].square().sum())
    return {name: p.grad for name, p in module.named_parameters() if p.grad is not None}


def test_the_parts_of_a_split_net_drop_what_the_merged_net_drops() -> None:
    forms = Forms.of(NET)
    batch = torch.from_numpy(forms.inputs(batch=16))
    merged, split = training(forms), training(forms, split=True)
    merged.draw = split.draw = draw(20121203, 5)
    whole, parts = merged(batch), split(batch)
    assert all(torch.equal(whole[name], parts[name]) for name in whole)
    for name, source, rate in (("drop1", "conv1", 0.3), ("drop2", "fc2", 0.5), ("drop3", "drop2", 0.1)):
        dropped = (whole[name] == 0)[whole[source] != 0]
        assert dropped.double().mean().item() == pytest.approx(rate, abs=0.05)
    wanted, found = gradients(merged, whole), gradients(split, parts)
    for name, part, start, end in forms.rows:
        torch.testing.assert_close(found[part], wanted[name][start:end], rtol=1e-5, atol=1e-4)


def test_pieces_of_a_batch_drop_what_the_batch_drops() -> None:
    forms = Forms.of(NET)
    batch = torch.from_numpy(forms.inputs(batch=10))
    whole = training(forms)
    whole.draw = draw(9, 40)
    wanted = whole(batch)
    in_pieces = training(forms)
    for piece, first in ((batch[:3], 40), (batch[3:], 43)):
        in_pieces.draw = draw(9, first)
        found = in_pieces(piece)
        for name in ("drop1", "drop2", "drop3"):
            rows = wanted[name][first - 40 : first - 40 + len(piece)]
            torch.testing.assert_close(found[name], rows, rtol=1e-5, atol=1e-5)
            assert torch.equal(found[name] == 0, rows == 0)
        gradients(in_pieces, found)
    sums = gradients(whole, wanted)
    for name, parameter in in_pieces.named_parameters():
        torch.testing.assert_close(parameter.grad, sums[name], rtol=1e-4, atol=1e-3)


def test_another_key_drops_others_and_the_same_key_the_same(net: type[nn.Module]) -> None:
    module, batch = net().train(), torch.randn(8, 4, 8, 8)
    outputs = []
    for key in (1, 2, 1):
        module.draw = draw(key)
        outputs.append(module(batch))
    assert torch.equal(outputs[0], outputs[2])
    assert not torch.equal(outputs[0], outputs[1])


def test_a_user_of_the_module_has_ordinary_dropout(net: type[nn.Module]) -> None:
    module, batch = net().train(), torch.randn(8, 4, 8, 8)
    assert vars(module)["draw"] is None
    outputs = []
    for seed in (1, 2, 1):
        torch.manual_seed(seed)
        outputs.append(module(batch))
    assert torch.equal(outputs[0], outputs[2])
    assert not torch.equal(outputs[0], outputs[1])


def test_at_test_nothing_is_drawn(net: type[nn.Module]) -> None:
    module, batch = net().eval(), torch.randn(8, 4, 8, 8)
    wanted = module(batch)
    module.draw = draw(3)
    assert torch.equal(module(batch), wanted)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_the_precision_and_the_layout_change_nothing(dtype: torch.dtype) -> None:
    x = torch.ones(4, 6, 5, 5)
    wanted = KEPT(x, 0.5, draw(3, 8), 1, 12)
    assert torch.equal(KEPT(x.to(dtype), 0.5, draw(3, 8), 1, 12), wanted)
    last = KEPT(x.to(memory_format=torch.channels_last), 0.5, draw(3, 8), 1, 12)
    assert torch.equal(last, wanted)


def test_under_autocast_the_same_units_stay() -> None:
    forms = Forms.of(NET)
    batch = torch.from_numpy(forms.inputs(batch=4)).abs()
    module = training(forms)
    module.draw = draw(77)
    wanted = module(batch)["drop3"] == 0
    with torch.autocast("cpu", torch.bfloat16):
        found = module(batch)["drop3"] == 0
    assert torch.equal(found, wanted)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*torch.jit.script_method:DeprecationWarning")  # torch's own, as it compiles
@pytest.mark.parametrize("backend", ["aot_eager", "inductor"])
def test_compiled_it_draws_anew_for_each_key_without_compiling_again(net: type[nn.Module], backend: str) -> None:
    if backend == "inductor" and shutil.which("g++") is None:
        pytest.skip("torch.compile needs a C++ compiler")
    module, batch = net().train(), torch.randn(8, 4, 8, 8)
    fast = torch.compile(module, backend=backend, fullgraph=True)
    module.draw = draw(1000)
    fast(batch)
    with torch.compiler.set_stance("fail_on_recompile"):
        for key in range(4):
            module.draw = draw(1000 + key, 8 * key)
            found, wanted = fast(batch), module(batch)
            torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4)


def test_a_net_without_dropout_draws_nothing() -> None:
    text = "netspec: 1\nname: n\ninput: {size: 4}\nlayers:\n  a: {type: fc, inputs: data, outputs: 2}\n"
    compiled = compile_spec(load_text(text))
    merged, _ = load_classes(emit_module(compiled.spec, compiled.merged, compiled.placed), "n")
    assert not hasattr(merged(), "draw")


@pytest.mark.skipif(torch.cuda.device_count() == 0, reason="needs a GPU")
def test_a_gpu_drops_what_the_cpu_drops() -> None:
    x = torch.ones(16, 6, 5, 5)
    assert torch.equal(KEPT(x.cuda(), 0.5, draw(3, 8), 1, 12).cpu(), KEPT(x, 0.5, draw(3, 8), 1, 12))
