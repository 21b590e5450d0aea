"""The generated module, run: built without memory of its own over given weights, merged or split. It emits nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch.overrides import TorchFunctionMode

from netspec.spec.names import class_name

Array = NDArray[np.float32]
Values = dict[str, torch.Tensor]
Rows = tuple[tuple[str, str, int, int], ...]

_FILLS = ("normal_", "uniform_", "fill_", "zero_")


class TracedModule(Protocol):
    """A generated module that returns every layer's output by name."""

    def __call__(self, data: torch.Tensor) -> Values: ...
    def named_parameters(self, *, remove_duplicate: bool = ...) -> Iterator[tuple[str, torch.nn.Parameter]]: ...
    def named_modules(self) -> Iterator[tuple[str, torch.nn.Module]]: ...


def load_classes(source: str, net: str) -> tuple[type[torch.nn.Module], type[torch.nn.Module] | None]:
    """The classes of generated source text: the merged one and, if there are several devices, the split one."""
    namespace: dict[str, Any] = {"__name__": "netspec_generated"}
    exec(compile(source, f"<{net}.py>", "exec"), namespace)  # noqa: S102 - our own backend's text, checked
    name = class_name(net)
    return namespace[name], namespace.get(f"{name}Split")


class _Unset(TorchFunctionMode):
    """Constructors leave parameters unset, so that their memory is never touched: they are replaced at once."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        named = kwargs or {}
        if getattr(func, "__module__", "") == "torch.nn.init" or getattr(func, "__name__", "") in _FILLS:
            return args[0] if args else named["tensor"]
        return func(*args, **named)


def merged_module(cls: type[torch.nn.Module], weights: Mapping[str, Array]) -> TracedModule:
    """The merged module with the arrays as its parameters, in place."""
    with _Unset():
        module = cls()
    return _assigned(module, {name: torch.from_numpy(array) for name, array in weights.items()})


def split_module(cls: type[torch.nn.Module], weights: Mapping[str, Array]) -> TracedModule:
    """The split module, all devices the CPU, with rows of the arrays as its parameters, in place."""
    devices = cls.__init__.__code__.co_argcount - 1
    with _Unset():
        module = cls(*["cpu"] * devices)
    return _assigned(
        module, {part: torch.from_numpy(weights[name])[start:end] for name, part, start, end in rows_of(cls)}
    )


def rows_of(cls: type[torch.nn.Module]) -> Rows:
    """The table of a split class: (merged name, name here, first row, end)."""
    return cast(Rows, vars(cls)["ROWS"])


def _assigned(module: torch.nn.Module, state: Values) -> TracedModule:
    """Parameters become the given tensors; tied ones stay one."""
    slots = dict(module.named_parameters(remove_duplicate=False))
    owners = {id(slots[name]): name for name in state if name in slots}
    new = {name: torch.nn.Parameter(tensor) if name in slots else tensor for name, tensor in state.items()}
    tied = {name: new[owners[id(parameter)]] for name, parameter in slots.items()}
    module.load_state_dict(new | tied, strict=False, assign=True)
    return cast(TracedModule, module.eval())
