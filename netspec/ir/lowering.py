"""What layers are lowered to: PyTorch expressions and ONNX operators, as data. Backends print it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal
from zlib import crc32

from netspec.ir.shape import Shape

LrnForm = Literal["native", "fast"]
Attribute = int | float | str | tuple[int, ...] | tuple[float, ...]


@dataclass(frozen=True)
class TorchModule:
    """A constructor call: ``nn.Conv2d(3, 96, 11, stride=4)``; the backend adds the device."""

    cls: str
    arguments: tuple[str, ...]

    def text(self, device: str = "") -> str:
        extra = (f"device={device}",) if device else ()
        return f"{self.cls}({', '.join((*self.arguments, *extra))})"


@dataclass
class TorchCode:
    """One layer (or its part on a device) in PyTorch. ``layer.torch`` reads the names and records what it needs.

    ``name`` is that of its module, ``layer`` of the whole layer, whose unit ``first`` is the first here.
    """

    name: str
    inputs: tuple[str, ...]
    shapes: tuple[Shape, ...]
    output: Shape
    layer: str
    first: int = 0
    modules: list[TorchModule] = field(default_factory=list)
    helpers: list[str] = field(default_factory=list)
    draws: bool = False

    def module(self, cls: str, *arguments: object, **options: object) -> str:
        """Ask for one nn module named after the layer; returns how to call it, ``self.conv1``."""
        self.modules.append(_constructor(cls, arguments, options))
        return f"self.{self.name}"

    def module_list(self, modules: Sequence[tuple[str, tuple[object, ...], dict[str, object]]]) -> list[str]:
        """Ask for several under one name; returns ``self.conv1[0]``, ``self.conv1[1]``, ..."""
        self.modules += [_constructor(*m) for m in modules]
        return [f"self.{self.name}[{i}]" for i in range(len(modules))]

    def helper(self, name: str) -> str:
        """Ask for a definition that stands in ``netspec_templates/torch/helpers``; returns its name."""
        if name not in self.helpers:
            self.helpers.append(name)
        return name

    def draw(self) -> str:
        """Ask for random numbers; returns the arguments: where from, a number for the layer, its first unit here."""
        self.draws = True
        return f"self.draw, {crc32(self.layer.encode()) >> 1}, {self.first}"


def _constructor(cls: str, arguments: tuple[object, ...], options: dict[str, object]) -> TorchModule:
    named = tuple(f"{key}={value!r}" for key, value in options.items())
    return TorchModule(cls, tuple(repr(a) for a in arguments) + named)


@dataclass(frozen=True)
class OnnxOp:
    """One ONNX operator: inputs and output are value names of the graph."""

    type: str
    inputs: tuple[str, ...]
    output: str
    attributes: tuple[tuple[str, Attribute], ...] = ()


@dataclass(frozen=True)
class OnnxConstant:
    """A small tensor that is no parameter; values in C order."""

    name: str
    dims: tuple[int, ...]
    values: tuple[float, ...] | tuple[int, ...]
    integer: bool = False


@dataclass
class OnnxCode:
    """One layer in ONNX. ``layer.onnx`` calls ``op`` and returns the name of its result."""

    name: str
    inputs: tuple[str, ...]
    shapes: tuple[Shape, ...]
    output: Shape
    parameters: dict[str, str]
    lrn: LrnForm
    ops: list[OnnxOp] = field(default_factory=list)
    constants: list[OnnxConstant] = field(default_factory=list)

    def op(self, type: str, *inputs: str, **attributes: Attribute) -> str:
        """Append an operator and return its result. Attributes are ONNX's own; ints, floats, strings or tuples."""
        output = f"{self.name}/{len(self.ops)}_{type.lower()}"
        self.ops.append(OnnxOp(type, inputs, output, tuple(sorted(attributes.items()))))
        return output

    def numbers(self, name: str, values: tuple[float, ...], dims: tuple[int, ...] = ()) -> str:
        """A float32 constant; ``dims`` () is a scalar."""
        return self._constant(OnnxConstant(f"{self.name}/{name}", dims, tuple(float(v) for v in values)))

    def indices(self, name: str, values: tuple[int, ...]) -> str:
        """An int64 vector."""
        return self._constant(OnnxConstant(f"{self.name}/{name}", (len(values),), values, integer=True))

    def scalar(self, value: float) -> str:
        """A float32 number; its name is all its digits, so that two numbers never have one name."""
        return self.numbers(repr(float(value)), (value,))

    def parameter(self, path: str) -> str:
        return self.parameters[path]

    def each_channel(self, path: str) -> str:
        """A parameter (channels) so that it broadcasts over the output: (channels, 1, 1) for maps."""
        dims = (self.output.channels, *(1 for _ in self.output.dims[1:]))
        weight = self.parameter(path)
        return weight if len(dims) == 1 else self.op("Reshape", weight, self.indices("each_channel", dims))

    def _constant(self, constant: OnnxConstant) -> str:
        if constant not in self.constants:
            self.constants.append(constant)
        return constant.name

    def flat(self, value: str, shape: Shape) -> str:
        """``value`` as [N, units]."""
        return value if len(shape.dims) == 1 else self.op("Flatten", value, axis=1)
