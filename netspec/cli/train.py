"""`netspec train`: from a spec and data to a trained ONNX file. It reads flags; netspec.cli.training does the rest."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from netspec.cli.arguments import SetOption, a_number, refuse_idle, typed
from netspec.cli.infer import Views
from netspec.cli.training import Request, train_run

AUTO: Final = "auto"
_OF_NEW_RUNS: Final = {"out": "--out", "runs": "--runs", "init_from": "--init-from"}


class Precision(StrEnum):
    """What a net computes in; weights are float32 in any case."""

    FLOAT32 = "float32"
    TF32 = "tf32"
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
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="DIR", help="A new run's folder; runs/NAME by default.")
    ] = None,
    runs: Annotated[Path, typer.Option(metavar="DIR", help="Where runs are kept.")] = Path("runs"),
    resume: Annotated[
        str | None, typer.Option(metavar="auto|DIR", help="Go on with a run; auto: the net's last one, if any.")
    ] = None,
    init_from: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Start from another net's weights, by layer name.")
    ] = None,
    devices: Annotated[
        str,
        typer.Option(
            "--devices",
            "--device",
            metavar="LIST",
            help="cpu, cuda:0, or one for each device of the spec: cuda:0,cuda:1.",
        ),
    ] = AUTO,
    mesh: Annotated[
        str | None, typer.Option(help="With torchrun: data=2,tower=2 or trick=2; by default as the spec says.")
    ] = None,
    precision: Annotated[
        Precision, typer.Option(help="What the net computes in; tf32 and bf16 are faster and less exact.")
    ] = Precision.FLOAT32,
    channels_last: Annotated[
        bool, typer.Option(help="The order of numbers in memory: it changes the speed, mostly for the better.")
    ] = True,
    compiled: Annotated[bool, typer.Option("--compile", help="Compile the net with torch.compile.")] = False,
    parts: Annotated[int, typer.Option(min=1, help="Compute each batch in so many parts, to save memory.")] = 1,
    workers: Annotated[int, typer.Option(min=0, max=64, help="Threads that make batches ready.")] = 2,
    views: Annotated[
        Views | None, typer.Option(help="Views of each picture in the test after an epoch; by default the spec's.")
    ] = None,
    save_every: Annotated[
        int,
        typer.Option(min=0, metavar="STEPS", help="A checkpoint besides those of each epoch and ten minutes; 0: none."),
    ] = 0,
    log_every: Annotated[
        int, typer.Option(min=1, metavar="STEPS", help="A record in metrics.jsonl, and new numbers on the screen.")
    ] = 20,
    until: Annotated[
        float | None,
        typer.Option(
            "--until-error",
            min=0,
            max=1,
            callback=a_number,
            help="End after an epoch with at most this training error.",
        ),
    ] = None,
    tensorboard: Annotated[bool, typer.Option("--tensorboard", help="Mirror the metrics for TensorBoard.")] = False,
) -> None:
    """Train a net by its spec's recipe, and end with an ONNX file that `infer` answers with.

    Without arguments: a small net on pictures that netspec draws. Ctrl-C finishes the step and saves; `--resume auto`
    goes on from there, bit for bit, with the flags of its start but for --devices and --mesh. Exit code 4 for data or a
    disk that fail, 5 if training diverges.
    """
    from netspec.runs import Wish

    flags: dict[str, Any] = {
        "precision": precision.value,
        "channels_last": channels_last,
        "compiled": compiled,
        "parts": parts,
        "views": None if views is None else views.value,
        "save_every": save_every,
        "log_every": log_every,
        "until": until,
        "tensorboard": tensorboard,
    }
    given = frozenset(typed(context))
    _require_new(resume, given)
    if out is not None:
        refuse_idle(context, "with --out", ("runs",))
    wish = Wish(spec, tuple(assignments or ()), data, out, runs, resume, init_from)
    train_run(Request(wish, devices, mesh, workers if "workers" in given else None, flags, given))


def _require_new(resume: str | None, given: frozenset[str]) -> None:
    """Refuse options that say how a run begins, and where, for one that is there."""
    for name, option in _OF_NEW_RUNS.items():
        if resume not in (None, AUTO) and name in given:
            message = f"{option} is for a new run, and --resume {resume} names one that is there"
            raise typer.BadParameter(message, param_hint=option)
