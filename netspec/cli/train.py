"""`netspec train`: from a spec and data to a trained ONNX file. It reads flags and prints what came out."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from netspec.cli.arguments import DATA_CACHE, SetOption
from netspec.cli.infer import Views
from netspec.cli.prepare import preparing
from netspec_runtime.terminal import INTERRUPTED, complain

if TYPE_CHECKING:  # torch: `netspec --help` must not load it
    from torch import Tensor

    from netspec.pipeline import Compiled
    from netspec.processes import NetOptions
    from netspec.runs import Wish
    from netspec_runtime.data.prepared import PreparedData
    from netspec_runtime.training.job import Job, Options
    from netspec_runtime.training.position import Position
    from netspec_runtime.training.run import RunFolder

DEMO: Final = "shapes"  # the net and the drawn data of a bare `netspec train`
AUTO: Final = "auto"


class Precision(StrEnum):
    """What a net computes in; weights are float32 in any case."""

    FLOAT32 = "float32"
    BF16 = "bf16"


def train(
    context: typer.Context,
    spec: Annotated[
        str | None, typer.Argument(metavar="[SPEC]", help="A layer file or a built-in spec; shapes by default.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Prepared data, or anything that `prepare` reads.")
    ] = None,
    assignments: SetOption = None,
    run: Annotated[Path | None, typer.Option(metavar="DIR", help="A new run's folder; runs/NAME by default.")] = None,
    runs: Annotated[Path, typer.Option(metavar="DIR", help="Where runs are kept.")] = Path("runs"),
    resume: Annotated[
        str | None, typer.Option(metavar="auto|DIR", help="Go on with a run; auto: the net's last one, if any.")
    ] = None,
    init_from: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Start from another net's weights, by layer name.")
    ] = None,
    devices: Annotated[
        str, typer.Option(metavar="LIST", help="cpu, cuda:0, or one for each device of the spec: cuda:0,cuda:1.")
    ] = AUTO,
    mesh: Annotated[
        str | None, typer.Option(help="With torchrun: data=2,tower=2 or trick=2; by default as the spec says.")
    ] = None,
    precision: Annotated[Precision, typer.Option(help="What the net computes in.")] = Precision.FLOAT32,
    channels_last: Annotated[bool, typer.Option(help="The memory format.")] = True,
    compiled: Annotated[bool, typer.Option("--compile", help="Compile the net with torch.compile.")] = False,
    parts: Annotated[int, typer.Option(min=1, help="Compute each batch in so many parts, to save memory.")] = 1,
    workers: Annotated[int, typer.Option(min=0, max=64, help="Threads that make batches ready.")] = 2,
    views: Annotated[Views, typer.Option(help="Views of each picture in the test after an epoch.")] = Views.ONE,
    save_every: Annotated[
        int, typer.Option(min=0, metavar="STEPS", help="A checkpoint besides those of each epoch and ten minutes.")
    ] = 0,
    log_every: Annotated[int, typer.Option(min=1, metavar="STEPS", help="A record in metrics.jsonl.")] = 20,
    until: Annotated[
        float | None, typer.Option(min=0, max=1, help="End after an epoch with at most this training error.")
    ] = None,
    tensorboard: Annotated[bool, typer.Option("--tensorboard", help="Mirror the metrics for TensorBoard.")] = False,
) -> None:
    """Train a net by its spec's recipe, and end with an ONNX file that `infer` answers with.

    Without arguments: a small net on pictures that netspec draws. Ctrl-C finishes the step and saves; `--resume auto`
    goes on from there, bit for bit. Exit code 4 for data or a disk that fail, 5 if training diverges.
    """
    from netspec.processes import NetOptions
    from netspec.runs import Wish, before, named_run

    wish = Wish(spec, tuple(assignments or ()), data, run, runs, resume, init_from)
    kept: dict[str, Any] = {
        "precision": precision.value,
        "channels_last": channels_last,
        "parts": parts,
        "views": views.value,
        "save_every": save_every,
        "log_every": log_every,
        "until": until,
    }
    started = before(named_run(wish)).flags
    flags = {name: value if _given(context, name) else started.get(name, value) for name, value in kept.items()}
    net_options = NetOptions(devices, mesh, flags["channels_last"], compiled)
    _train(wish, net_options, flags, workers, tensorboard=tensorboard)


def _given(context: typer.Context, name: str) -> bool:
    """Whether the command line has this flag."""
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _options(flags: Mapping[str, Any], workers: int) -> Options:
    from netspec_runtime.training.job import Options

    return Options(workers=workers, **{**flags, "views": 10 if flags["views"] == Views.TEN.value else 1})


def _train(wish: Wish, net_options: NetOptions, flags: Mapping[str, Any], workers: int, *, tensorboard: bool) -> None:
    from netspec.diagnostics.text import render
    from netspec.pipeline import compile_file
    from netspec.processes import open_net
    from netspec.runs import before, describe, named_run, open_folder
    from netspec.spec.shipped import find_spec
    from netspec.train import initial_weights, make_job, require_fit, write_model
    from netspec_runtime.training.interrupt import Interrupt

    named = named_run(wish)
    path = named.spec if named and not wish.spec else find_spec(wish.spec or DEMO)
    compiled = compile_file(path, wish.assignments, name=wish.spec)
    started = before(named)
    wish = replace(wish, data=wish.data or started.data, init_from=wish.init_from or started.init_from)
    net, world, devices = open_net(compiled, net_options)
    data = _open_data(compiled, wish.data, workers)
    require_fit(compiled, data)

    def ready() -> None:
        if wish.init_from is not None:
            initial_weights(compiled, wish.init_from)

    folder = open_folder(wish, named, compiled.spec.name, world, ready)
    job = make_job(compiled, data, net, world, folder, _options(flags, workers))
    with folder.locked() if world.rank == 0 else nullcontext(), _hinting(folder):
        if world.rank == 0 and not folder.begun:
            typer.echo(render(compiled.spec.warnings), err=True, nl=False)
            describe(wish, compiled, folder, devices, world.size, flags)
        with Interrupt() as interrupt:
            if not _run(job, compiled, wish.init_from, tensorboard, lambda: interrupt.wanted):
                raise typer.Exit(interrupt.exit_code)
        if world.rank == 0:
            parity = write_model(compiled, data, folder, path)
            _report(job, parity.sentence())
            if not parity.holds:
                raise typer.Exit(1)


@contextmanager
def _hinting(folder: RunFolder) -> Iterator[None]:
    """Say how to go on, where a run is stopped while it trains nothing: before its first step, or writing its model."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit) as stop:
        if not folder.spec.exists():
            raise
        complain(f"stopped; go on with: netspec train --resume {_short(folder.path)}")
        raise typer.Exit(INTERRUPTED if isinstance(stop, KeyboardInterrupt) else int(stop.code or 0)) from None


