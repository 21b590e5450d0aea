"""Where a run is kept: the folder of a new one or of one that goes on, and what it was asked for. It trains nothing."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Any, Final

from netspec.diagnostics import SpecError
from netspec.pipeline import Compiled
from netspec.spec.dump import dump, flat
from netspec.spec.load import load_spec
from netspec.spec.names import module_name
from netspec.training import generated_source
from netspec_runtime.errors import DataError
from netspec_runtime.run_marks import is_run

if TYPE_CHECKING:
    from netspec_runtime.training.run import RunFolder
    from netspec_runtime.training.world import World

AUTO: Final = "auto"  # resume the net's last run, if there is one
_SHOWN: Final = 3  # differences
_INPUT_KEYS: Final = ("data.mean", "data.std", "data.channels", "data.resize", "data.crop")
_LONGEST: Final = 40  # characters of a value in a message
_FLAGS: Final = {  # the types of what a run's arguments say of each
    "precision": (str,),
    "channels_last": (bool,),
    "compiled": (bool,),
    "parts": (int,),
    "views": (str, NoneType),
    "save_every": (int,),
    "log_every": (int,),
    "until": (float, int, NoneType),
    "tensorboard": (bool,),
}


@dataclass(frozen=True)
class Wish:
    """What is to be trained, and where its run is kept.

    ``spec`` and ``data`` may be left out where a run goes on. ``out`` is a new run's folder, else it is `NAME` or
    `NAME-2` and so on in ``runs``. ``resume``: None, AUTO or a run's folder.
    """

    spec: str | None
    assignments: tuple[str, ...]
    data: Path | None
    out: Path | None
    runs: Path
    resume: str | None
    init_from: Path | None


def named_run(wish: Wish) -> RunFolder | None:
    """The run that ``resume`` names by its folder. Raises DataError where it is none."""
    from netspec_runtime.training.run import open_run

    return None if wish.resume in (None, AUTO) else open_run(Path(str(wish.resume)))


def run_of(path: Path) -> RunFolder | None:
    """The run whose folder is at ``path``, or a file in it; None where there is none. Raises DataError."""
    from netspec_runtime.training.run import open_run

    folder = path if path.is_dir() else path.parent
    return open_run(folder) if is_run(folder) else None


def last_run(wish: Wish, name: str) -> RunFolder | None:
    """The run of the net ``name`` that ``resume`` AUTO goes on with; None before there is one."""
    from netspec_runtime.training.run import find_latest

    if wish.resume != AUTO:
        return None
    return find_latest(wish.runs, name) if wish.out is None else _there(wish.out, name)


def _there(path: Path, name: str) -> RunFolder | None:
    """The run of a net in this very folder."""
    from netspec_runtime.training.run import open_run

    return open_run(path) if (path / f"{name}.yaml").is_file() else None


def data_of(run: RunFolder | None) -> Path | None:
    """What a run was trained on; None for drawn pictures. Raises DataError where its arguments are damaged."""
    return before(run).data


def present_data_of(run: RunFolder | None, fix: str) -> Path | None:
    """As `data_of`. Raises DataError, which names the run, where they are not there any more."""
    found = data_of(run)
    if run is not None and found is not None and not found.exists():
        reason = f"not there any more, and {run.path} was started with these pictures"
        raise DataError(str(found), reason, f"bring them back, or {fix}")
    return found


@dataclass(frozen=True)
class Before:
    """What a run was started with: its data (None: drawn), the weights that it took, and flags by their names.

    ``launch`` is the start by torchrun that made it.
    """

    data: Path | None = None
    init_from: Path | None = None
    flags: Mapping[str, Any] = field(default_factory=dict)
    launch: str | None = None


def before(run: RunFolder | None) -> Before:
    """What a run was started with; nothing for None. Raises DataError where its arguments are damaged."""
    if run is None or not run.arguments.is_file():
        return Before()
    try:
        found = json.loads(run.arguments.read_text(encoding="utf-8"))
        data, adopted = found["data"], found.get("init_from")
        flags = _checked(dict(found.get("flags", {})))
        return Before(data and Path(data), adopted and Path(adopted), flags, found.get("launch"))
    except (ValueError, KeyError, TypeError, OSError) as error:
        fix = "start a new run (--init-from takes this one's weights)"
        raise DataError(str(run.arguments), f"damaged: {error}", fix) from None


def _checked(flags: dict[str, Any]) -> dict[str, Any]:
    """Flags that are what they say; those of another version are left to whoever knows them. Raises TypeError."""
    wrong = [name for name, value in flags.items() if name in _FLAGS and type(value) not in _FLAGS[name]]
    if wrong:
        raise TypeError(f"{wrong[0]} is {json.dumps(flags[wrong[0]])}")
    return flags


def require_checkpoints(run: RunFolder) -> None:
    """Raise DataError for a run whose checkpoints were removed: to begin it again would overwrite what it learned."""
    if run.trained and not run.begun:
        reason = "it has ended, and has" if run.onnx.is_file() else "it has learned, and has"
        fix = "restore one from a copy, or start a new run (--init-from takes this one's best weights)"
        raise DataError(str(run.path), f"{reason} no checkpoints any more to go on from", fix)


def require_same_spec(run: RunFolder, compiled: Compiled) -> None:
    """Raise DataError where a run that has checkpoints was made with another spec; it says what differs."""
    if not run.begun or not run.spec.is_file():
        return
    theirs, ours = load_spec(run.spec), compiled.spec
    if dump(theirs) == dump(ours):
        return
    here, there = flat(ours), flat(theirs)
    both = [key for key in here if key in there and here[key] != there[key]]
    found = [f"{key}: {_short(here[key])} here, {_short(there[key])} there" for key in both]
    found += [f"layers.{layer}: only here" for layer in ours.layers if layer not in theirs.layers]
    found += [f"layers.{layer}: only there" for layer in theirs.layers if layer not in ours.layers]
    more = f"; and {len(found) - _SHOWN:,} more" if len(found) > _SHOWN else ""
    said = "; ".join(found[:_SHOWN]) + more or "its layers in another order"
    fix = f"--resume {run.path} alone goes on with its own; or start a new run (--init-from takes this one's weights)"
    raise DataError(str(run.path), f"its checkpoints were made with another spec ({said})", fix)


def require_same_weights(run: RunFolder, taken: Path | None, init_from: Path | None) -> None:
    """Raise DataError where a run that has checkpoints is to begin with other weights than those it has ``taken``."""
    if not run.begun or init_from is None or (taken is not None and taken.resolve() == init_from.resolve()):
        return
    began = "weights by the spec" if taken is None else f"the weights of {taken}"
    reason = f"it began with {began}, not with those of {init_from}"
    raise DataError(str(run.path), reason, "leave out --init-from to go on with it, or --resume to start a new run")


def prepared_otherwise(compiled: Compiled, source: Path) -> str:
    """How inputs differ from those of a run whose weights are taken, by its folder or a file in it; empty if not."""
    try:
        run = run_of(source)
        theirs = flat(load_spec(run.spec)) if run else {}
    except (DataError, SpecError):
        theirs = {}  # nothing is known
    ours = flat(compiled.spec)
    keys = [key for key in _INPUT_KEYS if key in theirs and ours[key] != theirs[key]]
    return "; ".join(f"{key}: {_short(ours[key])} here, {_short(theirs[key])} there" for key in keys)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def open_folder(wish: Wish, found: RunFolder | None, name: str, world: World, ready: Callable[[], object]) -> RunFolder:
    """The run's folder, the same in all processes; the first one makes it if it is new. Raises DataError.

    ``found`` is the run that goes on. ``ready`` is called before a folder is made, and may refuse.
    """
    from netspec_runtime.training.run import RunFolder

    path = str(plain((found or _begun(wish, name) or _made(wish, name, ready)).path)) if world.rank == 0 else ""
    return RunFolder(Path(world.share(path)), name)


def plain(path: Path) -> Path:
    """From the root, without the `..` that it may have; links stay where it has none."""
    whole = path.absolute()
    return whole.resolve() if ".." in whole.parts else whole


def require_utf8(folder: Path) -> None:
    """Raise DataError for a folder whose name safetensors cannot say: it opens its files by names in UTF-8."""
    try:
        str(plain(folder)).encode()
    except UnicodeEncodeError:
        raise DataError(
            str(plain(folder)), "this name is not in UTF-8", "rename it, or choose another folder"
        ) from None


def _begun(wish: Wish, name: str) -> RunFolder | None:
    """The run that torchrun's processes made before it started all of them again, as one of them died."""
    from netspec_runtime.training.launch import launch_mark
    from netspec_runtime.training.run import find_runs

    mark = launch_mark()
    if mark is None or os.environ.get("TORCHELASTIC_RESTART_COUNT", "0") == "0":
        return None
    made = find_runs(wish.runs, name) if wish.out is None else filter(None, [_there(wish.out, name)])
    return next((run for run in made if before(run).launch == mark), None)


