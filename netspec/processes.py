"""Which devices and which processes a net is trained on, and the net there. It trains nothing."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from netspec.pipeline import Compiled
from netspec.spec.names import class_name
from netspec.training import generated_source
from netspec_runtime.errors import EnvironmentProblem, OneLineError

if TYPE_CHECKING:
    from netspec_runtime.training.launch import Launch, MeshShape
    from netspec_runtime.training.net import TrainableNet
    from netspec_runtime.training.world import World

AUTO = "auto"


class DevicesError(OneLineError):
    """The devices that were asked for do not fit the spec. Exit code 2, as for wrong usage."""

    exit_code = 2


@dataclass(frozen=True)
class NetOptions:
    """``devices``: `auto`, one, or one for each device of the spec; of several processes, `auto`, `cpu` or `cuda`."""

    devices: str = AUTO
    mesh: str | None = None
    channels_last: bool = False
    compile: bool = False


def open_net(compiled: Compiled, options: NetOptions) -> tuple[TrainableNet, World, tuple[str, ...]]:
    """The net on its devices, the processes that train it, and the names of this process's devices.

    Raises DevicesError, EnvironmentProblem, MeshError.
    """
    from netspec_runtime.training.launch import Launch
    from netspec_runtime.training.net import LocalNet
    from netspec_runtime.training.world import Alone

    launch = Launch.of_environment()
    if launch is not None:
        return _open_part(compiled, options, launch)
    if options.mesh is not None:
        _refuse_alone(options.mesh)
    devices = find_devices(options.devices, len(compiled.placed.devices))
    name = class_name(compiled.spec.name)
    net = LocalNet(generated_source(compiled), name, devices, options.channels_last, options.compile)
    return net, Alone(), devices


def _refuse_alone(mesh: str) -> None:
    """Raises MeshError, with the same command for as many processes, unless one is all that the mesh has."""
    from netspec_runtime.training.launch import MeshError, MeshShape

    count = MeshShape.parsed(mesh).processes
    if count > 1:
        command = f"torchrun --nproc-per-node {count} -m netspec {shlex.join(sys.argv[1:])}"
        raise MeshError(f"--mesh {mesh}", f"this is one process of {count}", f"start with torchrun: {command}")


def find_devices(text: str, placed: int) -> tuple[str, ...]:
    """The devices that a word or a list of them means, for a spec with so many. Raises DevicesError."""
    import torch

    if text == AUTO:
        gpus = torch.cuda.device_count()
        return tuple(f"cuda:{i}" for i in range(placed if gpus >= placed else 1)) if gpus else ("cpu",)
    if ";" in text:
        fix = f"separate them by commas: --devices {','.join(text.split(';'))}"
        raise DevicesError(f"--devices {text}", "no device", fix)
    names = tuple("cuda:0" if name.strip() == "cuda" else name.strip() for name in text.split(","))
    for name in names:
        _require_device(name)
    if len(names) not in (1, placed):
        reason = f"{len(names)} devices, and the spec places its layers on {placed}"
        counts = "one" if placed == 1 else f"one or {placed}"
        raise DevicesError(f"--devices {text}", reason, f"give {counts}, or `gpu` keys in the spec")
    return names


def _require_device(name: str) -> None:
    import torch

    kind, _, number = name.partition(":")
    if kind not in ("cpu", "cuda") or (number and not number.isdecimal()) or (kind == "cpu" and number):
        raise DevicesError(f"--devices {name}", "no device", "for instance cpu, cuda:0 or cuda:0,cuda:1")
    if kind == "cuda" and int(number or 0) >= torch.cuda.device_count():
        found = f"torch sees {torch.cuda.device_count()} GPUs"
        raise EnvironmentProblem(f"--devices {name}", found, "use --devices cpu, or run `netspec doctor`")


def _open_part(compiled: Compiled, options: NetOptions, launch: Launch) -> tuple[TrainableNet, World, tuple[str, ...]]:
    """One process's part of the net."""
    import torch

    from netspec_runtime.training.launch import MeshShape
    from netspec_runtime.training.towers import join

    kind = options.devices.partition(":")[0]
    if kind not in (AUTO, "cpu", "cuda"):
        raise DevicesError(f"--devices {options.devices}", "of several processes each has one", "give cpu or cuda")
    if kind == AUTO:
        kind = "cuda" if torch.cuda.is_available() else "cpu"
    shape = MeshShape.chosen(options.mesh, launch.size, len(compiled.placed.devices))
    device = launch.device(kind)
    source, name = _source(compiled, shape), class_name(compiled.spec.name)
    net, world = join(launch, shape, source, name, device, options.channels_last, options.compile)
    return net, world, (str(device),)


def _source(compiled: Compiled, shape: MeshShape) -> str:
    """The generated module, or the file of its towers. Raises MeshError."""
    from netspec.backends.torch.towers import emit_towers
    from netspec.passes.towers import split_towers
    from netspec.passes.trick import split_trick
    from netspec_runtime.training.launch import MeshError

    if shape.tower == 1:
        return generated_source(compiled)
    try:
        towers = split_trick(compiled.typed, shape.tower) if shape.trick else split_towers(compiled.placed)
    except ValueError as error:
        raise MeshError(f"--mesh trick={shape.tower}", str(error), f"--mesh data={shape.tower}") from None
    return emit_towers(compiled.spec, compiled.typed, towers)
