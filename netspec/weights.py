"""Weights of a net in the canonical layout: made from the spec's own rules, or read from a safetensors file.

The same spec and seed give the same numbers on any placement and any number of threads: each stretch of 2^18 numbers
has its own random stream, keyed by (seed, parameter name, stretch).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING
from zlib import crc32

from netspec.diagnostics import did_you_mean
from netspec.ir.graph import OwnedParameter, TypedGraph
from netspec_runtime.errors import DataError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float32]

_STRETCH = 1 << 18


def fill_initial(typed: TypedGraph, seed: int, arrays: Mapping[str, Array]) -> None:
    """Fill float32 arrays, by parameter name, with the spec's initial values."""
    stretches = []
    for owned in typed.parameters:
        flat = arrays[owned.name].reshape(-1)
        stretches += [(owned, flat[i : i + _STRETCH], i // _STRETCH) for i in range(0, flat.size, _STRETCH)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for _ in pool.map(lambda s: _fill(s[0], s[1], (seed, crc32(s[0].name.encode()), s[2])), stretches):
            pass


def _fill(owned: OwnedParameter, out: Array, key: tuple[int, int, int]) -> None:
    import numpy as np

    distribution, value = owned.parameter.distribution
    if distribution == "constant":
        out.fill(value)
        return
    random = np.random.Generator(np.random.SFC64(np.random.SeedSequence(key)))
    if distribution == "normal":
        random.standard_normal(dtype=np.float32, out=out)
        out *= np.float32(value)
    else:
        random.random(dtype=np.float32, out=out)
        out *= np.float32(2 * value)
        out -= np.float32(value)


def fill_from_file(typed: TypedGraph, path: Path, arrays: Mapping[str, Array]) -> None:
    """Fill arrays from a safetensors file. Every parameter must be there, with its shape, and nothing else.

    Raises DataError naming all that does not match.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np") as file:
            problems = _mismatches(typed, {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()})  # noqa: SIM118
            if problems:
                reason = "these weights are not this net's: " + ", ".join(problems[:8])
                raise DataError(str(path), reason, "names and shapes are those of the generated module's state_dict")
            for owned in typed.parameters:
                arrays[owned.name][...] = file.get_tensor(owned.name)
    except (OSError, SafetensorError) as error:
        raise DataError(str(path), f"cannot read weights: {error}", "give a safetensors file") from None


def _mismatches(typed: TypedGraph, found: dict[str, tuple[int, ...]]) -> list[str]:
    wanted = {p.name: p.parameter.dims for p in typed.parameters}
    missing = [f"`{name}` is missing" for name in wanted if name not in found]
    wrong = [
        f"`{name}` is {found[name]}, not {dims}"
        for name, dims in wanted.items()
        if name in found and found[name] != dims
    ]
    foreign = [f"`{name}` is no parameter ({did_you_mean(name, wanted)})" for name in found if name not in wanted]
    return missing + wrong + foreign
