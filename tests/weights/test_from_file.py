"""Weights from a safetensors file: taken bit for bit, or refused with everything that is wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.numpy import save_file
from safetensors.torch import save_file as save_tensors

from netspec.weights import fill_from_file
from netspec_runtime.errors import DataError
from tests.build.nets import TIED, TWO, compiled, random_weights

Array = NDArray[np.float32]
NET, SHARED = compiled(TWO), compiled(TIED)


def read(path: Path, net: object = NET) -> dict[str, Array]:
    made = SHARED if net is SHARED else NET
    arrays = {p.name: np.zeros(p.parameter.dims, np.float32) for p in made.typed.parameters}
    fill_from_file(made.typed, path, arrays)
    return arrays


def refusal(path: Path, net: object = NET) -> str:
    with pytest.raises(DataError) as caught:
        read(path, net)
    assert caught.value.where == str(path)
    return str(caught.value).removeprefix(f"{path}: ")


def test_every_bit_arrives(tmp_path: Path) -> None:
    weights = random_weights(NET)
    weights["fc5.bias"][:4] = [np.nan, -0.0, np.inf, 1e-45]
    save_file(weights, tmp_path / "w.safetensors")
    found = read(tmp_path / "w.safetensors")
    assert {n: a.tobytes() for n, a in found.items()} == {n: a.tobytes() for n, a in weights.items()}


def test_all_that_is_wrong_is_named_at_once(tmp_path: Path) -> None:
    weights = random_weights(NET)
    weights["conv1.wieght"] = weights.pop("conv1.weight")
    weights["fc5.weight"] = weights["fc5.weight"].T.copy()
    weights["conv2.bias"] = weights["conv2.bias"].astype(np.float64)
    weights["optimizer"] = np.zeros((), np.float32)
    save_file(weights, tmp_path / "w.safetensors")
    assert refusal(tmp_path / "w.safetensors") == (
        "these weights are not this net's: `conv1.weight` is missing, "
        "`conv1.wieght` is no parameter (did you mean `conv1.weight`?), "
        "`conv2.bias` is 8 F64, not 8 F32, "
        "`fc5.weight` is 10x6 F32, not 6x10 F32, "
        "`optimizer` is no parameter; "
        "names and shapes are those of the generated module's state_dict"
    )


def test_a_wholly_foreign_file_is_told_in_short(tmp_path: Path) -> None:
    save_file({f"block.{i}": np.zeros(1, np.float32) for i in range(300)}, tmp_path / "w.safetensors")
    message = refusal(tmp_path / "w.safetensors")
    assert message.startswith("these weights are not this net's: `conv1.weight` is missing")
    assert "and 286 more" in message
    assert len(message) < 1200


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float8_e4m3fn, torch.int64])
def test_types_that_numpy_may_not_know_are_refused(kind: torch.dtype, tmp_path: Path) -> None:
    tensors = {name: torch.from_numpy(array) for name, array in random_weights(NET).items()}
    save_tensors(tensors | {"fc5.bias": torch.zeros(6).to(kind)}, tmp_path / "w.safetensors")
    assert "`fc5.bias` is 6 " in refusal(tmp_path / "w.safetensors")


@pytest.mark.parametrize("keep", [0, 1, 7, 8, 100, -1])
def test_a_truncated_file_is_one_line(keep: int, tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_file(random_weights(NET), path)
    path.write_bytes(path.read_bytes()[:keep])
    message = refusal(path)
    assert message.startswith("cannot read weights: ")
    assert message.endswith("; give a safetensors file")


@pytest.mark.parametrize("content", [b"\x80\x02}q\x00.", b"PK\x03\x04", b"\xff" * 64])
def test_a_file_of_another_kind_is_one_line(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "w.pt").write_bytes(content)
    assert "cannot read weights" in refusal(tmp_path / "w.pt")


def test_no_file_and_a_folder(tmp_path: Path) -> None:
    assert "No such file" in refusal(tmp_path / "none.safetensors")
    assert "cannot read weights" in refusal(tmp_path)


def test_the_names_of_a_module_that_shares_weights_are_taken(tmp_path: Path) -> None:
    """A state_dict names a shared tensor twice, and batch norms count their batches."""
    weights = random_weights(SHARED)
    more = {"fc3.weight": weights["fc2.weight"], "conv3.weight": weights["conv2.weight"]}
    counter = {"norm1.num_batches_tracked": np.zeros((), np.int64)}
    save_file({**weights, **more, **counter}, tmp_path / "w.safetensors")
    found = read(tmp_path / "w.safetensors", SHARED)
    assert {n: a.tobytes() for n, a in found.items()} == {n: a.tobytes() for n, a in weights.items()}


def test_shared_weights_that_differ_are_refused(tmp_path: Path) -> None:
    weights = random_weights(SHARED)
    save_file({**weights, "fc3.weight": weights["fc2.weight"] + 1}, tmp_path / "w.safetensors")
    assert refusal(tmp_path / "w.safetensors", SHARED).startswith("`fc3.weight` and `fc2.weight` are one tensor")
