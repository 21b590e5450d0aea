"""Weights of another net as the start of this one, by name: what was taken, what was not and why. It trains nothing.

The paper's 1 CNN* begins so: pre-trained on another data set, then fine-tuned with another classifier (section 6.1).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from torch import Tensor

from netspec_runtime.errors import DataError
from netspec_runtime.mistaken import how_to_import
from netspec_runtime.run_marks import CHECKPOINTS, MODEL
from netspec_runtime.training.checkpoint import BEST, MOMENTUM, WEIGHTS, latest_tensors
from netspec_runtime.training.tensor_file import SEAL, read_sealed
from netspec_runtime.weights import map_weights

Array = NDArray[np.float32]

SHOWN: Final = 24  # tensors of one kind in a report
_LEARNED: Final = re.compile(r"[A-Za-z]\w*\.\w[\w.]*")  # the other numbers of an ONNX file are constants of layers
_COUNTER: Final = ".num_batches_tracked"  # torch's batch norms keep one; nothing here reads it
_SAFETENSORS: Final = re.compile(rb".{8}\{", re.DOTALL)  # the length of a JSON object, and the object


@dataclass(frozen=True)
class Refused:
    """A tensor that was not taken. ``reason`` goes on from its name."""

    name: str
    reason: str


@dataclass(frozen=True)
class AdoptReport:
    """What came from ``file``: the tensors ``taken``, ``numbers`` in all.

    ``refused`` are tensors of this net that start as the spec says, ``unused`` those of the file without a use.
    """

    file: Path
    taken: tuple[str, ...]
    numbers: int
    refused: tuple[Refused, ...]
    unused: tuple[Refused, ...]

    def lines(self) -> list[str]:
        """For people: a line for what was taken, then one for each tensor that was not."""
        total = len(self.taken) + len(self.refused)
        layers = dict.fromkeys(name.partition(".")[0] for name in self.taken)
        lines = [f"from {self.file}: {len(self.taken)} of {total} tensors, {self.numbers:,} numbers"]
        lines.append(f"  taken: {_listed(layers)}")
        lines += _block("not taken, so it starts as the spec says: ", self.refused)
        return [*lines, *_block("in the file only: ", self.unused)]


def adopt(initial: Mapping[str, Array], source: Path) -> AdoptReport:
    """Overwrite arrays, by the merged net's names, with those of a file that have the same name and shape.

    ``source`` is a safetensors file (a state_dict, a run's best weights or checkpoint), an ONNX file of netspec, or the
    folder of a run. Raises DataError where it cannot be read, or where it has nothing for this net.
    """
    file = _file(source)
    found = _read(file)
    taken: list[str] = []
    refused: list[Refused] = []
    for name, array in initial.items():
        reason = _obstacle(name, array, found)
        if reason:
            refused.append(Refused(name, reason))
        else:
            array[...] = found[name].float().numpy()
            taken.append(name)
    free = [one.name for one in refused]
    unused = [Refused(name, _meant(name, free)) for name in found if name not in initial]
    report = AdoptReport(file, tuple(taken), sum(initial[n].size for n in taken), tuple(refused), tuple(unused))
    if not taken:
        raise _nothing(report)
    return report


def _file(source: Path) -> Path:
    """The file of weights in a run's folder, or the file itself."""
    if not source.is_dir():
        return source
    for name in (BEST, MODEL):
        if (source / name).is_file():
            return source / name
    if checkpoint := latest_tensors(source / CHECKPOINTS):
        return checkpoint
    raise DataError(str(source), "no weights in this folder", "give the folder of a run that was saved, or a file")


def _read(file: Path) -> dict[str, Tensor]:
    """Every tensor by the name that it has in a merged net."""
    try:
        with file.open("rb") as opened:
            head = opened.read(9)
        if not _SAFETENSORS.match(head):
            return {name: torch.from_numpy(a) for name, a in _mapped(file).items() if _LEARNED.fullmatch(name)}
        with safe_open(file, framework="pt") as tensors:
            sealed = SEAL in (tensors.metadata() or {})
            found = {name: tensors.get_tensor(name) for name in tensors.keys()}  # noqa: SIM118 - it is no mapping
        if sealed:
            found = read_sealed(file)[0]
    except OSError as error:
        raise DataError(str(file), error.strerror or "cannot be read", _elsewhere(file)) from error
    except SafetensorError as error:
        raise DataError(str(file), f"no safetensors file: {error}", "give another copy of it") from error
    if found and all(name.startswith((WEIGHTS, MOMENTUM)) for name in found):  # a checkpoint's
        found = {name.removeprefix(WEIGHTS): tensor for name, tensor in found.items() if name.startswith(WEIGHTS)}
    return {name: tensor for name, tensor in found.items() if not name.endswith(_COUNTER)}


def _mapped(file: Path) -> Mapping[str, Array]:
    """The weights of an ONNX file."""
    try:
        return map_weights(file)
    except DataError:
        if file.suffix == ".onnx":
            raise
        if fix := how_to_import(file):
            raise DataError(str(file), "it is neither a safetensors nor an ONNX file", fix) from None
        fix = "give a run's folder, its best.safetensors, or an ONNX file of netspec"
        raise DataError(str(file), "it holds no weights: neither a safetensors nor an ONNX file", fix) from None


def _elsewhere(file: Path) -> str:
    """What to do about a file that cannot be read: the name of a net may be meant for its run."""
    run = Path("runs") / file
    if not file.exists() and run.is_dir():
        return f"did you mean its run, {run}?"
    return "check the path: a file of weights, or a run's folder such as runs/alexnet"


def _obstacle(name: str, array: Array, found: Mapping[str, Tensor]) -> str:
    """Why a tensor of the net cannot be taken; empty where it can."""
    there = found.get(name)
    if there is None:
        return "is not in the file"
    if tuple(there.shape) != array.shape:
        return f"is {_dims(array.shape)} here, {_dims(tuple(there.shape))} there"
    if not there.is_floating_point():
        return f"has {str(there.dtype).removeprefix('torch.')} numbers there"
    if not bool(there.float().isfinite().all()):
        return "has numbers there that are not finite" + " as float32" * bool(there.isfinite().all())
    return ""


def _meant(name: str, free: list[str]) -> str:
    near = difflib.get_close_matches(name, free, n=1, cutoff=0.8)
    return f"is not in this net (did you mean {near[0]}?)" if near else "is not in this net"


def _nothing(report: AdoptReport) -> DataError:
    """What stands in the way, as far as it fits into a line."""
    shown = [f"{one.name} {one.reason}" for one in report.refused[:3]]
    there = f"; it has {_listed(one.name for one in report.unused[:6])}" if report.unused else ""
    reason = f"nothing in it fits this net: {', '.join(shown) or 'the net has no weights'}{there}"
    fix = "names and shapes must be those of the generated module's state_dict: rename its tensors or the layers"
    return DataError(str(report.file), reason, fix)


def _dims(dims: tuple[int, ...]) -> str:
    return "x".join(map(str, dims)) or "one number"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)


def _block(title: str, refused: tuple[Refused, ...]) -> Iterator[str]:
    for one in refused[:SHOWN]:
        yield f"  {title}{one.name} {one.reason}"
    if len(refused) > SHOWN:
        yield f"  {title}{len(refused) - SHOWN:,} more"
