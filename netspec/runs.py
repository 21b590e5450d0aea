"""Where a run is kept: the folder of a new one or of one that goes on, and what it was asked for. It trains nothing."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from netspec.pipeline import Compiled
from netspec.spec.dump import dump
from netspec.spec.names import module_name
from netspec.training import generated_source
from netspec_runtime.errors import DataError

if TYPE_CHECKING:
    from netspec_runtime.training.run import RunFolder
    from netspec_runtime.training.world import World

AUTO: Final = "auto"  # resume the net's last run, if there is one


@dataclass(frozen=True)
class Wish:
    """What is to be trained, and where its run is kept.

    ``spec`` and ``data`` may be left out where a run goes on. ``run`` is a new run's folder, else it is `NAME` or
    `NAME-2` and so on in ``runs``. ``resume``: None, AUTO or a run's folder.
    """

    spec: str | None
    assignments: tuple[str, ...]
    data: Path | None
    run: Path | None
    runs: Path
    resume: str | None
    init_from: Path | None


def named_run(wish: Wish) -> RunFolder | None:
    """The run that ``resume`` names by its folder. Raises DataError where it is none."""
    from netspec_runtime.training.run import open_run

    return None if wish.resume in (None, AUTO) else open_run(Path(str(wish.resume)))


def data_of(run: RunFolder | None) -> Path | None:
    """What a run was trained on; None for drawn pictures. Raises DataError where its arguments are damaged."""
    return before(run).data


@dataclass(frozen=True)
class Before:
    """What a run was started with: its data (None: drawn), the weights that it took, and flags by their names."""

    data: Path | None = None
    init_from: Path | None = None
    flags: Mapping[str, Any] = field(default_factory=dict)


def before(run: RunFolder | None) -> Before:
    """What a run was started with; nothing for None. Raises DataError where its arguments are damaged."""
    if run is None or not run.arguments.is_file():
        return Before()
    try:
        found = json.loads(run.arguments.read_text(encoding="utf-8"))
        data, adopted = found["data"], found.get("init_from")
        return Before(data and Path(data), adopted and Path(adopted), dict(found.get("flags", {})))
    except (ValueError, KeyError, TypeError, OSError) as error:
        fix = "start a new run (--init-from takes this one's weights)"
        raise DataError(str(run.arguments), f"damaged: {error}", fix) from None


def open_folder(wish: Wish, named: RunFolder | None, name: str, world: World, ready: Callable[[], object]) -> RunFolder:
    """The run's folder, the same in all processes; the first one makes it if it is new. Raises DataError.

    ``ready`` is called before a folder is made, and may refuse.
    """
    from netspec_runtime.training.run import RunFolder

    path = str(_found(wish, named, name, ready).path.absolute()) if world.rank == 0 else ""
    return RunFolder(Path(world.share(path)), name)


def _found(wish: Wish, named: RunFolder | None, name: str, ready: Callable[[], object]) -> RunFolder:
    from netspec_runtime.training.run import claim_run, create_run, find_latest, open_run

    if named is not None:
        return named
    if wish.resume == AUTO or _restarted():
        there = wish.run is not None and (wish.run / f"{name}.yaml").is_file()
        found = open_run(wish.run) if wish.run and there else find_latest(wish.runs, name)
        if found is not None and (there or wish.run is None):
            return found
    ready()
    return create_run(wish.runs, name) if wish.run is None else claim_run(wish.run, name)


def _restarted() -> bool:
    """Whether torchrun has started all processes again, after one of them died."""
    return os.environ.get("TORCHELASTIC_RESTART_COUNT", "0") != "0"


def describe(
    wish: Wish,
    compiled: Compiled,
    folder: RunFolder,
    devices: tuple[str, ...],
    processes: int,
    flags: Mapping[str, Any],
) -> None:
    """Write what the run is: the arguments, the environment, the module, and the spec as it was compiled.

    The spec comes last: a folder that has it has all.
    """
    from netspec_runtime.training.environment import describe_environment

    arguments = {
        "data": None if wish.data is None else str(wish.data.absolute()),
        "init_from": None if wish.init_from is None else str(wish.init_from.absolute()),
        "flags": dict(flags),
        "command": sys.argv[1:],
    }
    folder.write_json("arguments.json", arguments)
    folder.write_json("environment.json", describe_environment(devices, Path.cwd(), processes))
    folder.write(f"{module_name(compiled.spec.name)}.py", generated_source(compiled))
    folder.write(folder.spec.name, dump(compiled.spec))
