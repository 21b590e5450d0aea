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
from netspec.diagnostics.suggest import said, suggestion
from netspec.importers.remark import Remarks
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

STATE_SUFFIXES: Final = (".pth", ".pt", ".safetensors")
_WRAPPINGS: Final = ("state_dict", "model", "model_state_dict")  # what training scripts put a state_dict under
_PARALLEL: Final = "module."  # torch.nn.DataParallel's prefix
_COUNTER: Final = ".num_batches_tracked"
_SHOWN: Final = 12  # problems in one message


def shipped_maps() -> dict[str, Path]:
    """The maps that come with netspec, by name: ``torchvision-alexnet``."""
    return {path.stem: path for path in sorted((shipped_folder() / "maps").glob("*.yaml"))}


def read_state(path: Path) -> dict[str, Tensor]:
    """The tensors of a .pth, .pt or .safetensors file by name, on the CPU. Nothing in it is executed.

    Raises DataError for a file that is missing, damaged, no state_dict, or that needs pickle's full power.
    """
    found = _read_safetensors(path) if path.suffix == ".safetensors" else _read_torch(path)
    stripped = {name.removeprefix(_PARALLEL): tensor for name, tensor in found.items()}
    return stripped if len(stripped) == len(found) else found


def take_state(
    typed: TypedGraph, path: Path, found: Mapping[str, Tensor], names: Mapping[str, str], remarks: Remarks
) -> Tensors:
    """The net's parameters by canonical name, float32; ``names`` maps ours to theirs where they differ.

    Every parameter is found with its shape and every tensor of the file is used, or DataError says which is not. What
    the file keeps in another precision becomes float32, with a remark.
    """
    import torch

    wanted = {owned.name: owned.parameter.dims for owned in typed.parameters}
    theirs = {name: _their_name(name, names) for name in wanted}
    problems = [_missing(name, theirs[name], found) for name in wanted if theirs[name] not in found]
    used = set(theirs.values())
    for name, dims in wanted.items():
        if theirs[name] in found and tuple(found[theirs[name]].shape) != dims:
            shape = _text(tuple(found[theirs[name]].shape))
            problems.append(f"`{theirs[name]}` is {shape}, but `{name}` is {_text(dims)}")
    unused = [name for name in found if name not in used and not name.endswith(_COUNTER)]
    problems += [f"`{name}` is for no parameter of the net" for name in unused]
    if problems:
        raise _no_match(path, problems, _by_order(wanted, found) if not names else {})
    place = whole(Source(str(path), ""))
    for dtype in sorted({str(found[theirs[name]].dtype) for name in wanted} - {"torch.float32"}):
        remarks.meaning("precision", f"{dtype.removeprefix('torch.')} weights become float32", place)
    return {name: found[theirs[name]].detach().to(torch.float32).contiguous().numpy() for name in wanted}


def read_map(argument: str) -> dict[str, str]:
    """A map from a file, or one that comes with netspec, by its name. Raises SpecError."""
    maps = shipped_maps()
    path = maps.get(argument, Path(argument))
    source = read_source(path, argument)
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


def _missing(name: str, theirs: str, found: Iterable[str]) -> str:
    mapped = f" (from `{theirs}`)" if theirs != name else ""
    near = suggestion(theirs, tuple(found))
    return f"`{name}`{mapped} is missing" + (f", did you mean `{near}`?" if near else "")


def _no_match(path: Path, problems: list[str], order: Mapping[str, str]) -> DataError:
    more = f"; and {len(problems) - _SHOWN:,} more" if len(problems) > _SHOWN else ""
    fix = "say with --map what the file calls each layer; one of " + ", ".join(shipped_maps())
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


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no mapping
    except OSError as error:
        raise DataError(str(path), f"cannot read: {error.strerror or error}", "check the path") from None
    except SafetensorError as error:
        raise DataError(str(path), f"no safetensors file: {error}", "give the path of another file") from None


def _read_torch(path: Path) -> dict[str, Tensor]:
    import torch

    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise DataError(str(path), f"cannot read: {error.strerror or error}", "check the path") from None
    except Exception as error:  # noqa: BLE001 - of damaged files torch raises nearly anything
        why = f"{error}".partition("\n")[0] or type(error).__name__
        reason = f"torch cannot read it as weights alone: {why}"
        fix = "save it again with torch.save(model.state_dict(), path), or as safetensors"
        raise DataError(str(path), reason, fix) from None
    for key in _WRAPPINGS:
        if isinstance(loaded, Mapping) and isinstance(loaded.get(key), Mapping):
            loaded = loaded[key]
    if not isinstance(loaded, Mapping) or not loaded or not all(map(_is_tensor, loaded.values())):
        raise DataError(str(path), "it is no state_dict: names with tensors", "save model.state_dict()")
    return {str(name): tensor for name, tensor in loaded.items()}


def _is_tensor(value: object) -> bool:
    from torch import Tensor

    return isinstance(value, Tensor)


def _wrong(place: Span, message: str) -> SpecError:
    help = "one a line: `conv1: features.0`"
    return SpecError([Diagnostic("NS203", message, place, help=help)])


def _text(dims: tuple[int, ...]) -> str:
    return "x".join(map(str, dims)) or "one number"
