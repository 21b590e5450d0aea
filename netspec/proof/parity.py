"""What the proof found: an error for every layer and parameter, and a verdict. It is data; it computes nothing."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

TOLERANCE = 1e-4
GRADIENT_TOLERANCE = 1e-5


@dataclass(frozen=True)
class LayerParity:
    """One layer: the largest difference from merged PyTorch, relative to the layer's largest magnitude.

    ``split`` is None for a net on one device.
    """

    layer: str
    shape: tuple[int, ...]
    magnitude: float
    onnx: float
    split: float | None

    @property
    def worst(self) -> float:
        return max(self.onnx, self.split or 0.0)

    @property
    def holds(self) -> bool:
        return self.worst <= TOLERANCE


@dataclass(frozen=True)
class GradientParity:
    """One parameter: the difference of its gradient between merged and split, relative to the gradient's norm."""

    parameter: str
    error: float

    @property
    def holds(self) -> bool:
        return self.error <= GRADIENT_TOLERANCE


@dataclass(frozen=True)
class Parity:
    """The whole proof. ``top1`` counts the inputs whose largest output agrees, of ``inputs``."""

    spec: str
    inputs: tuple[str, ...]
    layers: tuple[LayerParity, ...]
    gradients: tuple[GradientParity, ...]
    top1: int
    versions: tuple[tuple[str, str], ...]

    @property
    def first_bad(self) -> LayerParity | None:
        """The first layer, in the order of computation, that is past the tolerance."""
        return next((layer for layer in self.layers if not layer.holds), None)

    @property
    def holds(self) -> bool:
        return self.first_bad is None and self.top1 == len(self.inputs) and all(g.holds for g in self.gradients)

    def sentence(self) -> str:
        """The verdict in one line."""
        if bad := self.first_bad:
            other = "onnxruntime" if bad.onnx > TOLERANCE else "the split module"
            distance = f"by {bad.worst:.1e} (> {TOLERANCE:g})"
            return f"the proof FAILS: `{bad.layer}` is the first layer where {other} differs, {distance}"
        if self.top1 < len(self.inputs):
            differing = f"{len(self.inputs) - self.top1} of {len(self.inputs)} inputs"
            return f"the proof FAILS: the largest output differs for {differing}"
        if wrong := next((g for g in self.gradients if not g.holds), None):
            return f"the proof FAILS: the gradient of `{wrong.parameter}` differs on two devices, by {wrong.error:.1e}"
        worst = max(self.layers, key=lambda layer: layer.worst)
        return (
            f"proof: {len(self.layers)} layers equal in torch and onnxruntime on {len(self.inputs)} inputs;"
            f" largest difference {worst.worst:.1e} (`{worst.layer}`), tolerance {TOLERANCE:g}"
        )

    def as_json(self) -> str:
        document = {
            "holds": self.holds,
            "verdict": self.sentence(),
            "tolerance": {"layers": TOLERANCE, "gradients": GRADIENT_TOLERANCE},
            "first_bad": self.first_bad.layer if self.first_bad else None,
            **asdict(self),
            "versions": dict(self.versions),
        }
        return json.dumps(document, indent=2) + "\n"
