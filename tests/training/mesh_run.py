"""A small, plain training run of one process of several, as a program that the tests of meshes start. It tests nothing.

    python -m tests.training.mesh_run JOBS PROCESS

JOBS is a file of `Job`s, done in turn; each leaves its weights, momenta and losses in its folder.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn.functional import cross_entropy

from netspec.backends.torch import emit_module
from netspec.backends.torch.towers import emit_towers
from netspec.ir.graph import OwnedParameter
from netspec.ir.layer import Layer, LearnedLayer
from netspec.passes.towers import split_towers
from netspec.passes.trick import split_trick
from netspec.pipeline import Compiled, compile_spec
from netspec.spec.load import load_text
from netspec.spec.names import class_name
from netspec_runtime.training import mesh
from netspec_runtime.training.launch import Launch, MeshShape
from netspec_runtime.training.net import LocalNet, State, TrainableNet
from netspec_runtime.training.optimizer import PaperSGD, parameter_groups
from netspec_runtime.training.recipe import ParameterRule
from netspec_runtime.training.towers import join
from netspec_runtime.training.world import Alone, World

BATCH, STEPS, SEED = 10, 20, 5


def compiled(text: str) -> Compiled:
    return compile_spec(load_text(text))


def source_for(net: Compiled, shape: MeshShape) -> str:
    if shape.tower == 1:
        return emit_module(net.spec, net.merged, net.merged)
    towers = split_trick(net.typed, shape.tower) if shape.trick else split_towers(net.placed)
    return emit_towers(net.spec, net.typed, towers)


def first_weights(net: Compiled) -> State:
    """Weights of a scale at which all layers learn."""
    generator = torch.Generator().manual_seed(SEED)
    state = {}
    for owned in net.typed.parameters:
        dims, fan_in = owned.parameter.dims, owned.parameter.fan_in
        spread = (2 / fan_in) ** 0.5 if owned.parameter.role == "weight" else 0.1
        state[owned.name] = torch.randn(dims, generator=generator) * spread
        if owned.parameter.path == "running_var":
            state[owned.name].abs_()
    return state


def rules(net: Compiled) -> tuple[ParameterRule, ...]:
    learned = ((n.layer, p) for n in net.typed.nodes for p in n.parameters if p.parameter.role != "statistic")
    return tuple(_rule(layer, owned) for layer, owned in learned)


def _rule(layer: Layer, owned: OwnedParameter) -> ParameterRule:
    bias = owned.parameter.role == "bias"
    if not isinstance(layer, LearnedLayer):
        return ParameterRule(owned.name, bias, 1.0, 0.0)
    return ParameterRule(owned.name, bias, 2 * layer.lr_b if bias else layer.lr_w, 0.0 if bias else 0.0005)


def images_of(step: int, net: Compiled) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1000 + step)
    images = torch.randn((BATCH, *net.typed.input.shape.dims), generator=generator)
    return images, torch.randint(0, net.spec.classes or 10, (BATCH,), generator=generator)


def train(net: Compiled, part: TrainableNet, world: World, bf16: bool, steps: int = STEPS) -> State:
    """Weights and momenta (`u.conv1.weight`) after the steps, and the sum of the losses (`loss`)."""
    part.module.load_state_dict(part.distribute(first_weights(net)), strict=False)
    optimizer = PaperSGD(parameter_groups(rules(net), part.parameters(), part.canonical), momentum=0.9)
    loss = sum(one_step(net, part, world, optimizer, step, bf16) for step in range(steps))
    return gathered(part, optimizer) | {"loss": torch.tensor([loss], dtype=torch.float64)}


def one_step(net: Compiled, part: TrainableNet, world: World, optimizer: PaperSGD, step: int, bf16: bool) -> float:
    part.module.train()
    images, labels = images_of(step, net)
    if bf16:
        images = images.contiguous(memory_format=torch.channels_last)
    rows = world.rows(BATCH)
    part.draw(SEED * 1000 + step, rows.start)
    optimizer.zero_grad(set_to_none=True)
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        scores = part.logits(images[rows])
    loss, anchor = torch.zeros(()), part.anchor()
    if scores is not None:
        loss = cross_entropy(scores.to(loss.dtype), labels[rows], reduction="sum") / BATCH
    torch.autograd.backward(loss if anchor is None else loss + anchor)
    world.sum_gradients({part.canonical(name): p for name, p in part.parameters().items()})
    optimizer.set_rates(0.01, 0.01)
    optimizer.step()
    return world.total([float(loss.detach())])[0]


def gathered(part: TrainableNet, optimizer: PaperSGD) -> State:
    weights = part.collect(part.module.state_dict())
    return weights | {f"u.{name}": u for name, u in part.collect(optimizer.state_tensors()).items()}


def evaluated(net: Compiled, part: TrainableNet, world: World) -> list[float]:
    """The number of images and the sum of the losses at test, over a batch that does not divide."""
    part.module.eval()
    images, labels = images_of(-1, net)
    with torch.inference_mode():
        rows = world.rows(7)
        scores = part.logits(images[:7][rows])
        mine = labels[:7][rows]
        own = [0.0, 0.0] if scores is None else [len(mine), float(cross_entropy(scores, mine, reduction="sum"))]
    return world.total(own)


@dataclass(frozen=True)
class Job:
    """A run of ``processes`` (their numbers, by rank), which meet at ``port``.

    In float64, and with ``bf16``, it is in channels_last; in float64 a message of gradients has at most 500 numbers, so
    that some go alone.
    """

    spec: str
    mesh: str
    out: str
    processes: tuple[int, ...]
    port: int
    dtype: str = "float32"
    bf16: bool = False

    def run_in(self, process: int) -> None:
        """Take part as this process."""
        os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(self.port)}
        rank, size = str(self.processes.index(process)), str(len(self.processes))
        os.environ |= {"RANK": rank, "WORLD_SIZE": size, "LOCAL_RANK": rank, "LOCAL_WORLD_SIZE": size}
        torch.set_default_dtype(getattr(torch, self.dtype))
        launch = Launch.of_environment()
        assert launch is not None, "to be started as one of several"
        take_part(self, launch)


def take_part(job: Job, launch: Launch) -> None:
    net, out = compiled(Path(job.spec).read_text()), Path(job.out)
    shape = MeshShape.chosen(job.mesh or None, launch.size, len(net.placed.devices))
    name, device = class_name(net.spec.name), launch.device("cpu")
    double = job.dtype == "float64"
    part, world = join(launch, shape, source_for(net, shape), name, device, channels_last=job.bf16 or double)
    if double:
        setattr(mesh, "_BUCKET", 500)  # noqa: B010 - it is Final for everyone else
    final = train(net, part, world, job.bf16)
    seen = {"test": evaluated(net, part, world), "said": world.share("runs/n\u00e4me" if launch.rank == 0 else "")}
    if launch.rank == 0:
        save_file(final, out / "final.safetensors")
    (out / f"seen{launch.rank}.json").write_text(json.dumps(seen))
    world.barrier()
    world.leave()


def alone(net: Compiled, dtype: str = "float32", bf16: bool = False, steps: int = STEPS) -> tuple[State, list[float]]:
    """The same run in one process; with ``bf16`` on the devices of the spec, as joining them rounds."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(getattr(torch, dtype))
    try:
        count = len(net.placed.devices) if bf16 else 1
        source = emit_module(net.spec, net.merged, net.placed)
        part = LocalNet(source, class_name(net.spec.name), ("cpu",) * count, channels_last=bf16)
        final = train(net, part, Alone(), bf16, steps)
        return final, evaluated(net, part, Alone())
    finally:
        torch.set_default_dtype(before)


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


if __name__ == "__main__":
    torch.set_num_threads(1)
    for document in json.loads(Path(sys.argv[1]).read_text()):
        job = Job(**(document | {"processes": tuple(document["processes"])}))
        if int(sys.argv[2]) in job.processes:
            job.run_in(int(sys.argv[2]))
