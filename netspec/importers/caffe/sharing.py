"""Weights that several layers share by a name (`param { name: "w" }`). It compares no shapes: the compiler does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netspec.importers.caffe.reading import Reading
from netspec.importers.draft import At, Value
from netspec.passes.build import build
from netspec.passes.infer import infer
from netspec.spec import Spec
from netspec_runtime.errors import DataError

if TYPE_CHECKING:
    from netspec.importers.caffe.reading import Array

_OF_WEIGHTS = ("init_w", "lr_w", "decay")


def with_sharing(reading: Reading, keys: dict[str, Value]) -> dict[str, Value]:
    """A layer's keys with `share_weights` where its first blob has the name of one above; biases stay its own."""
    owner = _owner(reading)
    if owner is None:
        return keys
    return {name: value for name, value in keys.items() if name not in _OF_WEIGHTS} | {"share_weights": owner}


def _owner(reading: Reading) -> At | None:
    found = None
    for number, spec in enumerate(reading.message.children("param")):
        name, place = spec.text("name", ""), spec.place_of("name")
        owner, theirs = reading.net.owners.setdefault(name, (reading.wired.name, number)) if name else ("", 0)
        if not name or owner == reading.wired.name:
            continue
        if number == theirs == 0 and owner in reading.net.named:
            found = At(reading.net.named[owner], place)
        else:
            reading.dropped("sharing", f"`{name[:40]}` is shared with `{owner}`; here each layer has its own", place)
    return found


def owned_tensors(spec: Spec, tensors: dict[str, Array] | None) -> dict[str, Array] | None:
    """The weights of the spec's own parameters, in their order; those that layers share, once.

    Raises SpecError; DataError where a file has other numbers for a layer than for the one whose weights it uses.
    """
    typed = infer(build(spec), spec)
    if tensors is None:
        return None
    for name, layer in spec.layers.items():
        owner = getattr(layer, "share_weights", None)
        if owner is not None:
            _check_same(name, owner, tensors)
    return {owned.name: tensors[owned.name] for owned in typed.parameters}


def _check_same(name: str, owner: str, tensors: dict[str, Array]) -> None:
    import numpy as np

    if not np.array_equal(tensors[f"{name}.weight"], tensors[f"{owner}.weight"], equal_nan=True):
        reason = f"`{name}` uses the weights of `{owner}`, and has others of its own here"
        raise DataError(
            "the Caffe weights", reason, "remove the name that their `param` shares, or fetch the file again"
        )
