"""The layer types, one class each, holding all the rules about it. Importing this package registers them."""

from netspec.layers import (
    activation,
    affine,
    batchnorm,
    channels,
    cnorm,
    colour,
    combine,
    conv,
    deconv,
    dropout,
    fc,
    image,
    local,
    pool,
    prelu,
    reshape,
    rnorm,
)
from netspec.layers.registry import LAYER_TYPES

__all__ = [
    "LAYER_TYPES",
    "activation",
    "affine",
    "batchnorm",
    "channels",
    "cnorm",
    "colour",
    "combine",
    "conv",
    "deconv",
    "dropout",
    "fc",
    "image",
    "local",
    "pool",
    "prelu",
    "reshape",
    "rnorm",
]
