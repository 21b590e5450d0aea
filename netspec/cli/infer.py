"""`netspec infer`: what is in these pictures. It reads flags and prints; netspec_runtime does the work."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from netspec.cli.arguments import DeviceOption
from netspec_runtime.device import Device
from netspec_runtime.errors import DataError, printable
from netspec_runtime.terminal import clean_exit, complain

if TYPE_CHECKING:  # numpy and onnxruntime: `netspec --help` must not load them
    from netspec_runtime.infer import Answer, Options
    from netspec_runtime.model_file import ModelFile
    from netspec_runtime.session import Net, Opened

_GAP: Final = "  "


class Views(StrEnum):
    """How many views of a picture are averaged."""

    ONE = "1"
    TEN = "10"


def infer(
    images: Annotated[list[str], typer.Argument(metavar="IMAGE...", help="Files, folders, globs; - is stdin.")],
    onnx: Annotated[str, typer.Option(metavar="MODEL", help="An ONNX file written by netspec, or a run's folder.")],
    views: Annotated[Views, typer.Option(help="1: the centre. 10: corners, centre, their reflections.")] = Views.ONE,
    top_k: Annotated[int, typer.Option(min=1, help="How many classes to print.")] = 5,
    device: DeviceOption = Device.AUTO,
    batch: Annotated[int, typer.Option(min=1, max=65536, help="How many views the net gets at once.")] = 32,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Name what is in pictures, with the model's own preprocessing and labels.

    Answers go to stdout; the provider that really ran, the times and the errors to stderr. Exit code 4 if a picture
    could not be read (the others are still answered), 3 if the device cannot be used.
    """
    with clean_exit():
        from netspec_runtime.infer import Options

        options = Options(views=1 if views is Views.ONE else 10, top_k=top_k, batch=batch)
        complete = _infer(images, onnx, device, options, as_json=as_json)
    if not complete:
        raise typer.Exit(DataError.exit_code)


def _infer(images: list[str], onnx: str, device: Device, options: Options, *, as_json: bool) -> bool:
    """Print the answers; say whether every picture has one."""
    from netspec_runtime.infer import classify
    from netspec_runtime.model_file import read_model
    from netspec_runtime.sources import find_pictures

    start = time.perf_counter()
    pictures = tuple(find_pictures(images))
    onnx = _file(onnx)
    net = _open(read_model(onnx), device, prepack=options.worth_prepacking(len(pictures)))
    opened = time.perf_counter()
    outcomes = classify(net, pictures, options)
    failures = _print_json(onnx, net.opened.provider, outcomes) if as_json else _print_text(outcomes)
    answered = f"{len(pictures) - failures} of {len(pictures)} pictures, views of each: {options.views}"
    times = f"model {_milliseconds(opened - start)}, pictures {_milliseconds(time.perf_counter() - opened)}"
    complain(f"{_where(net.opened)}; {answered}; {times}")
    return failures == 0


def _file(onnx: str) -> str:
    """The model in a folder that `build` or `train` wrote, or the file itself. Raises DataError."""
    if not Path(onnx).is_dir():
        return onnx
    from netspec.evaluation import model_file

    return str(model_file(Path(onnx)))


def _open(model: ModelFile, device: Device, *, prepack: bool) -> Net:
    """A whole net, or all files of one that was written with `--split`."""
    from netspec_runtime.card import SPLIT_KEY

    if SPLIT_KEY in model.metadata:
        from netspec_runtime.split import open_split_net

        return open_split_net(model, device)
    from netspec_runtime.session import open_net

    return open_net(model, device, prepack=prepack)


def _print_text(outcomes: Iterable[Answer | DataError]) -> int:
    """Answers as they come; the number of failures."""
    failures = 0
    for outcome in outcomes:
        if isinstance(outcome, DataError):
            failures += 1
            complain(str(outcome))
        else:
            typer.echo(_text(outcome))
    return failures


def _text(answer: Answer) -> str:
    """The path, then a line a class: rank, label, probability."""
    labels = [printable(prediction.label) for prediction in answer.predictions]
    width = max(map(len, labels))
    lines = (
        f"{rank:>4}{_GAP}{label:<{width}}{_GAP}{prediction.probability:.4f}"
        for rank, (label, prediction) in enumerate(zip(labels, answer.predictions, strict=True), 1)
    )
    return "\n".join((printable(answer.path), *lines))


def _print_json(model: str, provider: str, outcomes: Iterable[Answer | DataError]) -> int:
    """One document when all is done; the number of failures."""
    results: list[dict[str, object]] = []
    errors: list[dict[str, str]] = []
    for outcome in outcomes:
        if isinstance(outcome, DataError):
            complain(str(outcome))
            errors.append({"path": outcome.where, "reason": outcome.reason})
        else:
            results.append(asdict(outcome))
    document = {"model": model, "provider": provider, "results": results, "errors": errors}
    typer.echo(json.dumps(document, indent=2))
    return len(errors)


def _where(opened: Opened) -> str:
    """The provider that really runs, and why not CUDA where there is a device for it."""
    if opened.obstacle is None:
        return opened.provider
    return f"{opened.provider}, not CUDA: {opened.obstacle.reason} ({opened.obstacle.fix})"


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"
