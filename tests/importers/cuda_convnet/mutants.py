"""Pairs of cuda-convnet files with slips in them, by number. It judges none.

`python -m tests.importers.cuda_convnet.mutants N` reads the first N: how they end, how long the longest took.
"""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from netspec.diagnostics import SpecError
from netspec.diagnostics.text import render
from netspec.importers.cuda_convnet.net import CudaConvnetOptions, read_cuda_convnet
from netspec.importers.cuda_convnet.types import ALL_TYPES
from netspec.pipeline import compile_spec
from netspec.source import Source
from netspec.syntax.reader import read_source
from tests.importers.cuda_convnet.nets import NETS
from tests.importers.cuda_convnet.samples import pairs

Pair = tuple[str, str, int | None]  # and the size of the input
Random = random.Random

_NUMBERS = (
    "0",
    "1",
    "-1",
    "2",
    "3",
    "7",
    "64",
    "1000",
    "16384",
    "1e9",
    "99999999",
    "9" * 30,
    "0.5",
    "1e-4",
    "nan",
    "inf",
)
_VALUES = (
    *_NUMBERS,
    "",
    ",",
    "1,2",
    "1,2,3,4",
    "true",
    "no",
    "relu",
    "tanh[1,2]",
    "dexp[250,4]",
    "data",
    "conv1",
    "%(type)s",
)
_LINES = (
    "[conv1]",
    "[]",
    "[data",
    "ano[conv1]",
    "gpu=0,1",
    "groups=2",
    "randSparse=1",
    "blocked=1",
    "x",
    " y",
    "start=-1",
)
_OPTIONS = (
    "channels",
    "inputs",
    "stride",
    "outputsX",
    "modulesX",
    "weightSource",
    "filterChannels",
    "coeffs",
    "neuron",
    "gpu",
)
_CHARACTERS = "[]=:;#%, \t\n0129aeilnorst\x00\u0441\u202e"


def originals(samples: Path | None) -> list[Pair]:
    """The small nets, and with a folder of samples those too."""
    found: list[Pair] = [(net.definition, net.params, net.size) for net in NETS.values()]
    for pair in pairs(samples) if samples else ():
        files = [read_source(Path(samples or "", file)).text for file in (pair.definition, pair.params)]
        found.append((files[0], files[1], None))
    return found


def mutant(originals: list[Pair], seed: int) -> Pair:
    """One to four slips in either file."""
    rng = Random(seed)
    definition, params, size = rng.choice(originals)
    for _ in range(rng.randint(1, 4)):
        change = rng.choice(_CHANGES)
        if rng.random() < 0.7:
            definition = change(rng, definition)
        else:
            params = change(rng, params)
    return definition, params, size


def verdict(pair: Pair, lenient: bool) -> str:
    """``net``, or the code of the first finding. Anything else that is raised is a bug."""
    definition, params = Source("net.cfg", pair[0]), Source("params.cfg", pair[1])
    try:
        compile_spec(read_cuda_convnet(definition, params, CudaConvnetOptions(pair[2], lenient)).spec)
    except SpecError as error:
        render(error.diagnostics)
        return error.diagnostics[0].code
    return "net"


def _line(rng: Random, text: str, change: Callable[[list[str], int], None]) -> str:
    lines = text.split("\n")
    change(lines, rng.randrange(len(lines)))
    return "\n".join(lines)


def _delete(rng: Random, text: str) -> str:
    return _line(rng, text, lambda lines, at: lines.__delitem__(slice(at, at + rng.randint(1, 3))))


def _repeat(rng: Random, text: str) -> str:
    return _line(rng, text, lambda lines, at: lines.insert(rng.randrange(len(lines)), lines[at]))


def _insert(rng: Random, text: str) -> str:
    return _line(rng, text, lambda lines, at: lines.insert(at, rng.choice(_LINES)))


def _option(rng: Random, text: str) -> str:
    line = f"{rng.choice(_OPTIONS)}={rng.choice(_VALUES)}"
    return _line(rng, text, lambda lines, at: lines.insert(at, line))


def _value(rng: Random, text: str) -> str:
    """Another value, or that of another line."""
    lines = text.split("\n")
    others = [line.partition("=")[2] for line in lines if "=" in line]
    at = rng.choice([number for number, line in enumerate(lines) if "=" in line] or [0])
    value = rng.choice(_VALUES) if rng.random() < 0.5 or not others else rng.choice(others)
    lines[at] = f"{lines[at].partition('=')[0]}={value}"
    return "\n".join(lines)


def _type(rng: Random, text: str) -> str:
    def change(lines: list[str], _: int) -> None:
        typed = [number for number, line in enumerate(lines) if line.startswith("type=")]
        if typed:
            lines[rng.choice(typed)] = f"type={rng.choice(ALL_TYPES)}"

    return _line(rng, text, change)


def _character(rng: Random, text: str) -> str:
    at = rng.randrange(len(text) + 1)
    return text[:at] + rng.choice(_CHARACTERS) + text[at + rng.randint(0, 2) :]


def _cut(rng: Random, text: str) -> str:
    first, last = sorted(rng.randrange(len(text) + 1) for _ in range(2))
    return text[:first] + text[last:]


_CHANGES = (_delete, _repeat, _insert, _option, _value, _value, _value, _type, _type, _character, _cut)


def main() -> None:
    """Time the first N mutants of the small nets and of a folder of samples."""
    samples = Path(sys.argv[2]) if len(sys.argv) > 2 else None
    known, ends, longest = originals(samples), Counter[str](), (0.0, 0)
    for seed in range(int(sys.argv[1])):
        start = time.perf_counter()
        ends[verdict(mutant(known, seed), lenient=seed % 2 == 0)] += 1
        longest = max(longest, (time.perf_counter() - start, seed))
    sys.stdout.write(f"{ends.most_common()}\nlongest {longest[0]:.2f} s: {longest[1]}\n")


if __name__ == "__main__":
    main()
