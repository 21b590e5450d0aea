"""What a net asks of a data set before its pictures are decoded: classes and labels. It opens no pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from netspec.diagnostics import SpecError
from netspec.pipeline import Compiled, compile_spec
from netspec_runtime.class_names import moved_class
from netspec_runtime.errors import DataError

if TYPE_CHECKING:
    from netspec_runtime.data.source import Source

OWN_FOLDERS: Final = "put the pictures of each class into a folder of its own"
LABEL_THEM: Final = "take them out, or give each a label: by its line in the list, or by the folder it lies in"
ONE_CLASS: Final = f"{OWN_FOLDERS}, and give the folder that holds these"
_NAMED: Final = 5  # pictures
_COUNT: Final = {"fc": "outputs", "conv": "filters", "local": "filters", "deconv": "filters"}  # types' own channels


def class_settings(compiled: Compiled, classes: int) -> tuple[str, ...]:
    """What to `--set`, for a shell, so that a net tells so many classes apart; () where no one number says how many."""
    spec, layer = compiled.spec, compiled.typed.outputs[0]
    while spec.layers[layer].type not in _COUNT:
        inputs = spec.layers[layer].inputs
        if len(inputs) != 1 or inputs[0] not in spec.layers:
            return ()
        layer = inputs[0]
    key = _COUNT[spec.layers[layer].type]
    if _classes_with(compiled, layer, key, classes) != classes:
        return ()
    found = [] if spec.classes is None else [f"classes={classes}"]
    found.append(f"layers.{layer}.{key}={classes}")
    return (*found, "'labels=[]'") if spec.labels else tuple(found)


def _classes_with(compiled: Compiled, layer: str, key: str, classes: int) -> int | None:
    """How many a net tells apart once a layer has so many channels; None where it is then no net."""
    spec = compiled.spec
    channels: dict[str, Any] = {key: classes}  # a key of each type in _COUNT, and none of Layer's own
    layers = {**spec.layers, layer: replace(spec.layers[layer], **channels)}
    told = None if spec.classes is None else classes
    try:
        return compile_spec(replace(spec, layers=layers, classes=told, labels=())).classes
    except SpecError:
        return None


def require_classes(compiled: Compiled, place: str, classes: tuple[str, ...]) -> None:
    """Raise DataError unless a data set at ``place`` has as many classes as a net, and none of its labels elsewhere."""
    wanted, labels = compiled.classes, compiled.spec.labels
    if not classes:
        raise DataError(place, "its pictures have no labels", OWN_FOLDERS)
    if len(classes) == 1 < wanted:
        raise DataError(place, f"it has 1 class, and the net tells {wanted:,} apart", ONE_CLASS)
    if len(classes) != wanted:
        reason = f"it has {len(classes):,} classes, and the net tells {wanted:,} apart"
        settings = " ".join(f"--set {setting}" for setting in class_settings(compiled, len(classes)))
        other = f"add {settings}" if settings else "a spec whose last layer has as many outputs"
        raise DataError(place, reason, f"use other data, or {other}")
    moved = moved_class(labels, classes) if isinstance(labels, tuple) else None
    if moved is not None:
        reason = f"class {moved} is {classes[moved]} here and {labels[moved]} in the spec's labels"
        raise DataError(place, reason, "order the spec's labels as the data's classes")


def source_check(compiled: Compiled) -> Callable[[Source], None]:
    """For `ensure_prepared`: raises DataError for raw pictures that training refuses, before any is decoded."""

    def check(source: Source) -> None:
        place = ", ".join(source.paths)
        require_classes(compiled, place, source.classes)
        if source.unlabelled("train"):
            names = [name for split in source.splits for name in source.unlabelled(split)]  # they may be held out
            shown = ", ".join(names[:_NAMED]) + ", ..." * (len(names) > _NAMED)
            reason = f"{len(names):,} of its {len(source):,} pictures have no label: {shown}"
            raise DataError(place, reason, LABEL_THEM)

    return check
