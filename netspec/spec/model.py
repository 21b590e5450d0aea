"""A spec: what the YAML file says, decoded. Defaults are filled in; nothing is inferred yet."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from netspec.diagnostics import Diagnostic
from netspec.ir.layer import Layer
from netspec.ir.shape import Maps
from netspec.layers.window import Pair
from netspec.syntax.keys import key
from netspec.syntax.spans import SpanTable

LANGUAGE = 1
Triple = tuple[float, ...]


@dataclass(frozen=True)
class InputSpec:
    """What the net reads: an image of `size` (one number, or [height, width])."""

    size: Pair = key(
        "Height and width of the input: one number, or [height, width].", unit="pixels", least=1, most=16384
    )
    name: str = key("The name that layers read it by.", default="data")
    channels: int = key("Colour channels.", default=3, least=1, most=4096)

    @property
    def shape(self) -> Maps:
        return Maps(self.channels, self.size[0], self.size[1])


@dataclass(frozen=True)
class DataSpec:
    """How a picture becomes the net's input, in training and at test (paper 2, 4.1)."""

    resize: int | None = key(
        "The shorter side of the picture is scaled to this; without it the picture is stretched to the input size.",
        default=None,
        unit="pixels",
        least=1,
        most=16384,
    )
    crop: Pair | None = key(
        "The patch cut out of the resized picture; the input size.", default=None, unit="pixels", least=1
    )
    mirror: bool = key("Horizontal reflections in training.", default=False)
    channels: Literal["rgb", "bgr", "grey"] = key("The order of the colour channels.", default="rgb")
    mean: Literal["none", "image", "color"] | Triple = key(
        "What is subtracted: the training set's mean `image` or mean `color`, or given numbers in the order of"
        " `channels` on the scale 0 to 255.",
        default="none",
    )
    mean_color: Triple | None = key(
        "The mean colour that stands in for `mean: image` or `color` until `train` has seen the data.", default=None
    )
    std: Triple | None = key("What the difference is divided by, a number for each channel.", default=None)
    color_pca: float = key("Standard deviation of the colour noise along principal components.", default=0.0, least=0)
    color_pca_of: Literal["eigenvalue", "std"] = key(
        "What the noise multiplies: the eigenvalue of pixels on the scale 0 to 1 (the paper's text; on 0 to 255 nothing"
        " would be left of a picture), or its square root, `std`, where training inputs are then divided by"
        " 1 + `color_pca` (the authors' source).",
        default="eigenvalue",
    )
    test_views: int = key(
        "Views averaged at test: 1, or 10 (corners, centre, reflections).", default=1, least=1, most=10
    )


@dataclass(frozen=True)
class RateSpec:
    """A learning rate over the run (paper 5; the authors' schedules: reference/cuda-convnet.md 2).

    With ``curve: steps`` it is divided by ``divide`` whenever ``when`` says. The other curves fall from ``start`` to
    start / divide over the whole run. With p the part that is done, 0 to 1, and n = ``levels``: ``linear`` is
    start (1 - p + p / divide); ``exp`` is start / divide^p; ``dexp`` is start / divide^(i / (n - 1)), where
    i = max(0, ceil(p n) - 1); ``jdexp`` is dexp, but from p = .2 to .9 the second half of each level after the first is
    the geometric mean with the level before.
    """

    start: float = key("The rate at the start.", above=0)
    divide: float = key("What it is divided by: each time, or with another curve in all.", default=10.0, above=0)
    when: Literal["plateau", "never"] | tuple[int, ...] = key(
        "When it is divided: at a `plateau` of the validation error (the paper), after the listed numbers of epochs, or"
        " `never`.",
        default="never",
        least=1,
    )
    times: int = key("How often, with `plateau`.", default=3, least=0)
    patience: int = key(
        "With `plateau`: after how many epochs in a row without a new lowest validation error it is divided.",
        default=5,
        unit="epochs",
        least=1,
    )
    curve: Literal["steps", "linear", "exp", "dexp", "jdexp"] = key(
        "How it falls: in `steps`, or from start to start / divide over the whole run: `linear`, `exp`, or by levels of"
        " equal length as `dexp` and `jdexp` (cuda-convnet).",
        default="steps",
    )
    levels: int = key("How many rates `dexp` and `jdexp` have.", default=4, least=2)


@dataclass(frozen=True)
class TrainSpec:
    """The training recipe (paper 5)."""

    batch: int = key("Images a step.", default=128, unit="images", least=1)
    epochs: int = key("Passes over the training set.", default=90, least=1)
    momentum: float = key("Momentum.", default=0.9, least=0, most=1)
    decay: float = key("Weight decay; biases and batch normalisation do not decay.", default=0.0005, least=0)
    lr: float | RateSpec = key("The learning rate: a number, or a mapping with `start`.", default=0.01, above=0)
    lr_b: float | RateSpec | None = key(
        "What the layers' `lr_b` are multiples of, where biases have a schedule of their own (the authors' have one);"
        " otherwise `lr`.",
        default=None,
        above=0,
    )


@dataclass(frozen=True)
class Header:
    """The keys of the file beside `layers` and `defaults`."""

    netspec: int = key("The version of the language: 1.")
    name: str = key("The net's name; files and the class are called by it.")
    input: InputSpec = key("What the net reads.")
    about: str = key("What the net is, in a sentence.", default="")
    classes: int | None = key("How many classes its softmax tells apart.", default=None, least=1)
    outputs: tuple[str, ...] = key(
        "The layers that the net returns; by default the one that nothing reads.", default=()
    )
    ledger: str = key("The claims it is checked against: a shipped ledger or a file beside the spec.", default="")
    labels: str | tuple[str, ...] = key("Class names: a list, or a text file beside the spec, one a line.", default=())
    licence: str = key("The licence of the weights built from it.", default="")
    seed: int = key("The seed of the initial weights.", default=0, least=0, most=2**63 - 1)
    data: DataSpec = key("How a picture becomes the input.", default=DataSpec())
    train: TrainSpec = key("The training recipe.", default=TrainSpec())


@dataclass(frozen=True)
class Spec(Header):
    """A whole file. ``layers`` are in the order of the file; ``spans`` says where each value stands.

    ``warnings`` are for whoever shows diagnostics: what is legal and probably a mistake.
    """

    layers: dict[str, Layer] = field(kw_only=True, hash=False)
    spans: SpanTable = field(kw_only=True, hash=False, compare=False, repr=False)
    warnings: tuple[Diagnostic, ...] = field(kw_only=True, default=(), compare=False, repr=False)
