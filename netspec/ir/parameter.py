"""Parameters of a layer: names, dimensions, and how they start. Values are made elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod, sqrt
from typing import ClassVar, Literal, Self

from netspec.syntax.scalars import as_float, shorten
from netspec.syntax.words import Word, WordError, split_word

Role = Literal["weight", "bias", "statistic"]
Distribution = Literal["normal", "uniform", "constant"]

_ARGUMENTS = {"normal": 1, "uniform": 1, "constant": 1, "xavier": 0, "he": 0}


@dataclass(frozen=True)
class Init(Word):
    """How a parameter starts.

    ``0.01`` or ``normal[0.01]`` (standard deviation), ``uniform[a]`` (from -a to a), ``constant[c]``, ``xavier``
    (uniform, Glorot and Bengio 2010), ``he`` (normal, He et al. 2015).
    """

    code: ClassVar[str] = "NS216"
    pattern: ClassVar[str] = "a number, `normal[std]`, `uniform[a]`, `constant[c]`, `xavier` or `he`"

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
        """The distribution and its one number: standard deviation, bound or constant."""
        if self.kind == "he":
            return "normal", sqrt(2.0 / fan_in)
        if self.kind == "xavier":
            return "uniform", sqrt(6.0 / (fan_in + fan_out))
        if self.kind == "uniform":
            return "uniform", self.value
        return ("constant" if self.kind == "constant" else "normal"), self.value

    def __str__(self) -> str:
        if self.kind == "normal":
            return repr(self.value)
        return self.kind if self.kind in ("xavier", "he") else f"{self.kind}[{self.value!r}]"


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
