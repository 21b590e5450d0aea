"""What every layer type must answer. A rule is abstract, so that none is forgotten, or its default has one meaning."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from math import prod
from typing import Annotated, ClassVar

from netspec.diagnostics.grammar import a
from netspec.ir.lowering import OnnxCode, TorchCode
from netspec.ir.neuron import Neuron
from netspec.ir.parameter import Init, Parameter, Role, constant
from netspec.ir.shape import Maps, Range, Shape
from netspec.syntax.keys import Spread, key

OneOrMany = Annotated[tuple[str, ...], Spread(None)]
Devices = Annotated[tuple[int, ...], Spread(None)]


class Illegal(Exception):  # noqa: N818 - raised as a verdict on a layer, and turned into a diagnostic
    """A layer cannot be where it is.

    ``key`` is the key of the layer to point at, or a path below it; ``input`` is the number of the input to blame.
    """

    def __init__(
        self,
        code: str,
        message: str,
        key: str | tuple[str | int, ...] = "inputs",
        help: str = "",
        input: int | None = None,  # noqa: A002 - as in the language
    ) -> None:
        super().__init__(message)
        self.code, self.message, self.help, self.input = code, message, help, input
        self.path = (key,) if isinstance(key, str) else key
        if self.path == ("inputs",) and input is not None:
            self.path = ("inputs", input)


@dataclass(frozen=True)
class Shard:
    """One device's part of a layer: what it reads of each input, and the layer that computes it.

    ``reads`` has a range of channels for each input, None for an input it does not need. ``keep`` is the range of the
    computed channels that is the part; None keeps all (a normalisation computes a margin that it then drops).
    """

    layer: Layer
    reads: tuple[Range | None, ...]
    keep: Range | None = None


@dataclass(frozen=True)
class Layer(ABC):
    """A layer of a net: the decoded keys of its YAML entry, and every rule about it.

    Shapes are of one image; channels come first.
    """

    type: ClassVar[str]
    example: ClassVar[str]
    arity: ClassVar[tuple[int, int | None]] = (1, 1)

    inputs: OneOrMany = key("The layers it reads, by name; `data` is the input.")
    gpu: Devices | None = key(
        "The device, or a list of devices that the output channels are split over evenly and in order. Default: the"
        " placement of the first input, or device 0.",
        default=None,
        least=0,
        most=63,
    )
    neuron: Neuron | None = key(
        "The activation applied to the output, such as `relu` or `tanh[1.7, 0.67]`.", default=None
    )

    @abstractmethod
    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        """The output's shape. Raises Illegal."""

    @abstractmethod
    def shard(self, inputs: tuple[Shape, ...], part: Range) -> Shard:
        """How the output channels ``part`` are computed alone. Raises Illegal where they cannot be."""

    @abstractmethod
    def torch(self, code: TorchCode) -> str:
        """The PyTorch expression of the output, before the neuron."""

    @abstractmethod
    def onnx(self, code: OnnxCode) -> str:
        """Append ONNX operators; returns the name of the output value, before the neuron."""

    def parameters(self, inputs: tuple[Shape, ...]) -> tuple[Parameter, ...]:
        """The tensors it learns or keeps, in state_dict order; none by default."""
        return ()

    def macs(self, inputs: tuple[Shape, ...]) -> int:
        """Multiply-adds an image of its linear part; 0 for layers that only normalise, pool or move numbers."""
        return 0

    def rate_of(self, role: Role) -> float:
        """Learning rate of its tensors of this role, as a multiple of the run's."""
        return 1.0

    def reason(self, inputs: tuple[Shape, ...]) -> str:
        """Why the output has its size, as arithmetic; empty where the size is the input's."""
        return ""

    def effective(self, inputs: tuple[Shape, ...]) -> tuple[tuple[str, str], ...]:
        """(what, value) of each choice that frameworks make differently, as it comes out for these inputs."""
        return ()


@dataclass(frozen=True)
class ChannelwiseLayer(Layer):
    """A layer whose output channel reads just the same channel of each input."""

    def shard(self, inputs: tuple[Shape, ...], part: Range) -> Shard:
        return Shard(self, tuple(part for _ in inputs))


@dataclass(frozen=True)
class LearnedLayer(Layer):
    """A layer with weights and biases; the learning rates are multiples of `train.lr`."""

    bias: bool = key("Whether a bias is added.", default=True)
    init_w: Init = key(
        "How weights start: a standard deviation (the paper: 0.01), `normal[s]`, `uniform[a]`, `xavier` or `he`;"
        " kernels also `bilinear`.",
        default=Init("normal", 0.01),
    )
    init_b: float = key("The value biases start with.", default=0.0)
    lr_w: float = key("Learning rate of the weights, as a multiple of train.lr.", default=1.0, least=0)
    lr_b: float = key("Learning rate of the biases, as a multiple of train.lr_b or train.lr.", default=1.0, least=0)
    decay: float | None = key(
        "Weight decay of this layer; default train.decay. Biases never decay.", default=None, least=0
    )
    share_weights: str | None = key(
        "A layer whose weights this one uses instead of its own: `conv1`, or `conv1[1]` for its second input's. Biases"
        " are never shared.",
        default=None,
    )

    def rate_of(self, role: Role) -> float:
        """`lr_w` or `lr_b`."""
        return self.lr_b if role == "bias" else self.lr_w

    def weight_parameter(
        self, path: str, dims: tuple[int, ...], init: Init | None = None, tied: str | None = None, kernels: bool = True
    ) -> Parameter:
        """Weights (output channels, inputs of each ...); ``init`` and ``tied`` are what `per_input` says."""
        own = init or self.init_w
        if own.kind == "bilinear" and not kernels:
            message = f"{a(self.type)} layer has no kernels to start with bilinear interpolation"
            raise Illegal("NS310", message, "init_w", "use another way to start, or a `conv` or `deconv` layer")
        return Parameter(path, dims, "weight", own, prod(dims[1:4]), tied or self.share_weights or "")

    def bias_parameter(self, dims: tuple[int, ...], path: str = "bias") -> tuple[Parameter, ...]:
        return (Parameter(path, dims, "bias", constant(self.init_b)),) if self.bias else ()


def maps(shape: Shape, layer: Layer, number: int = 0) -> Maps:
    """The shape of input ``number`` as maps. Raises Illegal NS305 for a vector."""
    if isinstance(shape, Maps):
        return shape
    message = f"{a(layer.type)} layer reads maps, but `{layer.inputs[number]}` is flat: {shape.units:,} units"
    raise Illegal("NS305", message, help="put it before the first layer with a flat output", input=number)
