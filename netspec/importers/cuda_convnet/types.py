"""The table of cuda-convnet's layer types: a function for each, and how many inputs it takes.

Data layers and costs become no layers and stand elsewhere. Source: reference/cuda-convnet.md 1.2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from netspec.importers.cuda_convnet import combine, connected, drops, neurons, norms, pixels, pools, windowed
from netspec.importers.cuda_convnet.costs import COSTS
from netspec.importers.cuda_convnet.layer import FileLayer, Output


@dataclass(frozen=True)
class LayerKind:
    """``read`` makes the draft's layers; a layer with ``several`` inputs may have one too."""

    read: Callable[[FileLayer], Output]
    several: bool = False


DATA: Final = "data"
LAYER_KINDS: Final = {
    "conv": LayerKind(windowed.conv, several=True),
    "local": LayerKind(windowed.local, several=True),
    "fc": LayerKind(connected.fc, several=True),
    "sfc": LayerKind(connected.sfc, several=True),
    "treefc": LayerKind(connected.treefc),
    "pool": LayerKind(pools.pool),
    "cmpool": LayerKind(pools.cmpool),
    "nailbed": LayerKind(pools.nailbed),
    "rnorm": LayerKind(norms.rnorm),
    "cmrnorm": LayerKind(norms.cmrnorm),
    "cnorm": LayerKind(norms.cnorm),
    "neuron": LayerKind(neurons.neuron),
    "hs": LayerKind(drops.hs),
    "dropout": LayerKind(drops.dropout),
    "dropout2": LayerKind(drops.dropout2),
    "softmax": LayerKind(combine.softmax),
    "eltsum": LayerKind(combine.eltsum, several=True),
    "eltmax": LayerKind(combine.eltmax, several=True),
    "sum": LayerKind(combine.total),
    "concat": LayerKind(combine.concat, several=True),
    "pass": LayerKind(combine.concat, several=True),
    "blur": LayerKind(pixels.blur),
    "href": LayerKind(pixels.href),
    "resize": LayerKind(pixels.resize),
    "rscale": LayerKind(pixels.rscale),
    "crop": LayerKind(pixels.crop),
    "rgb2yuv": LayerKind(pixels.rgb2yuv),
    "rgb2lab": LayerKind(pixels.rgb2lab),
}
ALL_TYPES: Final = (DATA, *LAYER_KINDS, *COSTS)
