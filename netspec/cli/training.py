"""A run as the person who started it sees it: opened, trained, its progress and its result told. It reads no flags."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import typer

from netspec.cli.arguments import DATA_CACHE, DRAWN
from netspec.cli.infer import Views
from netspec.cli.once import told_by_first, told_once
from netspec.cli.prepare import preparing
from netspec.cli.remarks import begin_line, remarks
from netspec_runtime.errors import DataError
from netspec_runtime.run_marks import CHECKPOINTS
from netspec_runtime.terminal import INTERRUPTED, complain

if TYPE_CHECKING:  # torch: `netspec --help` must not load it
    from torch import Tensor

    from netspec.pipeline import Compiled
    from netspec.runs import Wish
    from netspec_runtime.data.prepared import PreparedData
    from netspec_runtime.data.source import Source
    from netspec_runtime.training.job import Job, Options
    from netspec_runtime.training.run import RunFolder
    from netspec_runtime.training.world import World

_FEW: Final = 5  # classes of which a top-5 error is always 0
_NO_OPTIONS: Final = {"compiled", "tensorboard", "views"}  # flags that are no field of Options, or not as they are


@dataclass(frozen=True)
class Request:
    """What `netspec train` was asked for.

    ``flags``: those that a run keeps, by name; a run that goes on has its own but for the ``given`` ones. ``workers``:
    threads, None where none are asked for.
    """

    wish: Wish
    devices: str
    mesh: str | None
    workers: int | None
    flags: Mapping[str, Any]
    given: frozenset[str]


@dataclass(frozen=True)
class _Opened:
    """A run, ready to be trained. ``wish`` and ``flags`` are what holds, with what a run that goes on has.

    ``placed`` are the devices as they were asked for.
    """

    wish: Wish
    flags: Mapping[str, Any]
    compiled: Compiled
    placed: str
    devices: tuple[str, ...]
    job: Job


def train_run(request: Request) -> None:
    """Train, and end with a model. Raises OneLineError, SpecError; Exit where it is not done, or unproven."""
    from netspec.train import write_model

    with told_once():
        opened = _open(request)
    job = opened.job
    with job.folder.locked() if job.world.rank == 0 else nullcontext(), _hinting(opened):
        _train(opened)
        if job.world.rank == 0:
            parity = write_model(opened.compiled, job.data, job.folder)
            _report(job, parity.sentence())
            if not parity.holds:
                raise typer.Exit(1)


def _open(request: Request) -> _Opened:
    """All that may be refused is, before there is a folder."""
    from netspec.labels import with_labels
    from netspec.pipeline import compile_file
    from netspec.processes import NetOptions, open_net
    from netspec.runs import (
        before,
        last_run,
        named_run,
        open_folder,
        present_data_of,
        require_checkpoints,
        require_same_spec,
        require_same_weights,
    )
    from netspec.train import initial_weights, make_job, require_fit
    from netspec_runtime.training.memory import keep_freed_memory
    from netspec_runtime.training.step import check_parts
    from netspec_runtime.training.tensorboard import require_tensorboard

    wish, named = request.wish, named_run(request.wish)
    path = named.spec if named and not wish.spec else _spec_file(wish.spec or DRAWN)
    compiled = with_labels(compile_file(path, wish.assignments, name=wish.spec), path.parent)
    found = named or last_run(wish, compiled.spec.name)
    started = before(found)
    if found is not None:
        require_checkpoints(found)
        require_same_spec(found, compiled)
        require_same_weights(found, started.init_from, wish.init_from)
    data_before = None if wish.data else present_data_of(found, "say where they are with --data")
    wish = replace(wish, data=wish.data or data_before, init_from=wish.init_from or started.init_from)
    kept = {name: value for name, value in started.flags.items() if name in request.flags.keys() - request.given}
    flags = {**request.flags, **kept}
    keep_freed_memory()
    options = NetOptions(request.devices, request.mesh, flags["channels_last"], flags["compiled"])
    net, world, devices = open_net(compiled, options)
    check_parts(net, flags["parts"])
    if flags["tensorboard"]:
        require_tensorboard()
    data = _open_data(compiled, wish.data, request.workers, found)
    with _unchanged(found):
        require_fit(compiled, data)

    def ready() -> None:
        if wish.init_from is not None:
            initial_weights(compiled, wish.init_from)

    folder = open_folder(wish, found, compiled.spec.name, world, ready)
    job = make_job(compiled, data, net, world, folder, _options(compiled, flags, request.workers))
    return _Opened(wish, flags, compiled, request.devices, devices, job)


def _spec_file(spec: str) -> Path:
    """The file of SPEC. Raises SpecError, BadParameter for a folder: of pictures, or of a run."""
    from netspec.spec.shipped import find_spec

    path = find_spec(spec)
    if path.is_dir():
        run = (path / CHECKPOINTS).is_dir()
        fix = f"--resume {spec} goes on with a run" if run else f"name a spec, and give pictures as --data {spec}"
        raise typer.BadParameter(f"{spec} is a folder: {fix}", param_hint="SPEC")
    return path


def _options(compiled: Compiled, flags: Mapping[str, Any], workers: int | None) -> Options:
    """Tests are as the spec says, if nothing else is."""
    from netspec.train import tested_views
    from netspec_runtime.preprocess import ViewCount
    from netspec_runtime.training.job import Options

    wanted = flags["views"]
    said: ViewCount = 10 if wanted == Views.TEN else 1
    views = tested_views(compiled) if wanted is None else said
    options = Options(views=views, **{name: value for name, value in flags.items() if name not in _NO_OPTIONS})
    return options if workers is None else replace(options, workers=workers)


@contextmanager
def _unchanged(run: RunFolder | None) -> Iterator[None]:
    """Of data that do not fit a run that goes on, say that it keeps its own: its spec cannot be changed for others."""
    try:
        yield
    except DataError as error:
        if run is None or not run.begun:
            raise
        fix = "resume with the data that it learned from, or start a new run (--init-from takes this one's weights)"
        raise DataError(error.where, error.reason, fix) from None


def _open_data(compiled: Compiled, source: Path | None, workers: int | None, found: RunFolder | None) -> PreparedData:
    """Prepared data, raw data that are prepared on the way, or the pictures that netspec draws.

    ``found`` is the run that goes on.
    """
    from netspec.fit import source_check
    from netspec.train import prepare_options
    from netspec_runtime.data.prepare import ensure_prepared
    from netspec_runtime.data.shapes import ensure_shapes

    if source is None:
        if compiled.spec.name != DRAWN:
            message = (
                f"{compiled.spec.name} needs pictures to learn from, a folder of them for each class: --data photos/"
            )
            raise typer.BadParameter(message, param_hint="--data")
        return ensure_shapes(DATA_CACHE / DRAWN)

    def check(raw: Source) -> None:
        with _unchanged(found):
            source_check(compiled)(raw)

    with preparing() as progress:
        return ensure_prepared(source, DATA_CACHE, prepare_options(compiled, workers or None), progress, check)


def _train(opened: _Opened) -> None:
    """To the end, as all processes do. Raises Exit where someone wished to stop before."""
    from netspec_runtime.training.interrupt import Interrupt

    world: World = opened.job.world
    if world.rank == 0:
        _describe(opened)
    with Interrupt() as interrupt:
        finished = _run(opened, lambda: interrupt.wanted)
        world.leave()
        if not finished:
            raise typer.Exit(interrupt.exit_code or 128 + signal.SIGTERM)  # the signal came to another process


def _describe(opened: _Opened) -> None:
    """Write down what a run is before its first checkpoint, and say what is odd in its spec."""
    from netspec.diagnostics.text import render
    from netspec.runs import describe

    folder = opened.job.folder
    if not folder.begun:
        typer.echo(render(opened.compiled.spec.warnings), err=True, nl=False)
        describe(opened.wish, opened.compiled, folder, opened.flags)


@contextmanager
def _hinting(opened: _Opened) -> Iterator[None]:
    """Say how to go on, where a run is stopped while it trains nothing: before its first step, or writing its model."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit) as stop:
        if not opened.job.folder.spec.exists():
            raise
        complain(f"stopped; go on with: {_again(opened)}")
        raise typer.Exit(INTERRUPTED if isinstance(stop, KeyboardInterrupt) else int(stop.code or 0)) from None


