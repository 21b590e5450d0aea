"""The layer types, one class each, holding all the rules about it. Importing this package registers them."""

from netspec.layers import activation, batchnorm, cnorm, combine, conv, dropout, fc, image, local, pool, rnorm
from netspec.layers.registry import LAYER_TYPES

__all__ = [
    "LAYER_TYPES",
    "activation",
    "batchnorm",
    "cnorm",
    "combine",
    "conv",
    "dropout",
    "fc",
    "image",
    "local",
    "pool",
    "rnorm",
]
