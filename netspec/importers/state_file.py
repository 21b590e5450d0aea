"""The tensors of .pth, .pt and .safetensors files, by name; nothing in a file is executed. It matches no names."""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from netspec.importers.remark import Remarks
from netspec.source import Source, whole
from netspec_runtime.errors import DataError

if TYPE_CHECKING:
    from torch import Tensor

STATE_SUFFIXES: Final = (".pth", ".pt", ".safetensors")
_WRAPPINGS: Final = ("state_dict", "model", "model_state_dict")  # what training scripts put a state_dict under
PARALLEL: Final = "module."  # torch.nn.DataParallel's prefix
_DAMAGED: Final = "no file of torch.save, or a damaged one"
_FIX: Final = "save it again with torch.save(model.state_dict(), path), or as safetensors"


def read_state(path: Path, remarks: Remarks) -> dict[str, Tensor]:
    """The tensors by name, on the CPU; a remark says what they were wrapped in.

    Raises DataError for a file that is missing, damaged, no state_dict, that needs pickle's full power, or that holds
    sparse tensors.
    """
    found = _read_safetensors(path) if path.suffix == ".safetensors" else _read_torch(path, remarks)
    _check_dense(path, found)
    stripped = {name.removeprefix(PARALLEL): tensor for name, tensor in found.items()}
    if len(stripped) < len(found) or stripped.keys() == found.keys():
        return found
    remarks.meaning("name", f"`{PARALLEL}` of DataParallel is taken off the names", whole(Source(str(path), "")))
    return stripped


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no mapping
    except OSError as error:
        raise DataError(str(path), f"cannot read: {error.strerror or error}", "check the path") from None
    except SafetensorError as error:
        raise DataError(str(path), f"no safetensors file: {error}", "give the path of another file") from None


def _read_torch(path: Path, remarks: Remarks) -> dict[str, Tensor]:
    loaded = _load(path)
    for key in _WRAPPINGS:
        if isinstance(loaded, Mapping) and isinstance(loaded.get(key), Mapping):
            loaded = loaded[key]
            place = whole(Source(str(path), ""))
            remarks.meaning("wrapping", f"the weights are those under `{key}`; what stands beside is left out", place)
    if not isinstance(loaded, Mapping) or not loaded or not all(map(_is_tensor, loaded.values())):
        raise DataError(str(path), "it is no state_dict: names with tensors", _FIX)
    return {str(name): tensor for name, tensor in loaded.items()}


def _load(path: Path) -> object:
    """What was saved, if it is no more than tensors and containers."""
    import torch

    begins_as_saved = _begins_as_saved(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of old pickles and of TorchScript, which ends in an error anyway
            return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # noqa: BLE001 - of damaged files torch raises nearly anything, OSError too
        raise DataError(str(path), _refusal(path, error) if begins_as_saved else _DAMAGED, _FIX) from None


def _begins_as_saved(path: Path) -> bool:
    """Whether a file begins as torch.save's do: as a zip archive, or as a pickle of protocol 2 or later."""
    try:
        with path.open("rb") as file:
            return file.read(4).startswith((b"PK\x03\x04", b"\x80"))
    except OSError as error:
        raise DataError(str(path), f"cannot read: {error.strerror or error}", "check the path") from None


def _refusal(path: Path, error: Exception) -> str:
    """Why torch did not load it. Its own text advises to load it unsafely."""
    if type(error).__name__ == "UnpicklingError":
        return "it holds more than names and tensors, and is not executed"
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            if any(name.endswith("constants.pkl") for name in archive.namelist()):
                return "a TorchScript archive, no state_dict"
    return _DAMAGED


def _check_dense(path: Path, found: Mapping[str, Tensor]) -> None:
    """Raises DataError for tensors that are sparse, have no numbers, or numbers of a kind that no net's weights are."""
    import torch

    for name, tensor in found.items():
        if tensor.layout != torch.strided:
            raise DataError(str(path), f"`{name}` is sparse", "save it dense: tensor.to_dense()")
        if tensor.is_meta:
            raise DataError(str(path), f"`{name}` has a shape and no numbers: it is on torch's meta device", _FIX)
        if tensor.is_quantized or tensor.is_complex():
            raise DataError(str(path), f"`{name}` is {tensor.dtype}", "save it as float32")


def _is_tensor(value: object) -> bool:
    from torch import Tensor

    return isinstance(value, Tensor)
