"""Blobs of a .caffemodel to parameters by canonical name. A layer without its weights is an error, never random.

A blob has its shape, or in old files four sizes, the unused ones 1. It changes no layer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING, Final

from netspec.diagnostics.grammar import count, sizes
from netspec.diagnostics.suggest import suggestion
from netspec.importers.caffe.caffemodel import CaffeModel
from netspec.importers.caffe.ends import COSTS
from netspec.importers.caffe.message import Blob, Message
from netspec.importers.caffe.reading import Stored
from netspec.importers.remark import Remarks
from netspec_runtime.errors import DataError

if TYPE_CHECKING:
    from netspec.importers.caffe.reading import Array

_SHOWN: Final = 12  # problems in one message


def take_blobs(
    stored: Mapping[str, Stored], known: Mapping[str, str], model: CaffeModel, where: str, remarks: Remarks
) -> dict[str, Array]:
    """The arrays of ``stored`` by parameter name. ``known`` are all layers of the net with their types, "" if left out.

    Raises DataError with every layer that has no weights or others than the file, and every layer of the file that the
    net does not have; but layers that only an auxiliary cost of the file needs get a remark.
    """
    blobs, names = model.blobs, set(known)
    problems = [_missing(name, blobs, names) for name in _layers_of(stored) if name not in blobs]
    for name in _layers_of(stored):
        problems += _misshapen(name, stored.values(), blobs.get(name))
    taken = {*_layers_of(stored)}
    for name in (name for name in blobs if known.get(name) and name not in taken):
        problems.append(f"`{name}` has weights, but the net's {known[name]} takes none")
    strangers = [name for name in blobs if name not in names]
    ends = _auxiliary(model.net.children("layer"), names) if strangers else set()
    for name in strangers:
        if name in ends:
            text = f"the weights of `{name}`, which only a cost of the file needs, are left out"
            remarks.dropped("cost", text, model.net.place, name)
        else:
            near = suggestion(name, [one for one in _layers_of(stored) if one not in blobs])
            problems.append(f"`{name}` is no layer of the net" + (f" (did you mean `{near}`?)" if near else ""))
    if problems:
        more = f", and {len(problems) - _SHOWN:,} more" if len(problems) > _SHOWN else ""
        reason = "these weights are not this net's: " + ", ".join(problems[:_SHOWN]) + more
        raise DataError(where, reason, "give the .prototxt that was trained, or rename its layers")
    return {name: _array(one, blobs[one.layer]) for name, one in stored.items()}


def _layers_of(stored: Mapping[str, Stored]) -> list[str]:
    return list(dict.fromkeys(one.layer for one in stored.values()))


def _missing(name: str, blobs: Mapping[str, object], known: set[str]) -> str:
    near = suggestion(name, [other for other in blobs if other not in known])
    return f"`{name}` has no weights" + (f" (did you mean `{near}`?)" if near else "")


def _misshapen(name: str, stored: Iterable[Stored], blobs: Sequence[Blob] | None) -> list[str]:
    """What is wrong with the blobs of one layer."""
    if blobs is None:
        return []
    wanted = {n: shape for one in stored if one.layer == name for n, shape in zip(one.blobs, one.shapes, strict=True)}
    if len(blobs) != max(wanted) + 1:
        return [f"`{name}` has {count(len(blobs), 'blob')}, not {max(wanted) + 1}"]
    return [
        f"blob {n} of `{name}` is {sizes(blobs[n].shape)}, not {sizes(shape)}"
        for n, shape in sorted(wanted.items())
        if not _fits(blobs[n].shape, shape)
    ]


def _fits(found: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    """Old files have four sizes, with ones before the others; a number of its own has no size, or ones."""
    if len(found) == 4 and len(wanted) < 4:
        return found == (*(1,) * (4 - len(wanted)), *wanted)
    return found == wanted or prod(found) == prod(wanted) == 1


def _array(one: Stored, blobs: Sequence[Blob]) -> Array:
    import numpy as np

    arrays = [blobs[n].data.reshape(shape) for n, shape in zip(one.blobs, one.shapes, strict=True)]
    array: Array = np.asarray(one.form(*arrays), np.float32)
    return array


def _auxiliary(layers: Sequence[Message], known: set[str]) -> set[str]:
    """Layers of the file that feed a cost and no layer of the net, as the file itself wires them."""
    feeds_net: set[str] = set()
    feeds_cost: set[str] = set()
    found = set()
    for layer in reversed(layers):
        name, tops = layer.text("name", ""), layer.texts("top")
        bottoms = layer.texts("bottom")
        cost = layer.word("type", "") in COSTS
        ours = (name in known and not cost) or not feeds_net.isdisjoint(tops)
        if ours:
            feeds_net.update(bottoms)
        elif cost or not feeds_cost.isdisjoint(tops):
            feeds_cost.update(bottoms)
            found.add(name)
    return found
