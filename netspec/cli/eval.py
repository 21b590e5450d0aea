"""`netspec eval`: the errors of nets on labelled pictures. It reads flags and prints; netspec_runtime does the work."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from netspec.cli.arguments import DeviceOption, refuse_idle
from netspec.cli.data import Taken, data_of_runs, open_for, open_learned, taken
from netspec.cli.infer import Views
from netspec_runtime.device import Device
from netspec_runtime.errors import DataError
from netspec_runtime.terminal import complain

if TYPE_CHECKING:  # torch: `netspec --help` must not load it
    from netspec.report.scores import Evaluation, Result
    from netspec_runtime.data.prepared import PreparedData
    from netspec_runtime.preprocess import ViewCount
    from netspec_runtime.training.candidate import Candidate
    from netspec_runtime.training.predictions import Predictions, Question


class Backend(StrEnum):
    """What computes."""

    AUTO = "auto"
    TORCH = "torch"
    ONNX = "onnx"


class Part(StrEnum):
    """The splits that data may have (netspec_runtime.data.manifest.SPLITS)."""

    TRAIN = "train"
    TEST = "test"


@dataclass(frozen=True)
class _Wanted:
    """How pictures are put to the nets; without ``views`` each net says them."""

    split: str
    views: Views | None
    batch: int


@dataclass(frozen=True)
class _Ready:
    """A net that has not run yet, and pictures that fit it."""

    candidate: Candidate
    pictures: PreparedData
    question: Question


def evaluate(
    context: typer.Context,
    models: Annotated[
        list[str],
        typer.Argument(metavar="MODEL...", help="ONNX files, folders of runs, files that --predictions wrote."),
    ],
    data: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Prepared data, or what `prepare` reads; by default a run's own.")
    ] = None,
    split: Annotated[Part, typer.Option(help="Which pictures of the data.")] = Part.TEST,
    views: Annotated[
        Views | None, typer.Option(help="1: the centre. 10: corners, centre, reflections. By default the spec's.")
    ] = None,
    backend: Annotated[Backend, typer.Option(help="auto: torch for a run, onnxruntime for a file.")] = Backend.AUTO,
    device: DeviceOption = Device.AUTO,
    batch: Annotated[int, typer.Option(min=1, max=65536, help="How many pictures the net gets at once.")] = 128,
    weights: Annotated[
        str | None, typer.Option(metavar="W,W...", help="What each model counts in the average; equal by default.")
    ] = None,
    predictions: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the (averaged) probabilities, as safetensors.")
    ] = None,
    confusions: Annotated[int, typer.Option(min=0, help="How many pairs of confused classes to print.")] = 5,
    per_class: Annotated[bool, typer.Option("--per-class", help="Print the errors of each class.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Count the errors of nets on labelled pictures, with each model's own preprocessing.

    Probabilities of several models are averaged, as for the paper's 5 and 7 CNNs; each model's own errors are printed
    too. What --predictions wrote can be averaged later, without its model. Exit code 4 for data that do not fit.
    """
    from netspec.report.scores import render_scores, scores_document
    from netspec_runtime.training.predictions import require_free, write_predictions

    parted = _shares(len(models), weights)
    if all(map(_is_kept, models)):
        refuse_idle(context, "with kept predictions alone", ("data", "split", "views", "backend", "device", "batch"))
    if predictions is not None:
        require_free(predictions)
    wanted = _Wanted(split.value, views, batch)
    parts, results, place = _answers(models, data, wanted, backend, device)
    whole, found = _summed(parts, results, parted, place, confusions, per_class)
    typer.echo(json.dumps(scores_document(found), indent=2) if as_json else render_scores(found), nl=as_json)
    if predictions is not None:
        write_predictions(predictions, whole)
        complain(f"wrote the probabilities of {len(whole.labels):,} pictures to {predictions}")


def _shares(count: int, weights: str | None) -> list[float]:
    """What each of so many models counts in their average."""
    from netspec_runtime.training.predictions import shares

    try:
        return shares(count, None if weights is None else [float(number) for number in weights.split(",")])
    except ValueError:
        raise typer.BadParameter(f"{weights} is no list of numbers", param_hint="--weights") from None
    except DataError as error:
        raise typer.BadParameter(f"{error.reason}; {error.fix}", param_hint="--weights") from None


