"""A generated module on its devices, with its parameters under their canonical names. It computes no losses."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Protocol, TypeVar, cast

import torch
from torch import Tensor, nn

from netspec_runtime.errors import EnvironmentProblem
from netspec_runtime.training.launch import MeshError

Rows = tuple[tuple[str, str, int, int], ...]  # (canonical name, name here, first row, end)
State = dict[str, Tensor]
_Result = TypeVar("_Result")


class TrainableNet(Protocol):
    """What the training loop asks of a net, on one device, on several, or one process's part of it."""

    module: nn.Module
    device: torch.device  # where images go

    def logits(self, images: Tensor) -> Tensor | None:
        """What the softmax takes, [N, classes]; None in a process that has another part of the net."""

    def anchor(self) -> Tensor | None:
        """A zero that the loss must include, so that gradients flow where this process only passes values on."""

    def draw(self, key: int, first: int) -> None:
        """Say what dropout draws next: ``key`` (of seed and step, below 2^31), and the place of the first image."""

    def parameters(self) -> dict[str, nn.Parameter]:
        """Learned tensors by the name that they have here."""

    def canonical(self, name: str) -> str:
        """The name in the merged net of the tensor that is called ``name`` here."""

    def collect(self, tensors: Mapping[str, Tensor]) -> State:
        """Tensors by the names here, as the merged net has them, on the CPU. Every process takes part."""

    def distribute(self, state: Mapping[str, Tensor]) -> State:
        """The other way round."""


class LocalNet:
    """A whole net in this process: the merged module on one device, or the split one on several."""

    def __init__(
        self,
        source: str,
        name: str,
        devices: tuple[str, ...],
        channels_last: bool = False,
        compiled: bool = False,
    ) -> None:
        """``channels_last``: the memory format of the weights; ``compiled``: by torch.compile, at the first batch."""
        cls = load_class(source, name if len(devices) == 1 else f"{name}Split")
        self.device = torch.device(devices[0])
        if len(devices) == 1:
            self.module = cls().to(self.device)
            tied = dict(getattr(cls, "TIES", ()))
            own = {n: t for n, t in self.module.state_dict().items() if n not in tied}
            self._rows: Rows = tuple((n, n, 0, len(t)) for n, t in own.items() if t.dim())
        else:
            self.module = cls(*devices)
            self._rows = cast(Rows, vars(cls)["ROWS"])
        self._canonical = {part: merged for merged, part, _, _ in self._rows}
        if channels_last:
            self.module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack it
        forward = getattr(self.module, "logits", self.module)
        self._forward: Callable[[Tensor], Tensor | tuple[Tensor, ...]] = compile_pass(forward) if compiled else forward

    def logits(self, images: Tensor) -> Tensor | None:
        scores = self._forward(images)
        return (scores[0] if isinstance(scores, tuple) else scores).flatten(1)

    def anchor(self) -> Tensor | None:
        return None

    def draw(self, key: int, first: int) -> None:
        if hasattr(self.module, "draw"):  # it has dropout
            self.module.draw = torch.tensor([key, first], dtype=torch.int32, device=self.device)

    def parameters(self) -> dict[str, nn.Parameter]:
        named = self.module.named_parameters(remove_duplicate=False)  # a tied one under its owner's name
        return {name: parameter for name, parameter in named if name in self._canonical}

    def canonical(self, name: str) -> str:
        return self._canonical[name]

    def collect(self, tensors: Mapping[str, Tensor]) -> State:
        parts: dict[str, list[Tensor]] = {}
        for merged, part, _, _ in self._rows:
            if part in tensors:
                parts.setdefault(merged, []).append(tensors[part].detach().cpu())
        return {name: torch.cat(rows) if len(rows) > 1 else rows[0].clone() for name, rows in parts.items()}

    def distribute(self, state: Mapping[str, Tensor]) -> State:
        return {part: state[name][start:end] for name, part, start, end in self._rows if name in state}


def compile_pass(forward: Callable[[Tensor], _Result]) -> Callable[[Tensor], _Result]:
    """By torch.compile, at the first batch: raises EnvironmentProblem then where it cannot."""
    from torch._dynamo.exc import TorchDynamoException

    made = torch.compile(forward)

    def run(images: Tensor) -> _Result:
        try:
            return made(images)
        except TorchDynamoException as error:  # there may be no C++ compiler
            reason = f"torch.compile fails: {str(error).strip().partition(chr(10))[0][:200]}"
            raise EnvironmentProblem("--compile", reason, "train without it") from error

    return run


def check_shares(net: TrainableNet, option: str, fix: str) -> None:
    """Batch normalisation takes its statistics over the batch, and a share of it has others. Raises MeshError."""
    norms = [name for name, layer in net.module.named_modules() if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d)]
    if norms:
        layers = sorted({net.canonical(f"{name}.running_mean").partition(".")[0] for name in norms})
        raise MeshError(option, f"batch normalisation ({', '.join(layers)}) needs the whole batch at once", fix)


def load_class(source: str, name: str) -> type[nn.Module]:
    """A class of generated source text. Raises KeyError where there is none of this name."""
    module = ModuleType(f"netspec_generated_{hashlib.sha256(source.encode()).hexdigest()[:16]}")
    exec(compile(source, f"<{name}>", "exec"), vars(module))  # noqa: S102 - the compiler's own text, checked by it
    sys.modules[module.__name__] = module  # torch.compile imports it to look its functions up
    return cast(type[nn.Module], vars(module)[name])
