"""From files of any tool to a net: which importer reads what, and what becomes of it. It prints and writes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from netspec.diagnostics import Diagnostic, SpecError
from netspec.importers.files import Files, check_readable, no_net, sort_files
from netspec.importers.names import net_name
from netspec.importers.remark import Imported, Remark, Remarks
from netspec.pipeline import Compiled, compile_spec
from netspec.source import Source, whole
from netspec.spec import Spec
from netspec.spec.load import load_source
from netspec.syntax.reader import read_source
from netspec.weights import check_finite, check_tensors


@dataclass(frozen=True)
class ImportOptions:
    """What `netspec import` was asked for beside files.

    ``size`` and ``channels`` are the input's where the files do not say them; ``names`` says what a file of weights
    calls the layers; ``carried``: take the spec that an ONNX file of ours carries, and not its graph.
    """

    lenient: bool = False
    merge_towers: bool = False
    rgb: bool = False
    fold_batchnorm: bool = False
    size: int | None = None
    channels: int | None = None
    name: str | None = None
    names: str | None = None
    carried: bool = True


_CUDA_CONVNET: Final = frozenset({"definition"})
_CAFFE: Final = frozenset({"prototxt", "caffemodel"})
_ONNX: Final = frozenset({"onnx"})
_STATE: Final = frozenset({"state"})
# Fields of ImportOptions that are not for every net: the option, the files one of which it is for, and what they are.
_FOR: Final = {
    "rgb": ("--rgb", _CAFFE, "Caffe files"),
    "fold_batchnorm": ("--fold-batchnorm", _CAFFE, "Caffe files"),
    "channels": ("--channels", _CAFFE, "Caffe files"),
    "size": ("--size", _CUDA_CONVNET | _CAFFE | _ONNX, "nets of other tools"),
    "names": ("--map", _STATE, "weights of torch, named with a spec"),
    "carried": ("--graph", _ONNX, "ONNX files"),
    "lenient": ("--lenient", _CUDA_CONVNET | _CAFFE | _ONNX, "nets of other tools"),
}


@dataclass(frozen=True)
class Opened:
    """A net of any kind, and what its files said of it."""

    compiled: Compiled
    imported: Imported


def import_net(files: Files, options: ImportOptions) -> Opened:
    """The net of these files, checked: its spec compiles, and its weights are its parameters'.

    Raises SpecError with places in the files or for options that are not for them, DataError for damaged ones.
    """
    check_options(options, [files])
    if files.roles == {"spec"}:
        fix = "name weights for it: a .pth or .safetensors file"
        raise no_net(files.typed["spec"], "a spec alone is no import", fix)
    return _open(files, options)


def _open(files: Files, options: ImportOptions) -> Opened:
    imported = _read(files, options)
    if options.merge_towers:
        from netspec.importers.towers import merge_towers

        imported = merge_towers(imported)
    compiled = compile_spec(imported.spec)
    if imported.tensors is not None:
        where = str(files.path("caffemodel") or files.path("state") or files.path("onnx"))
        check_tensors(compiled.typed, where, {n: (t.shape, "F32") for n, t in imported.tensors.items()})
        check_finite(where, imported.tensors)
    return Opened(compiled, imported)


def renamed(imported: Imported, name: str) -> Imported:
    """The net under the nearest legal name, with a remark of what its files call it, if that is another."""
    name, before = net_name(name), imported.spec.name
    if name == before:
        return imported
    text = f"the files call the net `{before}`; it is called `{name}`, as the file that is written"
    remark = Remark("meaning", "net", text, whole(imported.spec.spans.source))
    return replace(imported, spec=replace(imported.spec, name=name), remarks=(*imported.remarks, remark))


def open_nets(arguments: Sequence[str], options: ImportOptions) -> list[Opened]:
    """Nets for a command that reads any kind: each a spec, or the files of another tool, joined by commas.

    Raises SpecError, DataError.
    """
    parts = [_parts(argument) for argument in arguments]
    check_readable(name for names in parts for name in names)
    nets = [sort_files(names, {}) for names in parts]
    check_options(options, nets)
    return [_open(net, options) for net in nets]


def check_options(options: ImportOptions, nets: Sequence[Files]) -> None:
    """Raise SpecError NS807 with each option that is for none of these nets."""
    roles = frozenset[str]().union(*(net.roles for net in nets))
    kinds = " and ".join(dict.fromkeys(net.kinds for net in nets))
    useless = [
        diagnostic
        for name, (option, needed, called) in _FOR.items()
        if getattr(options, name) != getattr(ImportOptions(), name) and not needed & roles
        for diagnostic in no_net(option, f"`{option}` is for {called}, not for {kinds}", f"drop `{option}`").diagnostics
    ]
    if useless:
        raise SpecError(useless)


def _parts(argument: str) -> list[str]:
    """The files of an argument; a comma may also be part of the name of one."""
    if Path(argument).is_file():
        return [argument]
    return [part.strip() for part in argument.split(",")]


def _read(files: Files, options: ImportOptions) -> Imported:
    if "definition" in files.roles:
        return _read_cuda_convnet(files, options)
    if files.roles & {"prototxt", "caffemodel"}:
        return _read_caffe(files, options)
    if "onnx" in files.roles:
        return _read_onnx(files, options)
    spec = load_source(_spec_text(files))
    return _read_state(spec, files, options) if "state" in files.roles else Imported(spec, (), ())


def _read_cuda_convnet(files: Files, options: ImportOptions) -> Imported:
    from netspec.importers.cuda_convnet.net import CudaConvnetOptions, read_cuda_convnet

    own = CudaConvnetOptions(size=options.size, lenient=options.lenient, name=options.name)
    definition = read_source(files["definition"], or_cp1252=True)
    return read_cuda_convnet(definition, files.source("params"), own)


def _read_caffe(files: Files, options: ImportOptions) -> Imported:
    from netspec.importers.caffe.net import CaffeOptions, read_caffe

    own = CaffeOptions(
        lenient=options.lenient,
        rgb=options.rgb,
        fold_batchnorm=options.fold_batchnorm,
        size=options.size,
        channels=options.channels,
        name=options.name,
    )
    weights, mean = files.path("caffemodel"), files.path("mean")
    return read_caffe(files.source("prototxt"), own, weights=weights, solver=files.source("solver"), mean=mean)


def _read_onnx(files: Files, options: ImportOptions) -> Imported:
    from netspec.importers.onnx_file.net import OnnxOptions, read_onnx

    own = OnnxOptions(lenient=options.lenient, name=options.name, carried=options.carried, size=options.size)
    return read_onnx(files["onnx"], own)


def _read_state(spec: Spec, files: Files, options: ImportOptions) -> Imported:
    from netspec.importers.state import check_map, read_map, take_state
    from netspec.importers.state_file import read_state

    if options.names:
        _check_map(options.names)
    path, typed = files["state"], compile_spec(spec).typed
    names = read_map(options.names) if options.names else {}
    check_map(typed, names, options.names or "")
    remarks = Remarks()
    tensors = take_state(typed, path, read_state(path, remarks), names, remarks)
    chosen = replace(spec, name=options.name) if options.name else spec
    return Imported(chosen, tuple(remarks.items), (), tensors)


def _spec_text(files: Files) -> Source:
    """Under the name that it was called by."""
    return read_source(files["spec"], files.typed["spec"])


def _check_map(argument: str) -> None:
    """Raise SpecError NS101, with the maps that there are, for one that is not there."""
    from netspec.importers.state import shipped_maps

    if argument not in shipped_maps() and not Path(argument).exists():
        message = f"cannot read `{argument}`: No such file or directory"
        help = f"check the path, or name a map that comes with netspec: {', '.join(shipped_maps())}"
        raise SpecError([Diagnostic("NS101", message, whole(Source(argument, "")), help=help)])
