"""Neurons: the element-wise functions that a layer may end with. They are no layers.

Source: cuda-convnet's names and parameters (reference/cuda-convnet.md 1.5); softplus, elu, leaky and power are Caffe's
BNLL, ELU, ReLU with a negative_slope and Power (whose scale is b and shift c here).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Self

from netspec.diagnostics import did_you_mean
from netspec.ir.lowering import OnnxCode, TorchCode
from netspec.syntax.scalars import shorten
from netspec.syntax.words import Word, WordError, split_word

Arguments = tuple[float, ...]


@dataclass(frozen=True)
class NeuronKind:
    """One function: how many numbers it takes, its formula of x and these, and its two lowerings.

    ``needs`` says in words which numbers it takes, where ``legal`` does not hold for all. ``bounded``: its values stay
    between two numbers, however large x is.
    """

    arguments: int
    formula: str
    torch: Callable[[str, Arguments], str]
    onnx: Callable[[OnnxCode, str, Arguments], str]
    needs: str = ""
    legal: Callable[[Arguments], bool] = lambda a: True
    bounded: bool = False

    @property
    def letters(self) -> str:
        """What its formula calls its numbers: ``a, b``."""
        return ", ".join("abc"[: self.arguments])


@dataclass(frozen=True)
class Neuron(Word):
    """An activation: ``relu``, ``tanh[1.7159, 0.6667]``."""

    code: ClassVar[str] = "NS211"
    pattern: ClassVar[str] = "a neuron such as `relu` or `tanh[1.7, 0.67]`"

    kind: str
    arguments: Arguments = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        name, arguments = split_word(text)
        if name not in KINDS:
            raise WordError(f"there is no neuron `{shorten(name)}`", did_you_mean(name, KINDS, "the neurons are"))
        arguments = arguments or _DEFAULTS.get(name, ())
        kind = KINDS[name]
        if len(arguments) != kind.arguments:
            numbers = (
                "no numbers"
                if not kind.arguments
                else "one number"
                if kind.arguments == 1
                else f"{kind.arguments} numbers"
            )
            message = f"`{name}` takes {numbers} in brackets, found {len(arguments)}"
            raise WordError(message, f"`{name}` is {kind.formula}")
        if not kind.legal(arguments):
            found = ", ".join(f"{number:g}" for number in arguments)
            raise WordError(
                f"`{name}[{kind.letters}]` needs {kind.needs}, found {found}", f"`{name}` is {kind.formula}"
            )
        return cls(name, arguments)

    @property
    def bounded(self) -> bool:
        """Whether its values do not say how large x was."""
        return KINDS[self.kind].bounded

    def torch(self, code: TorchCode, x: str) -> str:
        """The PyTorch expression of the function of expression ``x``."""
        if self.kind == "drelu":
            code.helper("drelu")
        return KINDS[self.kind].torch(x, self.arguments)

    def onnx(self, code: OnnxCode, x: str) -> str:
        """Append the ONNX operators of the function of value ``x``; returns the result's name."""
        return KINDS[self.kind].onnx(code, x, self.arguments)

    def __str__(self) -> str:
        numbers = ", ".join(map(repr, self.arguments))
        return f"{self.kind}[{numbers}]" if numbers else self.kind


def _plain(torch: str, op: str) -> tuple[Callable[[str, Arguments], str], Callable[[OnnxCode, str, Arguments], str]]:
    return (lambda x, a: f"{torch}({x})"), (lambda code, x, a: code.op(op, x))


def _tanh(code: OnnxCode, x: str, a: Arguments) -> str:
    return _times(code, code.op("Tanh", _times(code, x, a[1])), a[0])


def _times(code: OnnxCode, x: str, factor: float) -> str:
    return x if factor == 1 else code.op("Mul", x, code.scalar(factor))


def _plus(code: OnnxCode, x: str, term: float) -> str:
    return x if term == 0 else code.op("Add", x, code.scalar(term))


def _softrelu(code: OnnxCode, x: str, _: Arguments) -> str:
    large = code.op("Greater", x, code.scalar(4.0))
    return code.op("Where", large, x, code.op("Softplus", x))


def _drelu(code: OnnxCode, x: str, a: Arguments) -> str:
    bend = _times(code, code.op("Tanh", _times(code, x, 1 / a[0])), a[0])
    return code.op("Sub", x, bend)


