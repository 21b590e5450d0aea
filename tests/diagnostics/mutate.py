"""Mutants of layer files: bytes, tokens, tree, numbers or devices. `python -m tests.diagnostics.mutate N` times N."""

from __future__ import annotations

import json
import random
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

from netspec.diagnostics import SpecError
from netspec.diagnostics.text import render
from netspec.pipeline import compile_file
from netspec.source import Source
from netspec.spec.shipped import shipped_specs
from netspec.syntax.reader import read_tree
from netspec.syntax.tree import Mapping, Scalar, Tree

Plain = str | list["Plain"] | dict[str, "Plain"]
_TOKEN = re.compile(rb"\s+|[A-Za-z_]+|[0-9.]+|.", re.DOTALL)
_BYTES = b"{}[]:,#&*!|>'\"%@`-?\n\t \\\x00\xff\xe2\x80\xae0129aeilnorsty"
_TOKENS = (
    b"data",
    b"gpu",
    b"[0, 1]",
    b"16384",
    b"1e999",
    b"-1",
    b"0",
    b"<<",
    b"*a",
    b"&a ",
    b"null",
    b"~",
    b"{}",
    b"[]",
)
_DEVICES: list[Plain] = [str(n) for n in range(64)]
_INPUTS: list[Plain] = ["data"] * 200
_NESTED: list[Plain] = [[[[]]]]
_LAYER: dict[str, Plain] = {"type": "conv"}
_SCALARS: tuple[Plain, ...] = (
    *("0", "1", "-1", "2", "3", "7", "1024", "16384", "1048576", "1e999", "1" * 5000, ".5", "1e-4", "0x10", ".nan"),
    *("null", "", "true", "no", "global", "relu", "tanh[1.7, 0.67]", "data", "conv1", "fc6", "max", "ceil", "xavier"),
    *("__import__", "forward", "self", "\u0441onv1", "x" * 300, "{{ 7 }}", '"""', "a: b", "- a"),
    *([], {}, _DEVICES[:2], _DEVICES, _INPUTS, _LAYER, _NESTED),
)


def mutant(seed: int) -> bytes:
    """The text of mutant number ``seed``: one to four changes of one kind to a shipped spec."""
    rng = random.Random(seed)
    data = rng.choice(sorted(shipped_specs().values())).read_bytes()
    change = rng.choice(_CHANGES)
    for _ in range(rng.randint(1, 4)):
        data = change(data, rng)
    return data


def verdict(data: bytes, path: Path) -> str:
    """The first code that the compiler finds in a text, or ``ok``. Anything but a SpecError escapes."""
    path.write_bytes(data)
    try:
        compile_file(path, name="mutant.yaml")
    except SpecError as error:
        render(error.diagnostics)
        return error.diagnostics[0].code
    return "ok"


def _change_bytes(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data) + 1)
    length = rng.choice((0, 1, 1, 2, 8, 40))
    new = bytes(rng.choice(_BYTES) for _ in range(rng.choice((0, 1, 1, 2, 5))))
    return data[:at] + new + data[at + length :]


def _change_tokens(data: bytes, rng: random.Random) -> bytes:
    tokens = _TOKEN.findall(data) or [b""]
    at, other = rng.randrange(len(tokens)), rng.randrange(len(tokens))
    kind = rng.randrange(5)
    if kind == 0:
        tokens[at] = rng.choice(_TOKENS)
    elif kind == 1:
        tokens[at], tokens[other] = tokens[other], tokens[at]
    elif kind == 2:
        del tokens[at]
    elif kind == 3:
        tokens.insert(at, tokens[other])
    else:
        tokens[at:at] = tokens[min(at, other) : min(at, other) + 200] * rng.choice((1, 3))
    return b"".join(tokens)


