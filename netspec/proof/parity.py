"""What the proof found: an error for every layer and parameter, and a verdict. It is data; it computes nothing."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from math import isfinite, isnan

TOLERANCE = 1e-4
GRADIENT_TOLERANCE = 1e-5


@dataclass(frozen=True)
class LayerParity:
    """One layer: the largest difference from merged PyTorch on an input, relative to its largest magnitude there.

    Where a bounded neuron made the values, the rounding of large numbers before it counts as no difference.

    ``magnitude`` is the largest on any input, nan where none is a finite number: then nothing was compared, and
    nothing holds. ``split`` is None for a net on one device.
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
        return self.worst <= TOLERANCE and not isnan(self.magnitude)


@dataclass(frozen=True)
class GradientParity:
    """One parameter: the difference of its gradient between merged and split, relative to the gradient's norm.

    ``error`` is nan where the gradient holds no finite number.
    """

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
            if isnan(bad.magnitude):
                return f"the proof FAILS: `{bad.layer}` has no finite number on any input, so nothing can be compared"
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
            "spec": self.spec,
            "inputs": self.inputs,
            "layers": [_as_json(asdict(layer)) for layer in self.layers],
            "gradients": [_as_json(asdict(gradient)) for gradient in self.gradients],
            "top1": self.top1,
            "versions": dict(self.versions),
        }
        return json.dumps(document, indent=2, allow_nan=False) + "\n"


def _as_json(row: dict[str, object]) -> dict[str, object]:
    """JSON has no word for inf and nan: they are written as text."""
    odd = {key: str(value) for key, value in row.items() if isinstance(value, float) and not isfinite(value)}
    return row | odd
