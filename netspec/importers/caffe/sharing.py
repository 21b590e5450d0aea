"""Weights that several layers share by a name (`param { name: "w" }`). It compares no shapes: the compiler does."""

from __future__ import annotations

from netspec.importers.caffe.reading import Reading
from netspec.importers.draft import At, Value

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
