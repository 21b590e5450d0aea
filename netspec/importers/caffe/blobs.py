"""Shapes of blobs, from either form that Caffe's files give them in. It reads no file."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING, Final

from netspec.diagnostics import Diagnostic, SpecError
from netspec.importers.caffe.message import Blob, Message

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_AXES: Final = 32  # Caffe's own limit
_MOST: Final = 10**15  # numbers that a message counts
_LEGACY: Final = ("num", "channels", "height", "width")


class BlobError(ValueError):
    """The fields make no blob: the text says why."""


def shaped(message: Message, data: NDArray[np.float32]) -> Blob:
    """The blob of these numbers: of the shape of a BlobProto's fields but its numbers. Raises BlobError."""
    legacy = any(map(message.has, _LEGACY))
    sizes = [message.integer(name, 0) for name in _LEGACY] if legacy else list(message.child("shape").integers("dim"))
    if len(sizes) > MOST_AXES or min(sizes, default=0) < 0:
        raise BlobError(f"no blob has {len(sizes)} axes of sizes {_text(sizes)}")
    if prod(sizes) != data.size:
        count = f"{prod(sizes):,}" if prod(sizes) < _MOST else f"over {_MOST:,}"
        raise BlobError(f"a blob of {_text(sizes)} has {count} numbers, and {data.size:,} are there")
    return Blob(tuple(sizes), data.reshape(sizes), legacy)


def blob_of(message: Message) -> Blob:
    """The blob of a BlobProto in a text. Raises SpecError NS808 where its shape and its numbers differ."""
    import numpy as np

    doubles = message.numbers("double_data")
    data = np.array(doubles or message.numbers("data"), np.float32)
    try:
        return shaped(message, data)
    except BlobError as error:
        raise SpecError([Diagnostic("NS808", str(error), message.place, help="mend its shape")]) from None


def _text(sizes: Sequence[int]) -> str:
    return " x ".join(f"{size:,}" for size in sizes[:MOST_AXES]) or "no axes"