def _run(opened: _Opened, wanted: Callable[[], bool]) -> bool:
    """Train to the end; False where someone wished to stop before."""
    from netspec.runs import note_data, note_start
    from netspec_runtime.training.loop import Nobody, Trainer
    from netspec_runtime.training.progress import open_progress
    from netspec_runtime.training.reporter import Reporter
    from netspec_runtime.training.tensorboard import TensorBoard
    from netspec_runtime.training.watch import Diverged

    job, notes = opened.job, list[str]()
    with told_by_first():
        trainer = Trainer(job)
        notes += trainer.start(lambda: _initial(opened.compiled, opened.wish.init_from, notes.append))
    if job.world.rank != 0:
        with told_by_first((Diverged,)):
            return trainer.run(Nobody(), wanted)
    note_start(job.folder, opened.devices, job.world.size)  # not before: what does not fit the run is refused
    note_data(job.folder, opened.wish.data)
    position = trainer.position
    mirror = TensorBoard(job.folder.tensorboard, position.step) if opened.flags["tensorboard"] else None
    top5 = job.classes > _FEW
    with open_progress(sys.stderr, job.recipe.epochs, job.steps_per_epoch, position.step, top5) as progress:
        for note in (*notes, *remarks(opened.compiled, job), begin_line(job, position.step, _short(job.folder.path))):
            progress.say(note)
        with Reporter(job.folder, position, progress, mirror) as reporter:
            finished = trainer.run(reporter, wanted)
    if not finished:
        complain(f"stopped and saved after step {trainer.position.step:,}; go on with: {_again(opened)}")
    return finished


