"""What a training run is told, as plain data: rates, rules for parameters, pictures to inputs. It runs nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from netspec_runtime.card import Channels
from netspec_runtime.preprocess import ViewCount

Curve = Literal["steps", "linear", "exp", "dexp", "jdexp"]


@dataclass(frozen=True)
class RateRule:
    """A learning rate over the run; the language's `train.lr` says what each field means."""

    start: float
    divide: float = 10.0
    when: Literal["plateau", "never"] | tuple[int, ...] = "never"
    times: int = 3
    patience: int = 5
    curve: Curve = "steps"
    levels: int = 4


@dataclass(frozen=True)
class ParameterRule:
    """How one learned parameter changes. ``rate`` multiplies the rate of the weights or of the biases; 0 freezes it."""

    name: str
    bias: bool
    rate: float
    decay: float


@dataclass(frozen=True)
class Recipe:
    """The training recipe (paper 5). ``rules`` are in the order of the merged module's state_dict."""

    batch: int
    epochs: int
    momentum: float
    lr: RateRule
    lr_b: RateRule
    rules: tuple[ParameterRule, ...]
    seed: int


@dataclass(frozen=True)
class PictureRecipe:
    """How prepared pictures become the net's input (paper 2 and 4.1).

    ``prepared`` is the height and width of the prepared pictures, ``crop`` those of the input. ``mean`` and ``std`` as
    numbers are in the order of ``channels``, on the scale 0 to 255. ``noise`` is the standard deviation of the colour
    noise; ``noise_of`` says what it multiplies.
    """

    prepared: tuple[int, int]
    crop: tuple[int, int]
    channels: Channels
    mirror: bool
    mean: Literal["none", "image", "color"] | tuple[float, ...]
    std: tuple[float, ...] | None
    noise: float
    noise_of: Literal["eigenvalue", "std"]
    test_views: ViewCount

    @property
    def unscaled(self) -> int:
        """How many channels are divided by no deviation: all or none."""
        return self.channels.planes if self.std is None else 0
