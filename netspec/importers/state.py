"""Weights of a torch state_dict or a safetensors file for a spec's parameters, by name and shape. It guesses nothing.

A file whose names are others needs a map. It is YAML, ours to theirs, a layer or one parameter a line::

    conv1: features.0            # conv1.weight from features.0.weight, conv1.bias from features.0.bias
    fc8.weight: head.kernel
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from netspec.diagnostics import Diagnostic, SpecError
from netspec.diagnostics.grammar import sizes
from netspec.diagnostics.suggest import said, suggestion
from netspec.importers.remark import Remarks
from netspec.importers.state_file import PARALLEL
from netspec.ir.graph import TypedGraph
from netspec.source import Source, Span, whole
from netspec.spec.shipped import shipped_folder
from netspec.syntax.reader import read_source, read_tree
from netspec.syntax.tree import Mapping as Tree
from netspec.syntax.tree import Scalar
from netspec_runtime.errors import DataError

if TYPE_CHECKING:
    from torch import Tensor

    from netspec.importers.remark import Tensors

_COUNTER: Final = ".num_batches_tracked"
_SHOWN: Final = 12  # problems in one message


def shipped_maps() -> dict[str, Path]:
    """The maps that come with netspec, by name: ``torchvision-alexnet``."""
    return {path.stem: path for path in sorted((shipped_folder() / "maps").glob("*.yaml"))}


def take_state(
    typed: TypedGraph, path: Path, found: Mapping[str, Tensor], names: Mapping[str, str], remarks: Remarks
) -> Tensors:
    """The net's parameters by canonical name, float32; ``names`` maps ours to theirs where they differ.

    Every parameter is found with its shape and every tensor of the file is used, or DataError says which is not. What
    the file keeps in another precision becomes float32, with a remark.
    """
    import torch

    wanted = {owned.name: owned.parameter.dims for owned in typed.parameters}
    theirs = {name: _as_stripped(_their_name(name, names), found) for name in wanted}
    unused = [name for name in found if name not in theirs.values() and not name.endswith(_COUNTER)]
    missing = [
        _missing(name, theirs[name], wanted[name], found, unused) for name in wanted if theirs[name] not in found
    ]
    others = [_other(theirs[name], found[theirs[name]], dims) for name, dims in wanted.items() if theirs[name] in found]
    problems = [*missing, *filter(None, others), *(f"`{name}` is for no parameter of the net" for name in unused)]
    if problems:
        raise _no_match(
            path,
            problems,
            _by_order(wanted, found) if missing and not names else {},
            _fix(bool(missing and unused), names),
        )
    place = whole(Source(str(path), ""))
    for dtype in sorted({str(found[theirs[name]].dtype) for name in wanted} - {"torch.float32"}):
        remarks.meaning("precision", f"{dtype.removeprefix('torch.')} weights become float32", place)
    return {name: found[theirs[name]].detach().to(torch.float32).contiguous().numpy() for name in wanted}


def read_map(argument: str) -> dict[str, str]:
    """A map from a file, or one that comes with netspec, by its name. Raises SpecError."""
    maps = shipped_maps()
    path = maps.get(argument, Path(argument))
    source = read_source(path, argument)
    if not source.text.strip():
        raise _wrong(whole(source), "the map is empty")
    tree = read_tree(source)
    if not isinstance(tree, Tree):
        raise _wrong(tree.span, "a map is a list of `ours: theirs`")
    names = {}
    for entry in tree.entries:
        if not isinstance(entry.value, Scalar) or not entry.value.text:
            raise _wrong(entry.key.span, f"`{entry.key.text}` needs the name that the file has for it")
        names[entry.key.text] = entry.value.text
    return names


def check_map(typed: TypedGraph, names: Mapping[str, str], where: str) -> None:
    """Raise DataError for what a map names and the net does not have."""
    layers = {owned.name.rpartition(".")[0] for owned in typed.parameters}
    known = {*layers, *(name.partition(".")[0] for name in layers), *(owned.name for owned in typed.parameters)}
    for name in names:
        if name not in known:
            near = said(suggestion(name, known))
            raise DataError(where, f"the net has no parameters called `{name}`", near or "name a layer with weights")


def _their_name(name: str, names: Mapping[str, str]) -> str:
    """The longest beginning of a name that the map knows, replaced."""
    if name in names:
        return names[name]
    parts = name.split(".")
    for length in range(len(parts) - 1, 0, -1):
        prefix = ".".join(parts[:length])
        if prefix in names:
            return ".".join((names[prefix], *parts[length:]))
    return name


def _as_stripped(name: str, found: Mapping[str, Tensor]) -> str:
    """A map may name tensors as DataParallel does; the reader has taken its prefix off."""
    stripped = name.removeprefix(PARALLEL)
    return stripped if name not in found and stripped in found else name


def _missing(name: str, theirs: str, dims: tuple[int, ...], found: Mapping[str, Tensor], unused: Iterable[str]) -> str:
    """What to say of a parameter without a tensor; a near name is one of its shape that nothing else takes."""
    mapped = f" (from `{theirs}`)" if theirs != name else ""
    near = suggestion(theirs, tuple(other for other in unused if tuple(found[other].shape) == dims))
    return f"`{name}`{mapped} is missing" + (f", did you mean `{near}`?" if near else "")


def _other(name: str, tensor: Tensor, dims: tuple[int, ...]) -> str:
    """What is wrong with a tensor for a parameter of these dims; nothing, if it fits."""
    shape = tuple(tensor.shape)
    if shape != dims:
        turned = ": it is transposed" if shape == dims[::-1] else ""
        return f"`{name}` is {sizes(shape)} in the file and {sizes(dims)} in the net{turned}"
    return "" if tensor.is_floating_point() else f"`{name}` is {str(tensor.dtype).removeprefix('torch.')}, no weights"


def _fix(renamed: bool, names: Mapping[str, str]) -> str:
    """What to do where names or shapes do not fit; ``renamed``: tensors are missing, and others are left over."""
    if names:
        return "correct the map, or name the spec of the net that they are of"
    if renamed:
        return "say with --map what the file calls each layer: a file, or one of " + ", ".join(shipped_maps())
    return "name the spec of the net that they are of"


def _no_match(path: Path, problems: list[str], order: Mapping[str, str], fix: str) -> DataError:
    more = f"; and {len(problems) - _SHOWN:,} more" if len(problems) > _SHOWN else ""
    if order:
        lines = ", ".join(f"{ours}: {theirs}" for ours, theirs in order.items())
        fix = f"if they stand in the net's order, this map would fit: {lines}"
    return DataError(str(path), "; ".join(problems[:_SHOWN]) + more, fix)


def _by_order(wanted: Mapping[str, tuple[int, ...]], found: Mapping[str, Tensor]) -> dict[str, str]:
    """The map by position, layer by layer, if all shapes agree then; otherwise nothing."""
    tensors = {name: tuple(t.shape) for name, t in found.items() if not name.endswith(_COUNTER)}
    if [*tensors.values()] != [*wanted.values()]:
        return {}
    pairs = [(a.rpartition(".")[0], b.rpartition(".")[0]) for a, b in zip(wanted, tensors, strict=True)]
    layers = dict(pairs)
    return layers if all(layers[ours] == theirs for ours, theirs in pairs) else {}


def _wrong(place: Span, message: str) -> SpecError:
    help = "one a line: `conv1: features.0`"
    return SpecError([Diagnostic("NS203", message, place, help=help)])