def _again(opened: _Opened) -> str:
    """The command that goes on, on the same devices: a run keeps its other flags, but may go on anywhere."""
    from netspec.processes import AUTO

    devices = "" if opened.placed == AUTO else f" --devices {opened.placed}"
    return f"netspec train --resume {_short(opened.job.folder.path)}{devices}"


def _initial(compiled: Compiled, init_from: Path | None, say: Callable[[str], object]) -> dict[str, Tensor]:
    """Weights to start from, by their names in the merged net."""
    import torch

    from netspec.runs import prepared_otherwise
    from netspec.train import initial_weights

    arrays, report = initial_weights(compiled, init_from)
    for line in report.lines() if report else ():
        say(line)
    if init_from is not None and (how := prepared_otherwise(compiled, init_from)):
        say(f"note: the weights of {init_from} learned from inputs that were prepared otherwise ({how})")
    return {name: torch.from_numpy(array) for name, array in arrays.items()}


def _report(job: Job, proof: str) -> None:
    """What came out, and the next command."""
    from netspec_runtime.training.checkpoint import read_best

    _, note = read_best(job.folder.path)
    of = "test" if job.test_pictures is not None else "training"
    folder = _short(job.folder.path)
    typer.echo(f"{job.folder.name}: {of} error {note['error']:.2%}, the best, after epoch {note['epoch']}")
    typer.echo(proof)
    files = sorted(p.name for p in job.folder.path.iterdir() if not p.name.startswith("."))
    typer.echo(f"wrote {', '.join(files)} in {folder}/")
    typer.echo(f"next: netspec infer --onnx {folder / job.folder.onnx.name} IMAGE")


def _short(path: Path) -> Path:
    """As someone here would write it."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
