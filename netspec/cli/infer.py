"""`netspec infer`: what is in these pictures. It reads flags and prints; netspec_runtime does the work."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer
from netspec_runtime.device import Device

if TYPE_CHECKING:  # numpy and onnxruntime: `netspec --help` must not load them
    from netspec_runtime.errors import DataError
    from netspec_runtime.infer import Answer
    from netspec_runtime.session import Net


class Views(StrEnum):
    """How many views of a picture are averaged."""

    ONE = "1"
    TEN = "10"


def infer(
    images: Annotated[list[str], typer.Argument(metavar="IMAGE...", help="Files, folders, globs; - is stdin.")],
    onnx: Annotated[str, typer.Option(metavar="MODEL", help="An ONNX file written by `netspec build`.")],
    views: Annotated[Views, typer.Option(help="1: the centre. 10: corners, centre, their reflections.")] = Views.ONE,
    top_k: Annotated[int, typer.Option(min=1, help="How many classes to print.")] = 5,
    device: Annotated[Device, typer.Option(help="auto: CUDA if it works. cuda: CUDA or an error.")] = Device.AUTO,
    batch: Annotated[int, typer.Option(min=1, max=65536, help="How many views the net gets at once.")] = 32,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Name what is in pictures, with the model's own preprocessing and labels.

    Answers go to stdout; the provider that really ran, the times and the errors to stderr. Exit code 4 if a picture
    could not be read (the others are still answered), 3 if the device cannot be used.
    """
    from netspec_runtime.terminal import clean_exit

    with clean_exit():
        failures = _infer(images, onnx, 1 if views is Views.ONE else 10, top_k, device, batch, as_json)
    if failures:
        raise typer.Exit(failures[0].exit_code)


def _infer(
    images: list[str], onnx: str, views: Literal[1, 10], top_k: int, device: Device, batch: int, as_json: bool
) -> list[DataError]:
    """Print the answers; return what had none."""
    from netspec_runtime.infer import classify, worth_prepacking
    from netspec_runtime.model_file import read_model
    from netspec_runtime.session import open_net
    from netspec_runtime.sources import find_pictures

    start = time.perf_counter()
    pictures = tuple(find_pictures(images))
    net = open_net(read_model(onnx), device, prepack=worth_prepacking(len(pictures), views, batch))
    opened = time.perf_counter()
    results = classify(net, pictures, views=views, top_k=top_k, batch=batch)
    failures = (_print_json if as_json else _print_text)(net, results)
    _report(net, len(pictures) - len(failures), views, opened - start, time.perf_counter() - opened)
    return failures
