"""Images a second of training specs/cifar10-18pct.yaml, data included, beside the same net and recipe in plain torch.

All sides run in one process, in which freed memory is kept as `netspec train` keeps it: so plain torch gains by it too.

python -m benchmarks.cifar [--threads 2] [--rounds 9] [--compile]
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np
import torch

from benchmarks import plain_cifar
from benchmarks.in_turn import in_turn, show
from netspec.pipeline import Compiled, compile_file
from netspec.spec.names import class_name
from netspec.spec.shipped import find_spec
from netspec.training import generated_source, picture_recipe, training_recipe
from netspec_runtime.data.prepared import Split, Statistics
from netspec_runtime.training.batches import TrainingBatches
from netspec_runtime.training.memory import keep_freed_memory
from netspec_runtime.training.net import LocalNet
from netspec_runtime.training.optimizer import PaperSGD, parameter_groups
from netspec_runtime.training.pixels import Pixels
from netspec_runtime.training.step import Step
from netspec_runtime.training.world import Alone

IMAGES, STEPS = 10_000, 5
Side = Callable[[], object]


def main(arguments: list[str] | None = None) -> None:
    """Print times of some steps, ratios, and images a second."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--compile", action="store_true", help="our net by torch.compile too")
    wish = parser.parse_args([] if arguments is None else arguments)
    keep_freed_memory()
    torch.set_num_threads(wish.threads)
    compiled, split = compile_file(find_spec("cifar10-18pct")), _pictures()
    sides = {
        "plain torch": _plain(split, channels_last=False),
        "plain torch, channels_last": _plain(split, channels_last=True),
        "netspec": _ours(compiled, split, channels_last=False),
        "netspec, channels_last": _ours(compiled, split, channels_last=True),
    }
    if wish.compile:
        sides["netspec, compiled"] = _ours(compiled, split, channels_last=False, compiled_net=True)
        sides["netspec, channels_last, compiled"] = _ours(compiled, split, channels_last=True, compiled_net=True)
    title = f"{STEPS} training steps of {plain_cifar.BATCH} images, {compiled.spec.name}, {wish.threads} threads"
    timings = in_turn(sides, wish.rounds)
    show(title, timings)
    for timing in timings:
        print(f"  {timing.name}: {STEPS * plain_cifar.BATCH / timing.seconds:,.0f} images/s")


def _pictures() -> Split:
    """Random ones: what they show makes no step slower."""
    draw = np.random.default_rng(0)
    return Split(draw.integers(0, 256, (IMAGES, 32, 32, 3), np.uint8), draw.integers(0, 10, IMAGES))


def _plain(split: Split, *, channels_last: bool) -> Side:
    layout = torch.channels_last if channels_last else torch.contiguous_format
    images = torch.from_numpy(split.images.transpose(0, 3, 1, 2).copy())
    labels, mean = torch.from_numpy(split.labels), images.double().mean(0).float()
    net = plain_cifar.PlainCifar()
    net.to(memory_format=layout)  # type: ignore[call-overload]  # torch's stubs lack it
    optimizer = plain_cifar.make_optimizer(net)

    def run() -> None:
        for ids in torch.randperm(IMAGES)[: STEPS * plain_cifar.BATCH].view(STEPS, -1):
            batch = (images[ids].float() - mean).contiguous(memory_format=layout)
            plain_cifar.step(net, optimizer, batch, labels[ids])

    return run


def _ours(compiled: Compiled, split: Split, *, channels_last: bool, compiled_net: bool = False) -> Side:
    """As `netspec train` runs it, checks of the gradients and files aside."""
    recipe, pictures = training_recipe(compiled), picture_recipe(compiled)
    mean = split.images.mean(0, dtype=np.float64)
    statistics = Statistics(mean.astype(np.float32), mean.mean((0, 1)), np.ones(3), np.eye(3))
    batches = TrainingBatches(split, statistics, pictures, recipe.batch, recipe.seed, 1, slice(0, recipe.batch))
    name = class_name(compiled.spec.name)
    net = LocalNet(generated_source(compiled), name, ("cpu",), channels_last, compiled_net)
    optimizer = PaperSGD(parameter_groups(recipe.rules, net.parameters(), net.canonical), recipe.momentum)
    step = Step(net, Alone(), optimizer, Pixels(pictures, statistics, net.device, channels_last))
    source = batches.start(0)

    def run() -> None:
        for _ in range(STEPS):
            step.gradients(next(source), recipe.batch, key=0)
            step.update(recipe.lr.start, recipe.lr_b.start)

    return run


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
