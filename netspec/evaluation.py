"""What `netspec eval` is given becomes nets that answer: ONNX files, and runs via the compiler. It counts nothing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from netspec.pipeline import Compiled, compile_spec
from netspec.spec.load import load_text
from netspec.spec.names import class_name
from netspec_runtime.device import Device
from netspec_runtime.errors import DataError

if TYPE_CHECKING:
    from torch import Tensor

    from netspec_runtime.model_file import ModelFile
    from netspec_runtime.training.candidate import Candidate, TorchNet

Choice = Literal["auto", "torch", "onnx"]
_SPEC_KEY: Final = "netspec.spec"


def open_candidate(name: str, backend: Choice, device: Device) -> Candidate:
    """The net of an ONNX file or of a run's folder; ``auto`` is onnxruntime for a file and torch for a run.

    Its preprocessing and labels are those of the ONNX file in both backends. torch runs a module compiled from the
    spec in that file, with a run's best weights, or the file's own. Raises DataError, EnvironmentProblem.
    """
    from netspec_runtime.model_file import read_model
    from netspec_runtime.training.candidate import open_onnx, open_torch

    path = Path(name)
    folder = path if path.is_dir() else None
    file = model_file(path)
    model = read_model(str(file))
    if backend == "onnx" or (backend == "auto" and folder is None):
        return open_onnx(model, name, device)
    return open_torch(_torch_net(model, folder), model.card, name, device)


def model_file(path: Path) -> Path:
    """The ONNX file in a folder, or the file itself. Raises DataError where there is none."""
    if not path.exists():
        raise DataError(str(path), "there is no such file or folder", "give an ONNX file or the folder of a run")
    if not path.is_dir():
        return path
    files = sorted(path.glob("*.onnx"))
    if (path / "model.onnx") in files:
        return path / "model.onnx"
    if len(files) == 1:  # of `netspec build`
        return files[0]
    fix = f"end its training: netspec train --resume {path}"
    raise DataError(str(path), "there is no model.onnx in it, so no run that has ended", fix)


def _torch_net(model: ModelFile, folder: Path | None) -> TorchNet:
    """The module of the spec that the ONNX file holds, and weights for it."""
    import torch

    from netspec.backends.torch import emit_module
    from netspec_runtime.training.candidate import TorchNet, file_sha256
    from netspec_runtime.training.checkpoint import BEST, read_best
    from netspec_runtime.weights import map_weights

    if _SPEC_KEY not in model.metadata:
        raise DataError(model.name, "it holds no spec to compile", "evaluate it with --backend onnx")
    compiled = compile_spec(load_text(model.metadata[_SPEC_KEY], name=f"the spec in {model.name}"))
    file = model.path
    if folder is not None and (folder / BEST).is_file():
        file, weights = folder / BEST, read_best(folder)[0]
    else:
        weights = {name: torch.from_numpy(array) for name, array in map_weights(file).items()}
    classes = compiled.typed.shape(compiled.typed.outputs[0]).units
    source = emit_module(compiled.spec, compiled.merged, compiled.merged)
    checked = _checked(compiled, weights, file)
    return TorchNet(source, class_name(compiled.spec.name), classes, checked, file_sha256(file))


def _checked(compiled: Compiled, weights: Mapping[str, Tensor], file: Path) -> dict[str, Tensor]:
    """All parameters of the net. Raises DataError if one is missing or has another shape."""
    found = {}
    for owned in compiled.typed.parameters:
        tensor = weights.get(owned.name)
        if tensor is None or tuple(tensor.shape) != owned.parameter.dims:
            reason = f"`{owned.name}` of the net {compiled.spec.name} is not in it, or has another shape"
            raise DataError(str(file), reason, "evaluate a run whose files belong together")
        found[owned.name] = tensor
    return found
