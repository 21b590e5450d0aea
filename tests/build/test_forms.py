"""The two forms of small nets: the same weights under the same names, back and forth, also where layers share them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from netspec.backends.torch import emit_module
from netspec.proof.modules import load_classes
from netspec.weights import fill_from_file
from tests.build.nets import ALL, compiled, images, random_weights

SPLIT = [name for name in ALL if name != "one"]


def forms(name: str) -> tuple[torch.nn.Module, torch.nn.Module]:
    net = compiled(ALL[name])
    merged, split = load_classes(emit_module(net.spec, net.merged, net.placed), net.spec.name)
    assert split is not None
    return merged(), split(*["cpu"] * len(net.placed.devices))


def state(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Without the counters of batch norms, which no merged net can know of its parts."""
    return {n: v for n, v in module.state_dict().items() if not n.endswith("num_batches_tracked")}


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return {n: v.numpy().tobytes() for n, v in a.items()} == {n: v.numpy().tobytes() for n, v in b.items()}


@pytest.mark.parametrize("name", SPLIT)
def test_weights_go_to_the_split_form_and_back(name: str) -> None:
    (merged, split), (other, again) = forms(name), forms(name)
    split.load_merged(merged.state_dict())  # type: ignore[operator]  # the generated class has it
    found = split.merged_state()  # type: ignore[operator]
    assert same(found, state(merged))
    other.load_state_dict(found)
    assert same(state(other), state(merged))
    again.load_merged(found)  # type: ignore[operator]
    assert same(state(again), state(split))


@pytest.mark.parametrize("name", SPLIT)
def test_both_forms_answer_the_same(name: str) -> None:
    merged, split = forms(name)
    split.load_merged(merged.state_dict())  # type: ignore[operator]
    batch = torch.from_numpy(images(compiled(ALL[name]), 3))
    wanted, found = merged.eval()(batch), split.eval()(batch)
    for a, b in zip(*((x,) if isinstance(x, torch.Tensor) else x for x in (wanted, found)), strict=True):
        assert ((a - b).abs().max() <= 1e-5 * a.abs().max()).item()


@pytest.mark.parametrize("name", SPLIT)
def test_a_checkpoint_of_either_form_becomes_the_onnx_files_weights(name: str, tmp_path: Path) -> None:
    net = compiled(ALL[name])
    _, split = forms(name)
    weights = random_weights(net)
    split.load_merged({n: torch.from_numpy(array) for n, array in weights.items()})  # type: ignore[operator]
    tensors = {n: v.clone() for n, v in split.merged_state().items()}  # type: ignore[operator]
    save_file(tensors, tmp_path / "w.safetensors")
    arrays = {n: np.zeros_like(array) for n, array in weights.items()}
    fill_from_file(net.typed, tmp_path / "w.safetensors", arrays)
    assert {n: a.tobytes() for n, a in arrays.items()} == {n: a.tobytes() for n, a in weights.items()}


@pytest.mark.parametrize("name", ["tied", "early"])
def test_shared_weights_are_one_tensor_in_both_forms(name: str) -> None:
    net = compiled(ALL[name])
    shared = [(f"{n.name}.{p.path}", p.name) for n in net.typed.nodes for p in n.parameters if p.tied]
    merged, split = forms(name)
    for module in (merged, split):
        parameters = dict(module.named_parameters(remove_duplicate=False))
        for tied, owner in shared:
            pairs = [(tied, owner)]
            if tied not in parameters:
                pairs = [(part(tied, number), part(owner, number)) for number in (0, 1)]
            assert all(parameters[a] is parameters[b] for a, b in pairs)


def part(name: str, number: int) -> str:
    layer, _, path = name.partition(".")
    return f"{layer}_{number}.{path}"