def _answers(
    models: list[str], data: Path | None, wanted: _Wanted, backend: Backend, device: Device
) -> tuple[list[Predictions], list[Result], str]:
    """The probabilities of each model in turn, what it achieved, and on what. All fit before the first one runs."""
    from netspec.report.scores import Result
    from netspec_runtime.training.predictions import Predictions, require_same

    place, entries = _opened(models, data, wanted.split, backend, device)
    require_same([(model, entry.question) for model, entry in zip(models, entries, strict=True)])
    parts: list[Predictions] = []
    results: list[Result] = []
    for model, entry in zip(models, entries, strict=True):
        if isinstance(entry, Predictions):
            part, result = entry, Result(model, entry.scores, "file")
        else:
            part, result = _examined(entry, wanted)
        parts.append(part)
        results.append(result)
    return parts, results, str(place or "kept predictions")


def _opened(
    models: list[str], data: Path | None, split: str, backend: Backend, device: Device
) -> tuple[Path | None, list[Predictions | _Ready]]:
    """The pictures' place, if any model needs them, and all models: none has run, and each fits its pictures."""
    from netspec.evaluation import open_candidate
    from netspec_runtime.training.predictions import read_predictions

    kept = set(filter(_is_kept, models))
    place = None if kept.issuperset(models) else (data or data_of_runs(models))
    if place is None and not kept.issuperset(models):
        _refuse([model for model in models if model not in kept])
    nets = [model for model in dict.fromkeys(models) if model not in kept]
    candidates = {model: open_candidate(model, backend.value, device, open_learned) for model in nets}
    if place is None:
        return None, [read_predictions(Path(model)) for model in models]
    way = taken(nets, [candidate.card for candidate in candidates.values()], place, split)
    return place, [
        read_predictions(Path(model)) if model in kept else _ready(candidates[model], place, split, way)
        for model in models
    ]


def _is_kept(model: str) -> bool:
    """Whether this is a file that --predictions wrote."""
    from netspec_runtime.training.predictions import holds_predictions

    return Path(model).is_file() and holds_predictions(Path(model))


def _refuse(models: Sequence[str]) -> NoReturn:
    """Models of which none is a run, which would know its data: or something else is wrong with one. Raises that."""
    from netspec.evaluation import require_model

    for model in models:
        require_model(model)
    message = f"{models[0]} does not say its pictures, as a run does: give some"
    raise typer.BadParameter(message, param_hint="--data")


def _ready(candidate: Candidate, place: Path, split: str, way: Taken) -> _Ready:
    from netspec_runtime.training.candidate import put

    pictures = open_for(candidate.card.preprocessing, place, way)
    question, remark = put(candidate, pictures, split)
    if remark:
        complain(f"{candidate.name}: {remark}")
    return _Ready(candidate, pictures, question)


def _examined(ready: _Ready, wanted: _Wanted) -> tuple[Predictions, Result]:
    from netspec.report.scores import Result
    from netspec_runtime.training.candidate import examine
    from netspec_runtime.training.progress import open_progress

    candidate, data = ready.candidate, ready.pictures
    views: ViewCount = 10 if (wanted.views or str(candidate.card.preprocessing.views)) == Views.TEN else 1
    with open_progress(sys.stderr, 1, 1) as progress:
        start = time.perf_counter()
        total = len(data.splits.get(wanted.split, ()))
        part = examine(candidate, data, wanted.split, views, wanted.batch, lambda seen: progress.testing(seen, total))
        rate = total / (time.perf_counter() - start)
    result = Result(candidate.name, part.scores, candidate.backend, candidate.where, views, images_per_second=rate)
    return part, result


def _summed(
    parts: Sequence[Predictions],
    results: Sequence[Result],
    shares: Sequence[float],
    place: str,
    confusions: int,
    per_class: bool,
) -> tuple[Predictions, Evaluation]:
    """The average of all, and what to print of it."""
    from netspec.report.scores import Evaluation, Result
    from netspec_runtime.training.predictions import average
    from netspec_runtime.training.score import confusion_matrix, most_confused, score_classes

    whole = average(parts, shares)
    weighed = [replace(result, weight=share) for result, share in zip(results, shares, strict=True)]
    matrix = confusion_matrix(whole.probabilities, whole.labels)
    found = Evaluation(
        data=place,
        digest=whole.data,
        split=whole.split,
        names=whole.classes,
        results=tuple(weighed),
        average=Result(f"average of {len(parts)}", whole.scores) if len(parts) > 1 else None,
        confusions=most_confused(matrix, confusions),
        classes=score_classes(whole.probabilities, whole.labels) if per_class else (),
    )
    return whole, found