def _open_data(compiled: Compiled, source: Path | None, workers: int) -> PreparedData:
    """Prepared data, raw data that are prepared on the way, or the pictures that netspec draws."""
    from netspec.train import prepare_options
    from netspec_runtime.data.prepare import ensure_prepared
    from netspec_runtime.data.shapes import ensure_shapes

    if source is None:
        if compiled.spec.name != DEMO:
            raise typer.BadParameter(f"{compiled.spec.name} needs pictures to learn from", param_hint="--data")
        return ensure_shapes(DATA_CACHE / DEMO)
    with preparing() as progress:
        return ensure_prepared(source, DATA_CACHE, prepare_options(compiled, workers or None), progress)


def _run(job: Job, compiled: Compiled, init_from: Path | None, tensorboard: bool, wanted: Callable[[], bool]) -> bool:
    """Train to the end; False where someone wished to stop before."""
    from netspec_runtime.training.loop import Nobody, Trainer
    from netspec_runtime.training.progress import open_progress
    from netspec_runtime.training.reporter import Reporter
    from netspec_runtime.training.tensorboard import TensorBoard

    trainer, notes = Trainer(job), list[str]()
    notes += trainer.start(lambda: _initial(compiled, init_from, notes.append))
    if job.world.rank != 0:
        return trainer.run(Nobody(), wanted)
    position = trainer.position
    mirror = TensorBoard(job.folder.tensorboard, position.step) if tensorboard else None
    with open_progress(sys.stderr, job.recipe.epochs, job.steps_per_epoch, position.step) as progress:
        for note in (*notes, _begin(job, position)):
            progress.say(note)
        with Reporter(job.folder, position, progress, mirror) as reporter:
            finished = trainer.run(reporter, wanted)
    if not finished:
        folder = _short(job.folder.path)
        complain(f"stopped and saved after step {trainer.position.step:,}; go on with: netspec train --resume {folder}")
    return finished


def _initial(compiled: Compiled, init_from: Path | None, say: Callable[[str], object]) -> dict[str, Tensor]:
    """Weights to start from, by their names in the merged net."""
    import torch

    from netspec.train import initial_weights

    arrays, report = initial_weights(compiled, init_from)
    for line in report.lines() if report else ():
        say(line)
    return {name: torch.from_numpy(array) for name, array in arrays.items()}


def _begin(job: Job, position: Position) -> str:
    """What is trained on what, and where."""
    train, test = job.data.splits["train"], job.test_pictures or ()
    pictures = f"{len(train):,} pictures to learn from, {len(test):,} to test"
    where = f"from step {position.step:,} of {job.steps:,}" if position.step else f"{job.steps:,} steps"
    return f"{_short(job.folder.path)}: {pictures}; {where}, {job.batch} pictures each"


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
