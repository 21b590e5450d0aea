"""The nets of Caffe's first examples: LeNet for MNIST, and two for CIFAR-10. No weights.

LeCun et al. 1998 with rectifiers; Krizhevsky's layers-18pct.cfg is CIFAR-10 full.
"""

from __future__ import annotations

from tests.importers.caffe.nets.text import conv, data, fc, layer, pool, relu

_XAVIER = 'weight_filler { type: "xavier" } bias_filler { type: "constant" }'
_MNIST = 'source: "examples/mnist/mnist_{0}_lmdb" batch_size: {1} backend: LMDB'
_CIFAR = 'source: "examples/cifar10/cifar10_{0}_lmdb" batch_size: 100 backend: LMDB'
_CIFAR_MEAN = 'mean_file: "examples/cifar10/mean.binaryproto"'
_WITHIN = "lrn_param { local_size: 3 alpha: 5e-05 beta: 0.75 norm_region: WITHIN_CHANNEL }"


def _costs(last: int) -> str:
    accuracy = layer("accuracy", "Accuracy", f"ip{last} label", "accuracy", "include { phase: TEST }")
    return accuracy + layer("loss", "SoftmaxWithLoss", f"ip{last} label", "loss")


def lenet_train_test() -> str:
    """Grey pictures of 28 x 28, which the file does not say."""
    sources = data("TRAIN", "scale: 0.00390625", _MNIST.format("train", 64))
    sources += data("TEST", "scale: 0.00390625", _MNIST.format("test", 100))
    return (
        'name: "LeNet"\n' + sources
        + conv("conv1", "data", 20, 5, "stride: 1", _XAVIER) + pool("pool1", "conv1", 2, 2)
        + conv("conv2", "pool1", 50, 5, "stride: 1", _XAVIER) + pool("pool2", "conv2", 2, 2)
        + fc("ip1", "pool2", 500, _XAVIER) + relu("ip1") + fc("ip2", "ip1", 10, _XAVIER) + _costs(2)
    )  # fmt: skip


def lenet_oldest() -> str:
    """The same in the form of 2013: a `layer` in each of `layers`, with all options in one list."""

    def old(name: str, type: str, read: str, made: str, more: str = "") -> str:
        return f'layers {{ layer {{ name: "{name}" type: "{type}" {more} }} bottom: "{read}" top: "{made}" }}\n'

    filler = 'weight_filler { type: "xavier" } bias_filler { type: "constant" } blobs_lr: 1. blobs_lr: 2.'
    return (
        'name: "LeNet"\ninput: "data" input_dim: 64 input_dim: 1 input_dim: 28 input_dim: 28\n'
        + old("conv1", "conv", "data", "conv1", f"num_output: 20 kernelsize: 5 stride: 1 {filler}")
        + old("pool1", "pool", "conv1", "pool1", "kernelsize: 2 stride: 2 pool: MAX")
        + old("conv2", "conv", "pool1", "conv2", f"num_output: 50 kernelsize: 5 stride: 1 {filler}")
        + old("pool2", "pool", "conv2", "pool2", "kernelsize: 2 stride: 2 pool: MAX")
        + old("ip1", "innerproduct", "pool2", "ip1", f"num_output: 500 {filler}")
        + old("relu1", "relu", "ip1", "ip1")
        + old("ip2", "innerproduct", "ip1", "ip2", f"num_output: 10 {filler}")
        + old("prob", "softmax", "ip2", "prob")
    )


def cifar10_quick() -> str:
    """Pictures of 32 x 32, which only the mean image says."""
    return (
        'name: "CIFAR10_quick"\n' + _cifar_data()
        + conv("conv1", "data", 32, 5, "pad: 2", _gaussian(0.0001)) + pool("pool1", "conv1", 3, 2) + relu("pool1")
        + conv("conv2", "pool1", 32, 5, "pad: 2", _gaussian(0.01)) + relu("conv2") + pool("pool2", "conv2", 3, 2, "AVE")
        + conv("conv3", "pool2", 64, 5, "pad: 2", _gaussian(0.01)) + relu("conv3") + pool("pool3", "conv3", 3, 2, "AVE")
        + fc("ip1", "pool3", 64, _gaussian(0.1)) + fc("ip2", "ip1", 10, _gaussian(0.1)) + _costs(2)
    )  # fmt: skip


def cifar10_full() -> str:
    """With response norms within maps, and a decay of its own for the last layer."""
    last = layer(
        "ip1", "InnerProduct", "pool3", "ip1",
        "param { lr_mult: 1 decay_mult: 250 } param { lr_mult: 2 decay_mult: 0 }"
        f" inner_product_param {{ num_output: 10 {_gaussian(0.01)} }}",
    )  # fmt: skip
    return (
        'name: "CIFAR10_full"\n' + _cifar_data()
        + conv("conv1", "data", 32, 5, "pad: 2", _gaussian(0.0001)) + pool("pool1", "conv1", 3, 2) + relu("pool1")
        + layer("norm1", "LRN", "pool1", "norm1", _WITHIN)
        + conv("conv2", "norm1", 32, 5, "pad: 2", _gaussian(0.01)) + relu("conv2") + pool("pool2", "conv2", 3, 2, "AVE")
        + layer("norm2", "LRN", "pool2", "norm2", _WITHIN)
        + conv("conv3", "norm2", 64, 5, "pad: 2", _gaussian(0.01)) + relu("conv3") + pool("pool3", "conv3", 3, 2, "AVE")
        + last + _costs(1)
    )  # fmt: skip


def _cifar_data() -> str:
    return data("TRAIN", _CIFAR_MEAN, _CIFAR.format("train")) + data("TEST", _CIFAR_MEAN, _CIFAR.format("test"))


def _gaussian(std: float) -> str:
    return f'weight_filler {{ type: "gaussian" std: {std} }} bias_filler {{ type: "constant" }}'
