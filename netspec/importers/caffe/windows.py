"""Windows as Caffe's layers give them: sizes for both axes at once, as a list, or by height and width. No layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from netspec.diagnostics import Diagnostic, SpecError
from netspec.importers.caffe.message import Message
from netspec.importers.caffe.reading import Reading, wrong
from netspec.importers.draft import At, Value
from netspec.layers.window import effective_size
from netspec.source import Span


@dataclass(frozen=True)
class Kernel:
    """Sizes of a window, (height, width) each."""

    size: tuple[int, int]
    stride: tuple[int, int]
    pad: tuple[int, int]
    dilation: tuple[int, int]

    def reach(self, axis: int) -> int:
        return effective_size(self.size[axis], self.dilation[axis])

    def keys(self, parameter: Message) -> dict[str, Value]:
        """As the language writes them, with their places, and without those at their default."""
        pad = (*self.pad, *self.pad)
        plain = {"stride": (self.stride, (1, 1)), "pad": (pad, (0,) * 4), "dilation": (self.dilation, (1, 1))}
        written = {"size": self.size, **{name: value for name, (value, usual) in plain.items() if value != usual}}
        given = {"size": ("kernel_size", "kernel_h", "kernel_w")}
        places = {name: given.get(name, (name, f"{name}_h", f"{name}_w")) for name in written}
        return {name: At(value, first_place(parameter, places[name])) for name, value in written.items()}


def first_place(parameter: Message, names: Sequence[str]) -> Span:
    """Where the first of these fields stands that is there; where the message stands if none is."""
    return next((parameter.place_of(name) for name in names if parameter.has(name)), parameter.place)


def pair(reading: Reading, parameter: Message, name: str, stem: str, usual: int | None = None) -> tuple[int, int]:
    """Height and width, given as ``name`` once or twice, or as ``stem_h`` and ``stem_w``."""
    split = (f"{stem}_h", f"{stem}_w")
    if any(parameter.has(side) for side in split):
        if parameter.has(name):
            message = f"`{name}` stands beside `{stem}_h` or `{stem}_w`"
            raise SpecError([Diagnostic("NS808", message, parameter.place_of(name), help="keep one of them")])
        pair = (parameter.integer(split[0], usual), parameter.integer(split[1], usual))
    else:
        values = parameter.integers(name)
        if len(values) > 2:
            raise reading.lost(f"windows of {len(values)} dimensions", parameter.place_of(name), name)
        pair = (values[0], values[-1]) if values else (parameter.integer(name, usual),) * 2
    _check(parameter, next(n for n in (name, *split, "") if not n or parameter.has(n)), pair, name)
    return pair


def _check(parameter: Message, given: str, pair: tuple[int, int], name: str) -> None:
    least = 0 if name == "pad" else 1
    if min(pair) < least:
        message = f"`{given or name}` is {min(pair)}, but must be at least {least}"
        raise wrong(parameter, given, message, f"at least {least}")
