"""One onnxruntime session on the device that was asked for, and the truth about where it runs. It knows no pictures."""

from __future__ import annotations

import contextlib
import io
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import numpy as np
import onnxruntime  # type: ignore[import-untyped]
from numpy.typing import NDArray

from netspec_runtime import cuda
from netspec_runtime.card import ModelCard
from netspec_runtime.device import Device
from netspec_runtime.errors import DataError, EnvironmentProblem
from netspec_runtime.model_file import ModelFile, writing

CPU: Final = "CPUExecutionProvider"
_SILENT: Final = 4  # onnxruntime logs to stderr from C++; what matters comes as an exception
_ORIGIN: Final = re.compile(r"^\[ONNXRuntimeError\] : \d+ : \w+ : (\S+\.(cc|h):\d+ \S+ [^()]*\([^)]*\) )?")


class Value(Protocol):
    """What a session says of an input or output."""

    name: str
    shape: list[int | str | None]
    type: str


class Session(Protocol):
    """The part of onnxruntime's InferenceSession that is used here."""

    def get_providers(self) -> list[str]: ...
    def get_inputs(self) -> list[Value]: ...
    def get_outputs(self) -> list[Value]: ...
    def run(self, names: list[str], feeds: dict[str, NDArray[np.float32]]) -> list[NDArray[np.float32]]: ...


@dataclass(frozen=True)
class Opened:
    """A session and where it really runs. ``obstacle``: why a CUDA device that is here is not used."""

    session: Session
    provider: str
    obstacle: cuda.Obstacle | None


@dataclass(frozen=True)
class Net:
    """A model that is ready to classify. ``name`` is its path as typed; ``input`` and ``output`` name its values."""

    name: str
    card: ModelCard
    classes: int
    opened: Opened
    input: str
    output: str

    def probabilities(self, views: NDArray[np.float32]) -> NDArray[np.float32]:
        """[N, classes] from [N, channels, height, width]. Raises DataError if the model fails or gives no numbers."""
        try:
            answer = self.opened.session.run([self.output], {self.input: views})[0]
        except Exception as error:  # onnxruntime's errors share no class but this
            raise _unusable(self.name, f"onnxruntime fails: {_first_line(error)}") from error
        if answer.shape != (len(views), self.classes) or not np.isfinite(answer).all():
            raise _unusable(self.name, "its answer is no row of finite numbers for each picture")
        return _softmax(answer) if self.card.scores else answer


