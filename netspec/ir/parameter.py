"""Parameters of a layer: names, dimensions, and how they start. Values are made elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod, sqrt
from typing import ClassVar, Literal, Self

from netspec.syntax.scalars import as_float, shorten
from netspec.syntax.words import Word, WordError, split_word

Role = Literal["weight", "bias", "statistic"]
Distribution = Literal["normal", "uniform", "constant", "bilinear"]

_ARGUMENTS = {"normal": 1, "uniform": 1, "constant": 1, "xavier": 0, "he": 0, "bilinear": 0}


@dataclass(frozen=True)
class Init(Word):
    """How a parameter starts.

    ``0.01`` or ``normal[0.01]`` (standard deviation), ``uniform[a]`` (from -a to a), ``constant[c]``, ``xavier``
    (uniform to sqrt(6 / (fan-in + fan-out)), Glorot and Bengio 2010; with `groups` fan-out counts all filters, as
    torch does), ``he`` (normal, std sqrt(2 / fan-in), He et al. 2015), ``bilinear`` (every kernel interpolates, for a
    `deconv` that upsamples; Caffe's filler: best with a size of 2 s - s mod 2 for a stride of s).
    """

    code: ClassVar[str] = "NS216"
    pattern: ClassVar[str] = "a number, `normal[std]`, `uniform[a]`, `constant[c]`, `xavier`, `he` or `bilinear`"

    kind: str
    value: float = 0.0

    @classmethod
    def parse(cls, text: str) -> Self:
        if (number := as_float(text)) is not None:
            return cls("normal", cls._std(number))
        kind, values = split_word(text)
        if kind not in _ARGUMENTS:
            raise WordError(f"`{shorten(text)}` is no way to start weights", f"expected {cls.pattern}")
        if len(values) != _ARGUMENTS[kind]:
            raise WordError(f"`{kind}` takes {_ARGUMENTS[kind]} number, found {len(values)}", f"expected {cls.pattern}")
        return cls(kind, cls._std(values[0]) if values and kind != "constant" else (values or (0.0,))[0])

    @staticmethod
    def _std(value: float) -> float:
        if not 0 <= value < 1e6:
            raise WordError(f"{value:g} is no spread for random weights", "expected a number from 0 to 1e6")
        return value

    def resolved(self, fan_in: int, fan_out: int) -> tuple[Distribution, float]:
        """The distribution and its one number: standard deviation, bound or constant; `bilinear` has none."""
        if self.kind == "he":
            return "normal", sqrt(2.0 / fan_in)
        if self.kind == "xavier":
            return "uniform", sqrt(6.0 / (fan_in + fan_out))
        if self.kind == "bilinear":
            return "bilinear", 0.0
        if self.kind == "uniform":
            return "uniform", self.value
        return ("constant" if self.kind == "constant" else "normal"), self.value

    def __str__(self) -> str:
        if self.kind == "normal":
            return repr(self.value)
        return self.kind if not _ARGUMENTS[self.kind] else f"{self.kind}[{self.value!r}]"


def interpolation(size: int) -> tuple[float, ...]:
    """One axis of a bilinear kernel, as Caffe's filler has it: 1 - |i / f - c| with f = ceil(size / 2)."""
    half = -(-size // 2)
    centre = (2 * half - 1 - half % 2) / (2 * half)
    return tuple(1 - abs(i / half - centre) for i in range(size))


def constant(value: float) -> Init:
    """Every number the same."""
    return Init("constant", value)


@dataclass(frozen=True)
class Parameter:
    """One tensor of a layer. The first dimension is the layer's output channel, so any split is a range of rows.

    ``path`` is its name inside the layer (``weight``, ``1.weight`` for a second input); ``fan_in`` is how many inputs
    feed one output; ``tied`` names the layer (and input) whose tensor it is instead of its own.
    """

    path: str
    dims: tuple[int, ...]
    role: Role
    init: Init
    fan_in: int = 1
    tied: str = ""

    @property
    def count(self) -> int:
        return prod(self.dims)

    @property
    def fan_out(self) -> int:
        """How many outputs one input feeds, as torch.nn.init counts: filters times the kernel's pixels."""
        return self.dims[0] * prod(self.dims[2:4])

    @property
    def distribution(self) -> tuple[Distribution, float]:
        return self.init.resolved(self.fan_in, self.fan_out)
