"""A small, plain training run of one process of several, as a program that the tests of meshes start. It tests nothing.

    python -m tests.training.mesh_run JOBS PROCESS

JOBS is a file of `Job`s, done in turn; each leaves its weights, momenta and losses in its folder.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
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
from netspec_runtime.errors import OneLineError
from netspec_runtime.training.launch import Launch, MeshShape
from netspec_runtime.training.net import LocalNet, State, TrainableNet
from netspec_runtime.training.optimizer import PaperSGD, parameter_groups
from netspec_runtime.training.recipe import ParameterRule
from netspec_runtime.training.towers import join
from netspec_runtime.training.world import Alone, World

BATCH, SEED = 10, 5


def compiled(text: str) -> Compiled:
    return compile_spec(load_text(text))


def source_for(net: Compiled, shape: MeshShape) -> str:
    if shape.tower == 1:
        return emit_module(net.spec, net.merged, net.merged)
    towers = split_trick(net.typed, shape.tower) if shape.trick else split_towers(net.placed)
    return emit_towers(net.spec, net.typed, towers)


def local(net: Compiled) -> LocalNet:
    return LocalNet(emit_module(net.spec, net.merged, net.merged), class_name(net.spec.name), ("cpu",))


def first_weights(net: Compiled) -> State:
    """Weights of a scale at which all layers learn."""
    generator = torch.Generator().manual_seed(SEED)
    state = {}
    for owned in net.typed.parameters:
        dims, fan_in = owned.parameter.dims, owned.parameter.fan_in
        spread = (2 / fan_in) ** 0.5 if owned.parameter.role == "weight" else 0.1
        state[owned.name] = torch.randn(dims, generator=generator) * spread
    return state


def rules(net: Compiled) -> tuple[ParameterRule, ...]:
    return tuple(_rule(node.layer, p) for node in net.typed.nodes for p in node.parameters)


def _rule(layer: Layer, owned: OwnedParameter) -> ParameterRule:
    assert isinstance(layer, LearnedLayer)
    if owned.parameter.role == "bias":
        return ParameterRule(owned.name, True, 2 * layer.lr_b, 0.0)
    return ParameterRule(owned.name, False, layer.lr_w, 0.0005)


def images_of(step: int, net: Compiled) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1000 + step)
    images = torch.randn((BATCH, *net.typed.input.shape.dims), generator=generator)
    return images, torch.randint(0, net.spec.classes or 10, (BATCH,), generator=generator)


def train(
    net: Compiled,
    part: TrainableNet,
    world: World,
    steps: range,
    state: State | None = None,
    after: Callable[[int, State], None] = lambda step, state: None,
) -> State:
    """Weights and momenta (`u.conv1.weight`) after the steps, and the sum of the losses (`loss`)."""
    state = state or first_weights(net)
    part.module.load_state_dict(part.distribute(state), strict=False)
    optimizer = PaperSGD(parameter_groups(rules(net), part.parameters(), part.canonical), momentum=0.9)
    if any(name.startswith("u.") for name in state):
        momenta = part.distribute({name[2:]: u for name, u in state.items() if name.startswith("u.")})
        optimizer.load(momenta, {"weights": 0.01, "biases": 0.01})
    sums = state.get("loss", torch.zeros(1, dtype=torch.float64))
    for step in steps:
        sums = sums + one_step(net, part, world, optimizer, step)
        if world.any(False):
            raise AssertionError("nobody wants to stop")
        after(step, gathered(part, optimizer) | {"loss": sums})
    return gathered(part, optimizer) | {"loss": sums}


def one_step(net: Compiled, part: TrainableNet, world: World, optimizer: PaperSGD, step: int) -> float:
    part.module.train()
    images, labels = images_of(step, net)
    rows = world.rows(BATCH)
    part.draw(SEED * 1000 + step, rows.start)
    optimizer.zero_grad(set_to_none=True)
    scores, anchor = part.logits(images[rows]), part.anchor()
    loss = cross_entropy(scores, labels[rows], reduction="sum") / BATCH if scores is not None else torch.zeros(())
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
        rows = world.rows(3)
        scores = part.logits(images[:3][rows])
        mine = labels[:3][rows]
        own = [0.0, 0.0] if scores is None else [len(mine), float(cross_entropy(scores, mine, reduction="sum"))]
    return world.total(own)


@dataclass(frozen=True)
class Job:
    """A run of ``size`` processes, which meet at ``port``. Without ``ranks`` torchrun says who is who."""

    spec: str
    mesh: str
    out: str
    steps: int = 20
    dtype: str = "float32"
    processes: tuple[int, ...] = ()
    port: int = 0
    keep: bool = False  # leave a checkpoint after each step, and start from it

    def run_in(self, process: int) -> None:
        """Take part as this process."""
        if self.processes:
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
    part, world = join(launch, shape, source_for(net, shape), class_name(net.spec.name), launch.device("cpu"))
    saved = out / "saved.safetensors"
    state = load_file(saved) if saved.exists() else None
    first = int(state.pop("step")) if state else 0

    def keep(step: int, state: State) -> None:
        if launch.rank == 0:
            save_file(state | {"step": torch.tensor(step + 1)}, out / "saving")
            (out / "saving").rename(saved)
        world.barrier()
        end_once(launch, step, out)

    final = train(net, part, world, range(first, job.steps), state, keep if job.keep else _nothing)
    said = world.share("runs/n\u00e4me" if launch.rank == 0 else "")
    seen = {"test": evaluated(net, part, world), "restarts": launch.restarts, "first": first, "said": said}
    if launch.rank == 0:
        save_file(final, out / "final.safetensors")
    (out / f"seen{launch.rank}.json").write_text(json.dumps(seen))
    world.barrier()
    world.leave()


def end_once(launch: Launch, step: int, out: Path) -> None:
    """End the process that the file `end` names after the step that it names, the first time."""
    rank, at = (int(word) for word in (out / "end").read_text().split())
    if (launch.rank, step, launch.restarts) == (rank, at, 0):
        os.kill(os.getpid(), signal.SIGKILL)


def _nothing(_step: int, _state: State) -> None:
    return


def alone(net: Compiled, steps: int = 20, dtype: torch.dtype = torch.float32) -> tuple[State, list[float]]:
    """The same run in one process."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        part = local(net)
        final = train(net, part, Alone(), range(steps))
        return final, evaluated(net, part, Alone())
    finally:
        torch.set_default_dtype(before)


if __name__ == "__main__":
    torch.set_num_threads(1)
    try:
        for document in json.loads(Path(sys.argv[1]).read_text()):
            job = Job(**(document | {"processes": tuple(document["processes"])}))
            number = int(sys.argv[2]) if job.processes else 0
            if not job.processes or number in job.processes:
                job.run_in(number)
    except OneLineError as error:
        sys.stderr.write(f"netspec: {error}\n")
        sys.exit(error.exit_code)
