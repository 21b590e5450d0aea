"""The files of a net on a command line: what each is, and whether they make a net together. It reads no net."""

from __future__ import annotations

import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from netspec.diagnostics import Diagnostic, SpecError
from netspec.importers.state_file import STATE_SUFFIXES
from netspec.source import Source, whole
from netspec.spec.shipped import find_spec, shipped_specs
from netspec.syntax.reader import read_source


@dataclass(frozen=True)
class Files:
    """The files of one net by what they are; each is there once at most.

    ``typed`` is how each was called on the command line: a spec that comes with netspec by its name.
    """

    by_role: Mapping[str, Path] = field(default_factory=dict)
    typed: Mapping[str, str] = field(default_factory=dict)

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

    @property
    def kinds(self) -> str:
        """What they are, in words."""
        return _kinds(self.by_role)


# Which files may stand together, and which of them are a net.
_FAMILIES: Final = (
    frozenset({"definition", "params"}),
    frozenset({"prototxt", "caffemodel", "solver", "mean"}),
    frozenset({"onnx"}),
    frozenset({"spec", "state"}),
)
_NETS: Final = frozenset({"definition", "prototxt", "caffemodel", "onnx", "spec"})
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
    "params": "name the layer definition too, whose sections have types, such as `type=conv`",
    "solver": "name the net too: a .prototxt with layers",
    "mean": "name the net too: a .prototxt, a .caffemodel or both",
    "state": "name the spec too that the weights are for",
}
_OF: Final = {
    "params": "a cuda-convnet layer definition",
    "solver": "a Caffe net",
    "mean": "a Caffe net",
    "state": "a spec",
}
_KINDS: Final = ".cfg, .prototxt, .caffemodel, .binaryproto, .onnx, .pth, .safetensors or a spec"
_FIELD: Final = re.compile(r"^\s*\w+\s*[:{<]", re.MULTILINE)  # as a line of a .prototxt begins


def check_readable(arguments: Iterable[str]) -> None:
    """Raise SpecError NS101 with every file that is missing, a folder, empty, or that this user may not read."""
    found = [diagnostic for argument in dict.fromkeys(arguments) for diagnostic in _unreadable(argument)]
    if found:
        raise SpecError(found)


def sort_files(arguments: Sequence[str], given: Mapping[str, Path | None]) -> Files:
    """What each file is. ``given`` are those whose role an option said.

    Raises SpecError: NS101 with all that cannot be read, NS807 for a strange set.
    """
    roles = {role: path for role, path in given.items() if path is not None}
    typed = {role: str(path) for role, path in roles.items()}
    check_readable([*arguments, *typed.values()])
    told = _role_of_cfg(typed["params"], roles["params"]) if "params" in roles else ""
    for argument in arguments:
        role, path = _role_of(argument)
        if role == "params" and told == "definition":
            help = f"the definition comes first: `{typed[role]} --params {argument}`"
            raise no_net(typed[role], "`--params` names a layer definition", help)
        if role in roles:
            message = f"`{typed[role]}` and `{argument}` are both {_CALLED[role]}"
            raise no_net(argument, message, "name one of them: a net has one")
        roles[role], typed[role] = path, argument
    _check_set(typed)
    return Files({role: roles[role] for role in _CALLED if role in roles}, typed)


def no_net(where: str, message: str, help: str) -> SpecError:
    """NS807, of files or options that are for no net."""
    return SpecError([Diagnostic("NS807", message, whole(Source(where, "")), help=help)])


def _unreadable(argument: str) -> list[Diagnostic]:
    path = Path(argument)
    if argument in shipped_specs() and not path.is_file():
        return []
    if path.exists() and not path.is_file() and not path.is_dir():  # opening a pipe would wait for ever
        return [_refused(argument, f"cannot read `{argument}`: it is no file", "name an ordinary file")]
    try:
        with path.open("rb") as file:
            if file.read(1):
                return []
    except FileNotFoundError:
        return _missing(argument, path)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        help = "name a file, not a folder" if path.is_dir() else "check the path"
        return [_refused(argument, f"cannot read `{argument}`: {reason}", help)]
    return [_empty(argument)]