def _softmax(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    powers: NDArray[np.float32] = np.exp(scores - scores.max(axis=1, keepdims=True))
    probabilities: NDArray[np.float32] = powers / powers.sum(axis=1, keepdims=True)
    return probabilities


def open_net(model: ModelFile, device: Device, *, prepack: bool) -> Net:
    """Open a checked model. ``prepack`` spends .15 s for AlexNet at the start to save .004 s at every pass.

    Raises DataError if onnxruntime refuses the model or the model is not what its card says, EnvironmentProblem if the
    device cannot be used.
    """
    try:
        opened = open_session(model.graph, model.path.parent, device, prepack=prepack)
    except RefusedModelError as error:
        raise _unusable(model.name, f"onnxruntime refuses it: {error}") from error
    if not model.unchanged():
        raise DataError(model.name, "it was changed while it was read", "run the command again")
    try:
        return checked_net(model, opened)
    except UnicodeDecodeError as error:
        raise _unusable(model.name, "its values have names that are no text") from error


class RefusedModelError(ValueError):
    """onnxruntime does not take the model. The text is the first line of its reason."""


def open_session(graph: bytes, folder: Path, device: Device, *, prepack: bool) -> Opened:
    """Open a session on a model given as bytes, whose large weights may lie in files of ``folder``.

    Raises EnvironmentProblem if the device cannot be used, RefusedModelError if the model cannot.
    """
    onnxruntime.set_default_logger_severity(_SILENT)
    if device is Device.CUDA:
        return _open_on_cuda(graph, folder, prepack=prepack)
    seen = device is Device.AUTO and cuda.driver_obstacle() is None
    obstacle = _cuda_obstacle() if seen else None
    providers = [cuda.PROVIDER, CPU] if seen and obstacle is None else [CPU]
    session = _open(graph, _options(folder, prepack=prepack), providers)
    provider = session.get_providers()[0]
    if seen and obstacle is None and provider == CPU:
        obstacle = cuda.Obstacle("onnxruntime took the CPU instead", "run `netspec doctor`")
    return Opened(session, provider, obstacle)


def _open_on_cuda(graph: bytes, folder: Path, *, prepack: bool) -> Opened:
    obstacle = _cuda_obstacle()
    if obstacle is not None:
        raise EnvironmentProblem("--device cuda", obstacle.reason, obstacle.fix)
    options = _options(folder, prepack=prepack)
    options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
    try:
        session = _open(graph, options, [cuda.PROVIDER])
    except RefusedModelError as error:
        raise EnvironmentProblem("--device cuda", str(error), "use --device auto, or run `netspec doctor`") from error
    provider = session.get_providers()[0]
    if provider != cuda.PROVIDER:
        raise EnvironmentProblem("--device cuda", f"onnxruntime took {provider}", "run `netspec doctor`")
    return Opened(session, provider, None)


def _cuda_obstacle() -> cuda.Obstacle | None:
    with contextlib.redirect_stdout(io.StringIO()):  # it prints what it does not find
        onnxruntime.preload_dlls()
    return cuda.provider_obstacle(onnxruntime.get_available_providers(), Path(onnxruntime.__file__).parent)


def _options(folder: Path, *, prepack: bool) -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _SILENT
    place = os.fsencode(folder)  # as bytes, since a name may be in no UTF-8
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", place)
    if not prepack:
        options.add_session_config_entry("session.disable_prepacking", "1")
    return options


def _open(graph: bytes, options: onnxruntime.SessionOptions, providers: list[str]) -> Session:
    try:
        session: Session = onnxruntime.InferenceSession(graph, options, providers=providers, enable_fallback=0)
    except Exception as error:  # onnxruntime's errors share no class but this
        raise RefusedModelError(_first_line(error)) from error
    return session


def checked_net(model: ModelFile, opened: Opened) -> Net:
    """The net, if its graph takes and gives what its card promises. Raises DataError."""
    path, card = model.name, model.card
    inputs, outputs = opened.session.get_inputs(), opened.session.get_outputs()
    wanted = [card.preprocessing.channels.planes, *card.preprocessing.crop]
    if len(inputs) != 1 or inputs[0].type != "tensor(float)" or inputs[0].shape[1:] != wanted:
        raise _unusable(path, f"its input is not the {'x'.join(map(str, wanted))} floats that its preprocessing gives")
    if isinstance(inputs[0].shape[0], int):
        raise _unusable(path, f"it takes {inputs[0].shape[0]} pictures at a time, and no other number")
    classes = _classes(outputs)
    if classes is None:
        raise _unusable(path, "its first output is no row of probabilities")
    if card.labels and len(card.labels) != classes:
        raise _unusable(path, f"it has {classes} classes and {len(card.labels)} labels")
    return Net(model.name, card, classes, opened, inputs[0].name, outputs[0].name)


def _classes(outputs: list[Value]) -> int | None:
    """The number of classes if the first output is floats of [N, classes]."""
    if not outputs or outputs[0].type != "tensor(float)" or len(outputs[0].shape) != 2:
        return None
    classes = outputs[0].shape[1]
    return classes if isinstance(classes, int) and classes > 0 else None


def _unusable(path: str, reason: str) -> DataError:
    return DataError(path, reason, writing(path))


def _first_line(error: Exception) -> str:
    """What onnxruntime says, without its own error number and the place in its source."""
    line = str(error).partition("\n")[0]
    return _ORIGIN.sub("", line)[:200]