def _power(code: OnnxCode, x: str, a: Arguments) -> str:
    base = _plus(code, _times(code, x, a[1]), a[2])
    if a[0] == 2:
        return code.op("Mul", base, base)
    return code.op("Identity", base) if a[0] == 1 else code.op("Pow", base, code.scalar(a[0]))


def _power_text(x: str, a: Arguments) -> str:
    base = _times_text(x, a[1]) + (f" + {a[2]!r}" if a[2] else "")
    if a[0] == 2:
        return f"torch.square({base})"
    return base if a[0] == 1 else f"torch.pow({base}, {a[0]!r})"


def _positive(a: Arguments) -> bool:
    return a[0] > 0


def _times_text(x: str, factor: float) -> str:
    return x if factor == 1 else f"{factor!r} * {_atom(x)}"


def _atom(x: str) -> str:
    """``x`` in brackets where an operator stands outside of any."""
    depth = 0
    for char in x:
        depth += (char in "([") - (char in ")]")
        if depth == 0 and char in " -":
            return f"({x})"
    return x


_DEFAULTS: dict[str, Arguments] = {"tanh": (1.0, 1.0), "elu": (1.0,)}

KINDS: dict[str, NeuronKind] = {
    "relu": NeuronKind(0, "max(0, x)", *_plain("F.relu", "Relu")),
    "tanh": NeuronKind(
        2,
        "a tanh(b x)",
        lambda x, a: _times_text(f"torch.tanh({_times_text(x, a[1])})", a[0]),
        _tanh,
        bounded=True,
    ),
    "logistic": NeuronKind(0, "1 / (1 + exp(-x))", *_plain("torch.sigmoid", "Sigmoid"), bounded=True),
    "softrelu": NeuronKind(
        0, "log(1 + exp(x)), and x above 4", lambda x, a: f"F.softplus({x}, threshold=4)", _softrelu
    ),
    "abs": NeuronKind(0, "|x|", *_plain("torch.abs", "Abs")),
    "square": NeuronKind(0, "x x", lambda x, a: f"torch.square({x})", lambda code, x, a: code.op("Mul", x, x)),
    "sqrt": NeuronKind(0, "the square root of x", *_plain("torch.sqrt", "Sqrt")),
    "linear": NeuronKind(
        2,
        "a x + b",
        lambda x, a: f"{_times_text(x, a[0])} + {a[1]!r}",
        lambda code, x, a: _plus(code, _times(code, x, a[0]), a[1]) if a != (1.0, 0.0) else code.op("Identity", x),
    ),
    "brelu": NeuronKind(
        1,
        "min(a, max(0, x))",
        lambda x, a: f"torch.clamp({x}, 0, {a[0]!r})",
        lambda code, x, a: code.op("Clip", x, code.scalar(0.0), code.scalar(a[0])),
        needs="a above 0",
        legal=_positive,
        bounded=True,
    ),
    "drelu": NeuronKind(
        1, "x - a tanh(x / a)", lambda x, a: f"drelu({x}, {a[0]!r})", _drelu, needs="a above 0", legal=_positive
    ),
    "log": NeuronKind(
        1,
        "log(a + x)",
        lambda x, a: f"torch.log({x} + {a[0]!r})",
        lambda code, x, a: code.op("Log", _plus(code, x, a[0])),
    ),
    "softplus": NeuronKind(0, "log(1 + exp(x))", *_plain("F.softplus", "Softplus")),
    "elu": NeuronKind(
        1,
        "x, and a (exp(x) - 1) below 0",
        lambda x, a: f"F.elu({x}, {a[0]!r})",
        lambda code, x, a: code.op("Elu", x, alpha=a[0]),
    ),
    "leaky": NeuronKind(
        1,
        "x, and a x below 0",
        lambda x, a: f"F.leaky_relu({x}, {a[0]!r})",
        lambda code, x, a: code.op("LeakyRelu", x, alpha=a[0]),
    ),
    "power": NeuronKind(3, "(b x + c)^a", _power_text, _power),
    "clip": NeuronKind(
        2,
        "min(b, max(a, x))",
        lambda x, a: f"torch.clamp({x}, {a[0]!r}, {a[1]!r})",
        lambda code, x, a: code.op("Clip", x, code.scalar(a[0]), code.scalar(a[1])),
        needs="a no larger than b",
        legal=lambda a: a[0] <= a[1],
        bounded=True,
    ),
}
