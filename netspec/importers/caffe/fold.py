"""Batch norms and affine layers folded into the weights of the layer before: the same numbers at test, fewer layers.

A channel's weights w become w s, and its bias (b - mean) s + shift, where s = scale / sqrt(variance + eps). A net so
folded trains otherwise, since nothing normalises any more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from netspec.importers.caffe.rewrite import inputs_of, readers_of, replace_layer
from netspec.importers.draft import At, Draft, LayerDraft
from netspec.importers.remark import Remarks

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from netspec.importers.caffe.reading import Array

    Exact = NDArray[np.float64]

_INTO: Final = ("conv", "deconv", "fc")
_FOLDED: Final = ("affine", "batchnorm")
_EPS: Final = 1e-5


def fold_norms(draft: Draft, tensors: dict[str, Array], outputs: list[str], remarks: Remarks) -> dict[str, str]:
    """Fold what can be; returns which layer each folded one became. ``outputs`` and ``tensors`` are changed along."""
    became: dict[str, str] = {}
    for name in [name for name, layer in draft.layers.items() if layer.type in _FOLDED]:
        layer = draft.layers[name]
        into = inputs_of(layer)[0]
        if not _takes(draft, into, outputs):
            remarks.meaning("fold", f"`{name}` stays: what it reads cannot take its numbers", layer.place, name)
            continue
        _fold(draft, tensors, name, into)
        became |= {old: into for old, new in became.items() if new == name} | {name: into}
        outputs[:] = [into if output == name else output for output in outputs]
        remarks.meaning("fold", f"`{name}` is folded into the weights of `{into}`", layer.place, name)
    return became


def _takes(draft: Draft, name: str, outputs: list[str]) -> bool:
    """Whether the layer has weights of its own, no neuron, and no other reader."""
    layer = draft.layers.get(name)
    if layer is None or layer.type not in _INTO or layer.keys.keys() & {"neuron", "share_weights"}:
        return False
    owned = {_plain(other.keys.get("share_weights")) for other in draft.layers.values()}
    return name not in outputs and name not in owned and len(readers_of(draft, name)) == 1


def _fold(draft: Draft, tensors: dict[str, Array], name: str, into: str) -> None:
    import numpy as np

    norm, layer = draft.layers[name], draft.layers[into]
    factor, shift = _line(norm, name, tensors, tensors[f"{into}.weight"].shape[0])
    weight = tensors[f"{into}.weight"]
    bias = np.asarray(tensors[f"{into}.bias"], np.float64) if f"{into}.bias" in tensors else 0.0
    each = factor.reshape(-1, *(1,) * (weight.ndim - 1))
    tensors[f"{into}.weight"] = (weight * each).astype(np.float32)
    tensors[f"{into}.bias"] = (bias * factor + shift).astype(np.float32)
    for path in ("weight", "bias", "running_mean", "running_var"):
        tensors.pop(f"{name}.{path}", None)
    layer.keys.pop("bias", None)
    if "neuron" in norm.keys:
        layer.keys["neuron"] = norm.keys["neuron"]
    replace_layer(draft, name, into)


def _line(norm: LayerDraft, name: str, tensors: dict[str, Array], channels: int) -> tuple[Exact, Exact]:
    """Factor and addend of each channel."""
    import numpy as np

    def one(path: str, usual: float) -> Exact:
        found = tensors.get(f"{name}.{path}")
        return np.full(channels, usual) if found is None else np.asarray(found, np.float64)

    factor, shift = one("weight", 1.0), one("bias", 0.0)
    if norm.type == "batchnorm":
        eps = _plain(norm.keys.get("eps", _EPS))
        factor = factor / np.sqrt(one("running_var", 1.0) + float(str(eps)))
        shift = shift - one("running_mean", 0.0) * factor
    return factor, shift


def _plain(value: object) -> object:
    return value.value if isinstance(value, At) else value
