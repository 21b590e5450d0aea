"""Weights of torch files for a spec: torchvision's nets by their maps, and every way in which names can disagree."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from netspec.diagnostics import SpecError
from netspec.importers.files import sort_files
from netspec.importers.remark import Imported
from netspec.importers.state import read_map, shipped_maps
from netspec.importing import ImportOptions, import_net
from netspec_runtime.errors import DataError
from tests.importers import torchvision
from tests.specs.generated import compiled, logits, picture, relative

NETS: dict[str, tuple[str, Callable[[], nn.Module]]] = {
    "torchvision-alexnet": ("alexnet-torchvision", torchvision.alexnet),
    "torchvision-squeezenet1_0": ("squeezenet-torchvision", torchvision.squeezenet1_0),
    "torchvision-vgg16": ("vgg16", torchvision.vgg16),
}
SPEC = """netspec: 1
name: small
input: {size: 4}
layers:
  conv1: {type: conv, inputs: data, filters: 2, size: 3}
  norm1: {type: batchnorm, inputs: conv1}
  fc2:   {type: fc, inputs: norm1, outputs: 3}
"""


def taken(spec: Path | str, weights: Path, names: str | None = None) -> Imported:
    return import_net(sort_files([str(weights), str(spec)], {}), ImportOptions(names=names)).imported


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(SPEC)
    return path


def save(content: object, path: Path) -> None:
    torch.save(content, path)  # noqa: TID251 - what people have


def state(*layers: str) -> dict[str, torch.Tensor]:
    """A conv, a batch norm and an fc that fit SPEC, under these names."""
    net = nn.Sequential()
    for name, layer in zip(layers, (nn.Conv2d(3, 2, 3), nn.BatchNorm2d(2), nn.Linear(8, 3)), strict=True):
        net.add_module(name, layer)
    return dict(net.state_dict())


def test_every_shipped_map_is_tried_here() -> None:
    assert set(shipped_maps()) == set(NETS)


@pytest.mark.slow
@pytest.mark.parametrize("names", ["torchvision-alexnet", "torchvision-squeezenet1_0"])
def test_a_net_of_torchvision_computes_here_what_it_does_there(names: str, tmp_path: Path) -> None:
    spec, build = NETS[names]
    torch.manual_seed(1)
    module = build().eval()
    save(module.state_dict(), tmp_path / "net.pth")
    imported = taken(spec, tmp_path / "net.pth", names)
    assert imported.tensors is not None
    net = compiled(spec)
    ours = logits(net, {name: torch.from_numpy(np.array(value)) for name, value in imported.tensors.items()})
    with torch.no_grad():
        assert relative(ours.flatten(1), module(picture(net))) <= 1e-5


@pytest.mark.parametrize("names", NETS)
def test_a_map_takes_each_tensor_of_its_net_once(names: str) -> None:
    spec, build = NETS[names]
    with torch.device("meta"):
        found = {name: tuple(tensor.shape) for name, tensor in build().state_dict().items()}
    pairs = read_map(names)
    wanted = {owned.name: owned.parameter.dims for owned in compiled(spec).typed.parameters}
    theirs = {name: f"{pairs[name.rpartition('.')[0]]}.{name.rpartition('.')[2]}" for name in wanted}
    assert {theirs[name]: dims for name, dims in wanted.items()} == found


def test_the_same_names_need_no_map(small: Path, tmp_path: Path) -> None:
    tensors = state("conv1", "norm1", "fc2")
    save_file(tensors, tmp_path / "w.safetensors")
    imported = taken(small, tmp_path / "w.safetensors")
    assert imported.tensors is not None
    assert not imported.remarks
    for name, value in imported.tensors.items():
        assert np.array_equal(value, tensors[name].numpy())


@pytest.mark.parametrize("wrapped", [lambda s: {"state_dict": s}, lambda s: {f"module.{k}": v for k, v in s.items()}])
def test_wrappings_of_training_scripts_are_taken_off(
    wrapped: Callable[[dict[str, torch.Tensor]], object], small: Path, tmp_path: Path
) -> None:
    save(wrapped(state("conv1", "norm1", "fc2")), tmp_path / "w.pth")
    imported = taken(small, tmp_path / "w.pth")
    assert imported.tensors is not None
    assert len(imported.remarks) == 1


def test_other_precisions_become_float32_and_a_remark(small: Path, tmp_path: Path) -> None:
    tensors = {n: t.half() if t.is_floating_point() else t for n, t in state("conv1", "norm1", "fc2").items()}
    save(tensors, tmp_path / "w.pth")
    imported = taken(small, tmp_path / "w.pth")
    assert [r.text for r in imported.remarks] == ["float16 weights become float32"]
    assert imported.tensors is not None
    assert all(value.dtype == np.float32 for value in imported.tensors.values())


def test_a_map_of_one_s_own(small: Path, tmp_path: Path) -> None:
    tensors = state("a", "b", "c")
    tensors["kernel"] = tensors.pop("c.weight")
    save(tensors, tmp_path / "w.pth")
    (tmp_path / "map.yaml").write_text("conv1: a\nnorm1: b\nfc2: c\nfc2.weight: kernel\n")
    imported = taken(small, tmp_path / "w.pth", str(tmp_path / "map.yaml"))
    assert imported.tensors is not None
    assert np.array_equal(imported.tensors["fc2.weight"], tensors["kernel"].numpy())


def test_other_names_are_refused_and_the_map_by_order_is_offered(small: Path, tmp_path: Path) -> None:
    save(state("a", "b", "c"), tmp_path / "w.pth")
    with pytest.raises(DataError, match=r"`conv1\.weight` is missing.+this map would fit: conv1: a, norm1: b, fc2: c"):
        taken(small, tmp_path / "w.pth")


def test_a_misspelt_name_is_told_with_the_near_one(small: Path, tmp_path: Path) -> None:
    save({**state("conv1", "norm1", "fc2"), "more": torch.zeros(1)}, tmp_path / "w.pth")
    (tmp_path / "map.yaml").write_text("conv1: cnov1\n")
    with pytest.raises(DataError, match=r"from `cnov1\.weight`\) is missing, did you mean `conv1\.weight`\?"):
        taken(small, tmp_path / "w.pth", str(tmp_path / "map.yaml"))


def test_a_map_that_names_no_layer_is_refused(small: Path, tmp_path: Path) -> None:
    save(state("conv1", "norm1", "fc2"), tmp_path / "w.pth")
    (tmp_path / "map.yaml").write_text("conv2: conv1\n")
    with pytest.raises(DataError, match="no parameters called `conv2`; did you mean `conv1`"):
        taken(small, tmp_path / "w.pth", str(tmp_path / "map.yaml"))


def test_another_shape_is_refused(small: Path, tmp_path: Path) -> None:
    tensors = state("conv1", "norm1", "fc2")
    tensors["conv1.weight"] = torch.zeros(2, 3, 5, 5)
    save(tensors, tmp_path / "w.pth")
    with pytest.raises(
        DataError, match=r"`conv1\.weight` is 2x3x5x5 in the file and 2x3x3x3 in the net; name the spec"
    ):
        taken(small, tmp_path / "w.pth")


def test_a_tensor_too_many_is_refused(small: Path, tmp_path: Path) -> None:
    save({**state("conv1", "norm1", "fc2"), "fc3.weight": torch.zeros(1)}, tmp_path / "w.pth")
    with pytest.raises(DataError, match=r"`fc3\.weight` is for no parameter of the net"):
        taken(small, tmp_path / "w.pth")


def test_a_transposed_matrix_is_named(small: Path, tmp_path: Path) -> None:
    tensors = state("conv1", "norm1", "fc2")
    save({**tensors, "fc2.weight": tensors["fc2.weight"].T.contiguous()}, tmp_path / "w.pth")
    with pytest.raises(DataError, match=r"`fc2\.weight` is 8x3 in the file and 3x8 in the net: it is transposed"):
        taken(small, tmp_path / "w.pth")


def test_a_near_name_has_the_shape_and_is_free(small: Path, tmp_path: Path) -> None:
    tensors = state("conv1", "norm1", "fc2")
    tensors["fc3.weight"] = tensors.pop("fc2.weight")
    del tensors["fc2.bias"]
    save(tensors, tmp_path / "w.pth")
    with pytest.raises(
        DataError, match=r"`fc2\.weight` is missing, did you mean `fc3\.weight`\?; `fc2\.bias` is missing;"
    ):
        taken(small, tmp_path / "w.pth")


@pytest.mark.parametrize(
    ("turn", "said"),
    [
        (lambda t: t.to_sparse(), "is sparse; save it dense"),
        (lambda t: t.to("meta"), "has a shape and no numbers"),
        (lambda t: t.long(), "is int64, no weights"),
        (lambda t: t.to(torch.complex64), "is torch.complex64"),
        (lambda t: t * float("nan"), "has numbers that are not finite"),
    ],
)
def test_what_are_no_weights(
    turn: Callable[[torch.Tensor], torch.Tensor], said: str, small: Path, tmp_path: Path
) -> None:
    tensors = state("conv1", "norm1", "fc2")
    save({**tensors, "fc2.weight": turn(tensors["fc2.weight"])}, tmp_path / "w.pth")
    with pytest.raises(DataError, match=said):
        taken(small, tmp_path / "w.pth")


def test_torchscript_is_called_that(small: Path, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch.jit is deprecated
        scripted = torch.jit.script(nn.Linear(2, 2))  # noqa: TID251 - what people have
        scripted.save(str(tmp_path / "w.pth"))  # type: ignore[no-untyped-call]  # torch's own
    with pytest.raises(DataError, match="a TorchScript archive, no state_dict"):
        taken(small, tmp_path / "w.pth")


class Executed:
    """A class that a pickle would have to import: what weights alone never need."""


@pytest.mark.parametrize("content", [b"nothing", b"<html>404</html>", b"PK\x03\x04broken"])
def test_a_damaged_file_is_one_line(content: bytes, small: Path, tmp_path: Path) -> None:
    (tmp_path / "w.pth").write_bytes(content)
    with pytest.raises(DataError, match=r"no file of torch\.save, or a damaged one"):
        taken(small, tmp_path / "w.pth")


def test_half_a_file_is_one_line(small: Path, tmp_path: Path) -> None:
    path = tmp_path / "w.pth"
    save(state("conv1", "norm1", "fc2"), path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DataError, match=r"no file of torch\.save, or a damaged one"):
        taken(small, path)


def test_a_map_may_keep_the_prefix_of_data_parallel(small: Path, tmp_path: Path) -> None:
    save({f"module.{name}": tensor for name, tensor in state("a", "b", "c").items()}, tmp_path / "w.pth")
    (tmp_path / "map.yaml").write_text("conv1: module.a\nnorm1: module.b\nfc2: c\n")
    assert taken(small, tmp_path / "w.pth", str(tmp_path / "map.yaml")).tensors is not None


def test_a_map_that_mixes_layers_up_is_to_be_corrected(small: Path, tmp_path: Path) -> None:
    save(state("a", "b", "c"), tmp_path / "w.pth")
    (tmp_path / "map.yaml").write_text("conv1: c\nnorm1: b\nfc2: a\n")
    with pytest.raises(DataError, match=r"`c\.weight` is 3x8 in the file and 2x3x3x3 in the net.*correct the map"):
        taken(small, tmp_path / "w.pth", str(tmp_path / "map.yaml"))


def test_nothing_in_a_pickle_is_executed(small: Path, tmp_path: Path) -> None:
    save(Executed(), tmp_path / "w.pth")
    with pytest.raises(DataError, match="holds more than names and tensors, and is not executed; save it again"):
        taken(small, tmp_path / "w.pth")


def test_a_file_without_names_is_no_state_dict(small: Path, tmp_path: Path) -> None:
    save(torch.zeros(3), tmp_path / "w.pth")
    with pytest.raises(DataError, match="no state_dict"):
        taken(small, tmp_path / "w.pth")


@pytest.mark.parametrize("text", ["- conv1\n", "conv1: [a]\n", "conv1:\n", "\n"])
def test_a_map_that_is_none_is_a_diagnostic(text: str, small: Path, tmp_path: Path) -> None:
    save(state("conv1", "norm1", "fc2"), tmp_path / "w.pth")
    (tmp_path / "map.yaml").write_text(text)
    with pytest.raises(SpecError, match="map") as raised:
        taken(small, tmp_path / "w.pth", str(tmp_path / "map.yaml"))
    assert raised.value.diagnostics[0].help == "one a line: `conv1: features.0`"