def _change_numbers(data: bytes, rng: random.Random) -> bytes:
    """Legal values that fit no longer: what shapes and placement find."""
    found = rng.choice(list(re.finditer(rb"(?<=[ \[])\d+(?=[],}])", data)) or [None])
    if found is None:
        return data
    number = int(found[0])
    new = rng.choice(
        (number + 1, max(0, number - 1), number * 2, number // 2, number * 16, 1, 3, 5, 64, rng.randrange(4096))
    )
    return data[: found.start()] + str(new).encode() + data[found.end() :]


def _change_devices(data: bytes, rng: random.Random) -> bytes:
    """Other devices for a layer, few or many."""
    devices = list(range(rng.choice((1, 2, 3, 4, 16, 64))))
    layer = rng.choice(list(re.finditer(rb"inputs: \w+", data)) or [None])
    return data if layer is None else data[: layer.end()] + f", gpu: {devices}".encode() + data[layer.end() :]


def _change_tree(data: bytes, rng: random.Random) -> bytes:
    try:
        plain = _plain(read_tree(Source("", data.decode())))
    except (SpecError, UnicodeDecodeError):
        return data
    _edit(plain, rng)
    return _written(plain).encode()


def _edit(tree: Plain, rng: random.Random) -> None:
    """Change one thing somewhere below."""
    if isinstance(tree, str) or not tree:
        return
    if isinstance(tree, dict):
        key = rng.choice(list(tree))
        if _deeper(tree[key], rng):
            _edit(tree[key], rng)
        else:
            _edit_mapping(tree, key, rng)
    else:
        at = rng.randrange(len(tree))
        if _deeper(tree[at], rng):
            _edit(tree[at], rng)
        else:
            tree[at] = deepcopy(rng.choice(_SCALARS))


def _deeper(inner: Plain, rng: random.Random) -> bool:
    return not isinstance(inner, str) and bool(inner) and rng.random() > 0.15


def _edit_mapping(tree: dict[str, Plain], key: str, rng: random.Random) -> None:
    kind = rng.randrange(5)
    if kind == 0:
        del tree[key]
    elif kind == 1:
        tree[rng.choice(["gpu", "groups", "inputs", "size", "pad", "data", "neuron", key + "_"])] = tree.pop(key)
    elif kind == 2:
        tree[key] = rng.choice(list(tree.values()))
    elif kind == 3:
        copies = {f"{key}_{n}": tree[key] for n in range(rng.choice((1, 3, 60, 2500)))}
        tree.update(copies)
    else:
        tree[key] = deepcopy(rng.choice(_SCALARS))


def _plain(tree: Tree) -> Plain:
    if isinstance(tree, Scalar):
        return tree.text
    if isinstance(tree, Mapping):
        return {entry.key.text: _plain(entry.value) for entry in tree.entries}
    return [_plain(item) for item in tree.items]


def _written(tree: Plain) -> str:
    if isinstance(tree, dict):
        return "{" + ",\n ".join(f"{_word(key)}: {_written(value)}" for key, value in tree.items()) + "}"
    if isinstance(tree, list):
        return "[" + ", ".join(_written(item) for item in tree) + "]"
    return _word(tree)


def _word(text: str) -> str:
    return text if re.fullmatch(r"[\w.+-]+", text) else json.dumps(text, ensure_ascii=False)


_CHANGES: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    _change_bytes,
    _change_tokens,
    _change_tree,
    _change_numbers,
    _change_devices,
)


def main() -> None:
    """Compile mutants number 0 to N; print how they end and how long the slowest took."""
    count = int(sys.argv[1])
    verdicts: Counter[str] = Counter()
    times: list[tuple[float, int]] = []
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(count):
            data = mutant(seed)
            start = time.perf_counter()
            verdicts[verdict(data, Path(folder) / "mutant.yaml")] += 1
            times.append((time.perf_counter() - start, seed))
    slowest = ", ".join(f"{seconds:.3f} s (mutant {seed})" for seconds, seed in sorted(times)[-3:])
    sys.stdout.write(f"{count:,} mutants, no exception but SpecError; slowest {slowest}\n")
    sys.stdout.write(", ".join(f"{code} {number:,}" for code, number in verdicts.most_common()) + "\n")


if __name__ == "__main__":
    main()