def _made(wish: Wish, name: str, ready: Callable[[], object]) -> RunFolder:
    from netspec_runtime.training.run import claim_run, create_run

    require_utf8(wish.out or wish.runs)
    ready()
    return create_run(wish.runs, name) if wish.out is None else claim_run(wish.out, name)


def describe(wish: Wish, compiled: Compiled, folder: RunFolder, flags: Mapping[str, Any]) -> None:
    """Write what the run is: the arguments, the module, and the spec as it was compiled.

    The spec comes last: a folder that has it has all.
    """
    from netspec_runtime.training.launch import launch_mark

    arguments = {
        "data": None if wish.data is None else str(plain(wish.data)),
        "init_from": None if wish.init_from is None else str(plain(wish.init_from)),
        "flags": dict(flags),
        "command": sys.argv[1:],
        "launch": launch_mark(),
    }
    folder.write_json(folder.arguments.name, arguments)
    folder.write(f"{module_name(compiled.spec.name)}.py", generated_source(compiled))
    folder.write(folder.spec.name, dump(compiled.spec))


def note_start(folder: RunFolder, devices: tuple[str, ...], processes: int) -> None:
    """Add to environment.json on what the run goes on from here. Raises DataError where the disk refuses."""
    from netspec_runtime.training.environment import describe_environment

    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    start = {"time": now, **describe_environment(devices, Path.cwd(), processes)}
    folder.write_json(folder.environment.name, {"starts": [*_starts(folder), start]})


def note_data(folder: RunFolder, data: Path | None) -> None:
    """Write into the arguments where its pictures lie, if they are not where they were. Raises DataError."""
    was = data_of(folder)
    if data is not None and was is not None and not was.exists():
        found = json.loads(folder.arguments.read_text(encoding="utf-8"))
        folder.write_json(folder.arguments.name, {**found, "data": str(plain(data))})


def _starts(folder: RunFolder) -> list[object]:
    """Those noted before; none where the file is damaged, as nothing depends on it."""
    try:
        return list(json.loads(folder.environment.read_text(encoding="utf-8"))["starts"])
    except (OSError, ValueError, KeyError, TypeError):
        return []
