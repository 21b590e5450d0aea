"""What `netspec eval` is given becomes nets that answer: ONNX files, and runs via the compiler. It counts nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from netspec.pipeline import Compiled, compile_file, compile_spec
from netspec.seen import Seen
from netspec.spec.load import load_text
from netspec.spec.names import class_name
from netspec_runtime.device import Device
from netspec_runtime.errors import DataError
from netspec_runtime.run_marks import ARGUMENTS, METRICS, MODEL, is_run

if TYPE_CHECKING:
    from torch import Tensor

    from netspec_runtime.data.prepared import PreparedData
    from netspec_runtime.model_file import ModelFile
    from netspec_runtime.training.candidate import Candidate, TorchNet

    Learned = Callable[[Path, Compiled], PreparedData]  # of a run's folder and its net: what it learns from

Choice = Literal["auto", "torch", "onnx"]
_PART: Final = re.compile(r"\.gpu\d+\.onnx$")  # a device's file, beside that of the whole net
_SPEC_KEY: Final = "netspec.spec"


def open_candidate(name: str, backend: Choice, device: Device, learned: Learned) -> Candidate:
    """The net of an ONNX file or of a run's folder; ``auto`` is onnxruntime for a file and torch for a run.

    Its preprocessing and labels are those of the ONNX file in both backends. torch runs a module compiled from the
    spec in that file, with a run's best weights, or the file's own. A run that has not ended has no such file: its spec
    and the pictures that it learns from, which ``learned`` opens, say the same. Raises DataError, EnvironmentProblem.
    """
    from netspec_runtime.model_file import read_model
    from netspec_runtime.training.candidate import open_onnx, open_torch

    path = Path(name)
    folder = path if path.is_dir() else None
    if folder is not None and backend != "onnx" and is_underway(folder):
        return _open_underway(folder, name, device, learned)
    file = model_file(path, or_weights=backend != "onnx")
    model = read_model(str(file))
    if backend == "onnx" or (backend == "auto" and folder is None):
        return open_onnx(model, name, device)
    return open_torch(_torch_net(model, folder), model.card, name, device)


def is_underway(folder: Path) -> bool:
    """Whether this is a run that has weights, and has not ended."""
    from netspec_runtime.training.checkpoint import BEST

    return (folder / BEST).is_file() and not any(folder.glob("*.onnx"))


def model_file(path: Path, or_weights: bool = False) -> Path:
    """The ONNX file in a folder, or the file itself. Raises DataError where there is none.

    ``or_weights``: whether a run's best weights would do too, and it has none.
    """
    from netspec_runtime.training.metrics import divergence

    if not path.exists():
        raise DataError(str(path), "there is no such file or folder", "give an ONNX file or the folder of a run")
    if not path.is_dir():
        return path
    files = sorted(path.glob("*.onnx"))
    if (path / MODEL) in files:
        return path / MODEL
    whole = [file for file in files if _PART.search(file.name) is None]
    if len(whole) == 1:  # of `netspec build`
        return whole[0]
    if whole:
        names = ", ".join(file.name for file in whole)
        raise DataError(str(path), f"it holds {len(whole)} ONNX files: {names}", f"give one, as {whole[0]}")
    runs = sorted(file.parent.name for file in path.glob(f"*/{ARGUMENTS}"))
    if runs:
        raise DataError(str(path), f"it holds runs and is none: {', '.join(runs)}", f"give one, as {path / runs[0]}")
    own = is_run(path)
    if own and (why := divergence(path / METRICS)):
        raise DataError(str(path), f"its training diverged ({why})", "give another run")
    if own and or_weights:
        from netspec_runtime.training.checkpoint import BEST

        reason = f"there is no {BEST} in it, which comes at the end of the first epoch"
        raise DataError(str(path), reason, f"go on with its training: netspec train --resume {path}")
    fix = f"end its training: netspec train --resume {path}" if own else "give an ONNX file or the folder of a run"
    raise DataError(str(path), "there is no model.onnx in it, so no run that has ended", fix)


def require_model(name: str) -> None:
    """Raise DataError for what is no model: neither an ONNX file nor a folder with one, nor a run that has weights."""
    from netspec_runtime.model_file import read_model

    path = Path(name)
    if not is_underway(path):
        read_model(str(model_file(path, or_weights=True)))


def _open_underway(folder: Path, name: str, device: Device, learned: Learned) -> Candidate:
    """A run's net with the best weights so far, and the card that its model.onnx will have."""
    from netspec.backends.onnx.metadata import describe
    from netspec_runtime.card import read_card
    from netspec_runtime.training.candidate import open_torch
    from netspec_runtime.training.checkpoint import BEST, read_best
    from netspec_runtime.training.run import open_run

    compiled = compile_file(open_run(folder).spec)
    data = learned(folder, compiled)
    written = compiled.spec.labels
    labels = written if written and isinstance(written, tuple) else data.classes
    seen = Seen.of_data(data)
    net = _module(compiled, read_best(folder)[0], folder / BEST)
    return open_torch(net, read_card(describe(compiled.spec, labels, seen)), name, device)


def _torch_net(model: ModelFile, folder: Path | None) -> TorchNet:
    """The module of the spec that the ONNX file holds, and weights for it."""
    import torch

    from netspec_runtime.training.checkpoint import BEST, read_best
    from netspec_runtime.weights import map_weights

    if _SPEC_KEY not in model.metadata:
        raise DataError(model.name, "it holds no spec to compile", "evaluate it with --backend onnx")
    compiled = compile_spec(load_text(model.metadata[_SPEC_KEY], name=f"the spec in {model.name}"))
    if folder is not None and (folder / BEST).is_file():
        return _module(compiled, read_best(folder)[0], folder / BEST)
    weights = {name: torch.from_numpy(array) for name, array in map_weights(model.path).items()}
    return _module(compiled, weights, model.path)


def _module(compiled: Compiled, weights: Mapping[str, Tensor], file: Path) -> TorchNet:
    """The generated module, with weights that are the file's."""
    from netspec.backends.torch import emit_module
    from netspec_runtime.training.candidate import TorchNet, file_sha256

    source = emit_module(compiled.spec, compiled.merged, compiled.merged)
    checked = _checked(compiled, weights, file)
    return TorchNet(source, class_name(compiled.spec.name), compiled.classes, checked, file_sha256(file))


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
