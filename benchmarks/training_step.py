"""One training step of AlexNet beside a plain module with torch's norm and optimizer: all that a step computes.

`netspec train` lets freed tensors be used again (netspec_runtime.training.memory); a plain script has glibc's defaults.
The plain module without any norm is the bound: what convolutions and matrix products alone take on this CPU.
All sides run in one process, in turn, and that setting is the process's, so it changes with the turns.

python -m benchmarks.training_step [--threads 2] [--batch 64] [--rounds 5] [--compile]
"""

from __future__ import annotations

import argparse
import ctypes
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from benchmarks.in_turn import in_turn, show
from benchmarks.plain_alexnet import PlainAlexNet
from netspec.pipeline import compile_file
from netspec.spec.names import class_name
from netspec.spec.shipped import find_spec
from netspec.training import generated_source, training_recipe
from netspec_runtime.training.memory import keep_freed_memory
from netspec_runtime.training.net import LocalNet
from netspec_runtime.training.optimizer import PaperSGD, parameter_groups

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # malloc.h of glibc
RATE, MOMENTUM, DECAY = 1e-4, 0.9, 0.0005
Side = Callable[[], object]
LAYOUTS = {True: torch.channels_last, False: torch.contiguous_format}


def main(arguments: list[str] | None = None) -> None:
    """Print the ratios; bf16 only where the CPU convolves in it (elsewhere a step takes ten times as long)."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--compile", action="store_true", help="our net by torch.compile too, which takes minutes")
    wish = parser.parse_args([] if arguments is None else arguments)
    torch.set_num_threads(wish.threads)
    images, labels = torch.randn(wish.batch, 3, 224, 224) * 60, torch.randint(0, 1000, (wish.batch,))
    sides = {
        "plain torch": _plain(images, labels),
        "plain torch, no norms": _plain(images, labels, norms=False),
        "netspec": _ours(images, labels, channels_last=False),
        "netspec, channels_last": _ours(images, labels),
    }
    if wish.compile:
        sides["netspec, channels_last, compiled"] = _ours(images, labels, compiled_net=True)
    if torch.ops.mkldnn._is_mkldnn_bf16_supported():  # noqa: SLF001 - torch has no public question for it
        sides["netspec, channels_last, bf16"] = _ours(images, labels, bf16=True)
    else:
        print("this CPU has no bf16 convolutions (oneDNN wants AVX-512): bf16 is left out")
    show(f"AlexNet training step, batch {wish.batch}, {wish.threads} threads", in_turn(sides, wish.rounds))


def _plain(images: Tensor, labels: Tensor, *, norms: bool = True) -> Side:
    net = PlainAlexNet(norms=norms)
    optimizer = torch.optim.SGD(net.parameters(), lr=RATE, momentum=MOMENTUM, weight_decay=DECAY)

    def run() -> float:
        map_large_tensors()
        optimizer.zero_grad()
        loss = cross_entropy(net.scores(images), labels)
        loss.backward()  # type: ignore[no-untyped-call]  # torch's own
        optimizer.step()
        return loss.item()

    return run


def _ours(
    images: Tensor, labels: Tensor, *, channels_last: bool = True, bf16: bool = False, compiled_net: bool = False
) -> Side:
    compiled = compile_file(find_spec("alexnet"))
    recipe = training_recipe(compiled)
    net = LocalNet(generated_source(compiled), class_name(compiled.spec.name), ("cpu",), channels_last, compiled_net)
    optimizer = PaperSGD(parameter_groups(recipe.rules, net.parameters(), net.canonical), recipe.momentum)
    optimizer.set_rates(RATE, RATE)
    inputs = images.contiguous(memory_format=LAYOUTS[channels_last])

    def run() -> float:
        keep_freed_memory()
        optimizer.zero_grad()
        net.draw(key=1, first=0)
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            scores = net.logits(inputs)
        if scores is None:
            raise TypeError("a net in one process has all scores")
        loss = cross_entropy(scores.float(), labels)
        loss.backward()  # type: ignore[no-untyped-call]  # torch's own
        optimizer.step()
        return loss.item()

    return run


def map_large_tensors() -> None:
    """As glibc does without a word: its own threshold grows to 32 MB, and what is larger is mapped anew each time.

    Of what is free at the end of the heap it keeps twice as much, and gives the rest back to the system.
    """
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt"):
        library.mallopt(M_MMAP_THRESHOLD, 1 << 25)
        library.mallopt(M_TRIM_THRESHOLD, 1 << 26)


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
