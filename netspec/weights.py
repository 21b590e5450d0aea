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

from netspec.diagnostics.grammar import sizes
from netspec.diagnostics.suggest import suggestion
from netspec.ir.graph import OwnedParameter, TypedGraph
from netspec.ir.parameter import interpolation
from netspec_runtime.errors import DataError
from netspec_runtime.mistaken import how_to_import

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float32]

_STRETCH = 1 << 18
_SHOWN = 24  # problems in one message


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
    if distribution == "bilinear":
        rows, columns = map(interpolation, owned.parameter.dims[2:])
        kernel = np.outer(rows, columns).reshape(-1)
        out[:] = np.take(kernel, np.arange(key[2] * _STRETCH, key[2] * _STRETCH + out.size), mode="wrap")
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
    """Fill arrays from a safetensors file: a float32 state_dict of the generated module, and nothing else.

    Raises DataError naming all that does not match.
    """
    from safetensors import SafetensorError, safe_open

    found = tensors_of(path)
    check_tensors(typed, str(path), found)
    try:
        with safe_open(path, framework="np") as file:
            for owned in typed.parameters:
                arrays[owned.name][...] = file.get_tensor(owned.name)
            for tied, owner in tied_names(typed).items():
                if tied in found and file.get_tensor(tied).tobytes() != arrays[owner].tobytes():
                    reason = f"`{tied}` and `{owner}` are one tensor of this net, and differ here"
                    raise DataError(str(path), reason, "leave out the first, or let the spec not share it")
    except (OSError, SafetensorError) as error:
        raise _unreadable(path, error) from None


def tensors_of(path: Path) -> dict[str, tuple[tuple[int, ...], str]]:
    """(dims, type) of the tensors of a safetensors file by name, from its head alone. Raises DataError."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np") as file:
            found = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118 - it is no mapping
            return {name: (tuple(part.get_shape()), part.get_dtype()) for name, part in found.items()}
    except (OSError, SafetensorError) as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: Exception) -> DataError:
    try:
        fix = how_to_import(path)
    except OSError:
        fix = None
    return DataError(str(path), f"cannot read weights: {error}", fix or "give a safetensors file")


def tied_names(typed: TypedGraph) -> dict[str, str]:
    """What a state_dict calls each shared tensor beside its owner's name: ``fc2.weight`` to ``fc1.weight``."""
    return {f"{node.name}.{p.path}": p.name for node in typed.nodes for p in node.parameters if p.tied}


def check_tensors(typed: TypedGraph, where: str, found: Mapping[str, tuple[tuple[int, ...], str]]) -> None:
    """Raise DataError with all that these tensors, (dims, type) by name, and the net's parameters do not share.

    ``where`` is the file that they come from; types are called as in safetensors.
    """
    problems = unlike(typed, found)
    if problems:
        more = f" and {len(problems) - _SHOWN:,} more" if len(problems) > _SHOWN else ""
        reason = "these weights are not this net's: " + ", ".join(problems[:_SHOWN]) + more
        raise DataError(where, reason, "names and shapes are those of the generated module's state_dict")


def unlike(typed: TypedGraph, found: Mapping[str, tuple[tuple[int, ...], str]]) -> list[str]:
    """What `check_tensors` would refuse, a phrase each."""
    wanted = {p.name: p.parameter.dims for p in typed.parameters}
    allowed = wanted | {name: wanted[owner] for name, owner in tied_names(typed).items()}
    counters = {f"{node.name}.num_batches_tracked" for node in typed.nodes}  # torch's batch norms keep one
    problems = [f"`{name}` is missing" for name in wanted if name not in found]
    for name, (dims, kind) in found.items():
        if name in allowed and (dims, kind) != (allowed[name], "F32"):
            problems.append(f"`{name}` is {sizes(dims)} {kind}, not {sizes(allowed[name])} F32")
        elif name not in allowed and name not in counters:
            near = suggestion(name, allowed)
            problems.append(f"`{name}` is no parameter" + (f" (did you mean `{near}`?)" if near else ""))
    return problems


def check_finite(where: str, tensors: Mapping[str, Array]) -> None:
    """Raise DataError for a tensor that holds infinities or no numbers. Takes no memory: a sum tells."""
    import numpy as np

    for name, tensor in tensors.items():
        if not np.isfinite(np.sum(tensor, dtype=np.float64)):
            raise DataError(where, f"`{name}` has numbers that are not finite", "take the weights before they diverged")