def _missing(argument: str, path: Path) -> list[Diagnostic]:
    """Only what looks like a spec or its name may have been meant as one that comes with netspec."""
    if path.suffix.lower() in ("", ".yaml", ".yml"):
        try:
            find_spec(argument)
        except SpecError as error:
            return list(error.diagnostics)
    return [_refused(argument, f"cannot read `{argument}`: No such file or directory", "check the path")]


def _empty(argument: str) -> Diagnostic:
    return _refused(argument, f"cannot read `{argument}`: the file is empty", "get the file again")


def _refused(argument: str, message: str, help: str) -> Diagnostic:
    return Diagnostic("NS101", message, whole(Source(argument, "")), help=help)


def _role_of(argument: str) -> tuple[str, Path]:
    """What a file is: by its suffix, and where that is not enough by its text."""
    path = Path(argument)
    if argument in shipped_specs() and not path.is_file():
        return "spec", find_spec(argument)
    suffix = path.suffix.lower()
    if role := _BY_SUFFIX.get(suffix):
        return role, path
    if ".cfg" in (part.lower() for part in path.suffixes):
        return _role_of_cfg(argument, path), path
    if suffix in (".prototxt", ".txt", ".pbtxt"):
        return _role_of_prototxt(argument, path), path
    raise no_net(argument, "what kind of file this is cannot be told from its name", f"give it a suffix: {_KINDS}")


def _role_of_prototxt(argument: str, path: Path) -> str:
    from netspec.importers.caffe.prototxt import is_solver

    source = _text(argument, path)
    if _FIELD.search(source.text) is None:
        reason = 'no file of Caffe: nothing in it is a field, such as `name: "net"` or `layer {`'
        raise no_net(argument, reason, "name the net's file; class names are for `netspec build --labels`")
    return "solver" if is_solver(source) else "prototxt"


def _role_of_cfg(argument: str, path: Path) -> str:
    from netspec.importers.cuda_convnet.sections import has_sections, is_definition

    source = _text(argument, path)
    if is_definition(source):
        return "definition"
    if not has_sections(source):
        help = "give it the suffix of what it holds: .prototxt for a Caffe net, .yaml for a spec"
        raise no_net(argument, "no file of cuda-convnet: it has no section, such as `[conv1]`", help)
    return "params"


def _text(argument: str, path: Path) -> Source:
    if _is_binary(path):
        help = "give it the suffix of what it holds: .caffemodel, .binaryproto, .onnx, .pth or .safetensors"
        raise no_net(argument, "this file is binary, and no text", help)
    source = read_source(path, or_cp1252=True)
    if not source.text.strip():
        raise SpecError([_empty(argument)])
    return source


def _is_binary(path: Path) -> bool:
    """Whether a file begins as no text does. Text of two bytes a character is for the reader to name."""
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except (OSError, ValueError):
        return False  # what is wrong is for the reader to say
    return 0 in head and not head.startswith((BOM_UTF16_LE, BOM_UTF16_BE))


def _check_set(typed: Mapping[str, str]) -> None:
    """Raise SpecError NS807 unless these make one net; the help says which file to drop or to add."""
    nets = [role for role in typed if role in _NETS]
    families = [family for family in _FAMILIES if family & set(nets)]
    if len(families) == 1 and typed.keys() <= families[0]:
        return
    where = next(iter(typed.values()))
    if not nets:
        help = "; ".join(dict.fromkeys(_BESIDE[role] for role in typed))
        raise no_net(where, f"there is no net in {_kinds(typed)}" + (" alone" if len(typed) == 1 else ""), help)
    if len(families) > 1:
        several = " or ".join(", ".join(f"`{typed[r]}`" for r in nets if r in family) for family in families)
        raise no_net(where, f"{_kinds(typed)} make no net together", f"these are nets of their own: name {several}")
    drop = "; ".join(f"drop `{typed[r]}`, which belongs to {_OF[r]}" for r in typed if r not in families[0])
    raise no_net(where, f"{_kinds(typed)} make no net together", drop)


def _kinds(roles: Iterable[str]) -> str:
    return " and ".join(_CALLED[role] for role in roles)
