"""Every layer type of Caffe: who reads it, or that the language has none like it. The readers stand elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from netspec.importers.caffe.arrange import ARRANGING
from netspec.importers.caffe.elementwise import ELEMENTWISE
from netspec.importers.caffe.ends import COSTS
from netspec.importers.caffe.learned import LEARNED
from netspec.importers.caffe.message import Message
from netspec.importers.caffe.normalise import NORMALISATIONS
from netspec.importers.caffe.phases import SOURCES
from netspec.importers.caffe.pooling import POOLING
from netspec.importers.caffe.reading import Held, Reader, Reading

READERS: Final[Mapping[str, Reader]] = {**ARRANGING, **ELEMENTWISE, **LEARNED, **NORMALISATIONS, **POOLING}
_NO_LIKE = """
    ArgMax BatchReindex Embed Exp Filter Im2col LSTM LSTMUnit MVN Parameter Python RNN Recurrent Reduction SPP Swish
    Threshold Tile
"""
_NO_COUNTERPART: Final = frozenset(_NO_LIKE.split())
TYPES: Final = tuple(sorted((*READERS, *_NO_COUNTERPART, *COSTS, *SOURCES, "Split")))
_HOW_NOT_WHAT: Final = frozenset({"engine", "force_nd_im2col", "propagate_down", "stable_prod_grad"})


def read_layer(reading: Reading) -> tuple[Held, ...]:
    """What a layer becomes: what each of its tops is. Raises Lost, SpecError."""
    kind = reading.wired.type
    _drop_options(reading, reading.message)
    if kind not in TYPES:
        text = f"Caffe has no layer type `{kind[:40]}`: it is left out, and what reads it reads its input"
        raise reading.lost(text, reading.message.place_of("type"), "unknown layer")
    if kind in _NO_COUNTERPART:
        raise reading.lost(f"the language has no layer like {kind}", reading.message.place_of("type"))
    return READERS[kind](reading)


def _drop_options(reading: Reading, message: Message) -> None:
    """Say what is left out because it is about how Caffe computes."""
    for field in message.fields:
        if field.name in _HOW_NOT_WHAT:
            text = f"`{field.name}` is left out: it is how Caffe computes, not what"
            reading.dropped("option", text, field.place)
        elif isinstance(field.value, Message):
            _drop_options(reading, field.value)
