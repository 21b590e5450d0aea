"""From files of any tool to a net: which importer reads what, and what becomes of it. It prints and writes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from netspec.diagnostics import Diagnostic, SpecError
from netspec.importers.remark import Imported, Remarks
from netspec.importers.state_file import STATE_SUFFIXES
from netspec.pipeline import Compiled, compile_spec
from netspec.source import Source, whole
from netspec.spec.load import load_source
from netspec.spec.shipped import find_spec, shipped_specs
from netspec.syntax.reader import read_source
from netspec.weights import check_finite, check_tensors
from netspec_runtime.errors import DataError


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


@dataclass(frozen=True)
class Files:
    """The files of one net by what they are; each is there once at most."""

    by_role: Mapping[str, Path] = field(default_factory=dict)

    def __getitem__(self, role: str) -> Path:
        return self.by_role[role]

    def path(self, role: str) -> Path | None:
        return self.by_role.get(role)

    def source(self, role: str) -> Source | None:
        """The text of another tool's file, if there is one of this role. Raises SpecError."""
        return read_source(self[role], or_cp1252=True) if role in self.by_role else None

    @property
    def roles(self) -> frozenset[str]:
        return frozenset(self.by_role)


# Which files make a net together: those that must be there, and those that may.
_NETS: Final = (
    (frozenset({"definition"}), frozenset({"params"})),
    (frozenset({"prototxt"}), frozenset({"caffemodel", "solver", "mean"})),
    (frozenset({"caffemodel"}), frozenset({"solver", "mean"})),
    (frozenset({"onnx"}), frozenset[str]()),
    (frozenset({"spec"}), frozenset({"state"})),
)
_BY_SUFFIX: Final = {
    ".caffemodel": "caffemodel",
    ".binaryproto": "mean",
    ".onnx": "onnx",
    ".yaml": "spec",
    ".yml": "spec",
    **dict.fromkeys(STATE_SUFFIXES, "state"),
}
_CALLED: Final = {
    "definition": "a cuda-convnet layer definition",
    "params": "cuda-convnet layer parameters",
    "prototxt": "a Caffe net",
    "solver": "a Caffe solver",
    "caffemodel": "Caffe weights",
    "mean": "a Caffe mean image",
    "onnx": "an ONNX model",
    "spec": "a spec",
    "state": "weights",
}
_BESIDE: Final = {  # what to name beside a file that is no net
    "params": "name the layer definition too, whose sections have types",
    "solver": "name the net too: a .prototxt with layers",
    "mean": "name the net too: a .prototxt, a .caffemodel or both",
    "state": "name the spec too that the weights are for",
}
_KINDS: Final = ".cfg, .prototxt, .caffemodel, .binaryproto, .onnx, .pth, .safetensors or a spec"


def sort_files(arguments: Sequence[str], given: Mapping[str, Path | None]) -> Files:
    """What each file is. ``given`` are those whose role an option said. Raises SpecError NS807 for a strange set."""
    roles = {role: path for role, path in given.items() if path is not None}
    for argument in arguments:
        role, path = _role_of(argument)
        if role in roles:
            raise _no_net(argument, f"`{roles[role]}` and `{argument}` are both {_CALLED[role]}")
        roles[role] = path
    if not any(needed <= roles.keys() <= needed | more for needed, more in _NETS):
        kinds = " and ".join(_CALLED[role] for role in roles)
        if len(roles) > 1:
            raise _no_net(arguments[0], f"{kinds} make no net together")
        raise _no_net(arguments[0], f"there is no net in {kinds} alone", _BESIDE[next(iter(roles))])
    return Files({role: roles[role] for role in _CALLED if role in roles})


def import_net(files: Files, options: ImportOptions) -> Imported:
    """The net of these files, checked: its spec compiles, and its weights are its parameters'.

    Raises SpecError with places in the files, DataError for damaged ones.
    """
    imported = _read(files, options)
    if options.merge_towers:
        from netspec.importers.towers import merge_towers

        imported = merge_towers(imported)
    compiled = compile_spec(imported.spec)
    if imported.tensors is not None:
        where = str(files.path("caffemodel") or files.path("state") or files.path("onnx"))
        check_tensors(compiled.typed, where, {n: (t.shape, "F32") for n, t in imported.tensors.items()})
        check_finite(where, imported.tensors)
    return imported


def open_net(argument: str, options: ImportOptions, assignments: Sequence[str] = ()) -> Compiled:
    """A net for a command that reads any kind: a spec, or the files of another tool, joined by commas.

    ``assignments`` are overrides of a spec. Raises SpecError, DataError.
    """
    files = sort_files(argument.split(","), {})
    spec = files.path("spec")
    if spec is not None and files.path("state") is None:
        return compile_spec(load_source(read_source(spec, argument), assignments))
    if assignments:
        raise DataError(argument, "--set overrides values of specs only", "import it first: netspec import")
    return compile_spec(import_net(files, options).spec)


def _read(files: Files, options: ImportOptions) -> Imported:
    if "definition" in files.roles:
        return _read_cuda_convnet(files, options)
    if files.roles & {"prototxt", "caffemodel"}:
        return _read_caffe(files, options)
    if "onnx" in files.roles:
        return _read_onnx(files, options)
    return _read_state(files, options)


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

    return read_onnx(files["onnx"], OnnxOptions(lenient=options.lenient, name=options.name, carried=options.carried))


def _read_state(files: Files, options: ImportOptions) -> Imported:
    from netspec.importers.state import check_map, read_map, take_state
    from netspec.importers.state_file import read_state

    path = files.path("state")
    if path is None:
        fix = "name weights for it: a .pth or .safetensors file"
        raise _no_net(str(files["spec"]), "a spec alone is no import", fix)
    compiled = compile_spec(load_source(read_source(files["spec"])))
    names = read_map(options.names) if options.names else {}
    check_map(compiled.typed, names, options.names or "")
    remarks = Remarks()
    tensors = take_state(compiled.typed, path, read_state(path, remarks), names, remarks)
    chosen = replace(compiled.spec, name=options.name) if options.name else compiled.spec
    return Imported(chosen, tuple(remarks.items), (), tensors)


def _role_of(argument: str) -> tuple[str, Path]:
    """What a file is: by its suffix, and where that is not enough by its text."""
    path = Path(argument)
    if argument in shipped_specs() and not path.is_file():
        return "spec", find_spec(argument)
    if role := _BY_SUFFIX.get(path.suffix.lower()):
        return role, path
    source = read_source(path, or_cp1252=True)
    if ".cfg" in path.suffixes:
        from netspec.importers.cuda_convnet.sections import is_definition

        return ("definition" if is_definition(source) else "params"), path
    if path.suffix.lower() in (".prototxt", ".txt", ".pbtxt"):
        from netspec.importers.caffe.prototxt import is_solver

        return ("solver" if is_solver(source) else "prototxt"), path
    raise _no_net(argument, "what kind of file this is cannot be told from its name", f"give it a suffix: {_KINDS}")


def _no_net(argument: str, message: str, help: str = "") -> SpecError:
    place = whole(Source(argument, ""))
    return SpecError([Diagnostic("NS807", message, place, help=help or "see `netspec import --help`")])
