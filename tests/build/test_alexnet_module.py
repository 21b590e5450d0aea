"""AlexNet's generated module: what it imports and how it reads, its two forms, their gradients and weights."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor

from netspec.backends.torch import emit_module
from netspec.pipeline import Compiled, compile_file
from netspec.proof.modules import load_classes, merged_module, rows_of, split_module
from netspec.spec.shipped import shipped_specs
from netspec_runtime.weights import map_weights
from tests.build.conftest import Built, build
from tests.build.nets import images


def test_it_imports_only_torch() -> None:
    net = compile_file(shipped_specs()["alexnet"])
    tree = ast.parse(emit_module(net.spec, net.merged, net.placed))
    plain = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    named = {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in plain | named} == {"torch"}


@pytest.mark.slow
def test_every_shipped_net_passes_ruff(tmp_path: Path) -> None:
    """With ruff's own rules and nobody's configuration."""
    for name, path in shipped_specs().items():
        net = compile_file(path)
        (tmp_path / f"{name.replace('-', '_')}.py").write_text(emit_module(net.spec, net.merged, net.placed))
    ruff = [sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache", str(tmp_path)]
    done = subprocess.run(ruff, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "All checks passed!\n")


def traced(net: Compiled) -> tuple[type[torch.nn.Module], type[torch.nn.Module]]:
    """The classes whose forward returns every layer."""
    merged, split = load_classes(emit_module(net.spec, net.merged, net.placed, trace=True), net.spec.name)
    assert split is not None
    return merged, split


def loaded(built: Built, dtype: torch.dtype) -> tuple[torch.nn.Module, torch.nn.Module]:
    """Both forms with the weights of the built file, for evaluation."""
    merged_class, split_class = traced(built.net)
    weights = map_weights(built.model)
    merged, split = merged_module(merged_class, of(built.net, weights)), split_module(split_class, weights)
    return cast(torch.nn.Module, merged).to(dtype), cast(torch.nn.Module, split).to(dtype)


def of(net: Compiled, weights: dict[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
    """Without the small constants of the graph."""
    return {p.name: weights[p.name] for p in net.typed.parameters}


@pytest.mark.slow
def test_its_shapes_on_the_meta_device(alexnet: Built) -> None:
    """Also those of the split form, and without a byte of weights."""
    wanted = {node.name: (2, *node.shape.dims) for node in alexnet.net.typed.nodes}
    merged_class, split_class = traced(alexnet.net)
    image = torch.empty(2, 3, 224, 224, device="meta")
    with torch.device("meta"):
        merged = merged_class()
    assert {name: tuple(value.shape) for name, value in merged(image).items()} == wanted
    nowhere = split_class("meta", "meta").eval()
    assert all(parameter.is_meta for parameter in nowhere.parameters())
    assert tuple(alexnet.classes[1]("meta", "meta")(image).shape) == wanted["probs"]


def largest(wanted: Tensor, found: Tensor) -> float:
    """The largest difference, relative to the largest magnitude."""
    return ((wanted - found).abs().max() / wanted.abs().max()).item()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("dtype", "value_error", "gradient_error"),
    [(torch.float64, 1e-14, 1e-13), (torch.float32, 1e-6, 5e-6)],
    ids=["float64", "float32"],
)
def test_both_forms_are_equal(dtype: torch.dtype, value_error: float, gradient_error: float, alexnet: Built) -> None:
    """Every layer, and every whole gradient; in float32 up to what rounding in another order of sums gives."""
    merged, split = loaded(alexnet, dtype)
    batch = torch.from_numpy(images(alexnet.net, 1)).to(dtype)
    (wanted, image), (found, other) = backward(merged, batch), backward(split, batch)
    values = {name: largest(value.detach(), found[name].detach()) for name, value in wanted.items()}
    gradients = {"data": largest(gradient(image), gradient(other))}
    parts = dict(split.named_parameters())
    for name, parameter in merged.named_parameters():
        rows = [gradient(parts[part]) for whole, part, _, _ in rows_of(type(split)) if whole == name]
        assert gradient(parameter).abs().max() > 0
        gradients[name] = largest(gradient(parameter), torch.cat(rows))
    assert len(gradients) == 17
    assert max(values.values()) <= value_error
    assert max(gradients.values()) <= gradient_error


def backward(module: torch.nn.Module, batch: Tensor) -> tuple[dict[str, Tensor], Tensor]:
    """Every layer's output, and the image with its gradient, for a cross-entropy loss."""
    image = batch.clone().requires_grad_()
    values = module(image)
    torch.nn.functional.nll_loss(values["probs"].log(), torch.tensor([7])).backward()  # type: ignore[no-untyped-call]
    return values, image


def gradient(tensor: Tensor) -> Tensor:
    assert tensor.grad is not None
    return tensor.grad


@pytest.mark.slow
def test_weights_go_around_bit_for_bit(alexnet: Built) -> None:
    """From merged to split -> merged -> safetensors -> ONNX -> merged."""
    merged_class, split_class = alexnet.classes
    torch.manual_seed(2012)
    first = merged_class()
    with torch.no_grad():
        parameters = dict(first.named_parameters())
        parameters["fc8.bias"].normal_()
        parameters["conv1.weight"][0, 0, 0, :4] = torch.tensor([-0.0, 1e-45, 3e38, -1e-40])
    split = split_class("cpu", "cpu")
    split.load_merged(first.state_dict())  # type: ignore[operator]
    with TemporaryDirectory() as name:
        folder = Path(name)
        save_file(split.merged_state(), folder / "w.safetensors")  # type: ignore[operator]
        build(folder, "--no-check", "--out", "out", "--weights", "w.safetensors")
        stored = map_weights(folder / "out" / "alexnet.onnx")
        with torch.device("meta"):
            last = merged_class()
        last.load_state_dict({name: torch.from_numpy(stored[name]) for name in last.state_dict()}, assign=True)
    for key, value in first.state_dict().items():
        found = last.state_dict()[key]
        assert np.array_equal(value.numpy().view(np.uint32), found.numpy().view(np.uint32)), key
