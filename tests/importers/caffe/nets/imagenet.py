"""ImageNet's nets of the years of Caffe: AlexNet, CaffeNet, NiN and VGG-16, from their papers. No weights.

Krizhevsky et al. 2012; Lin et al. 2014, Network in network; Simonyan and Zisserman 2015, configuration D.
"""

from __future__ import annotations

from tests.importers.caffe.nets.text import conv_relu, data, deploy_input, dropout, fc, layer, pool, relu

_DATA = 'source: "examples/imagenet/ilsvrc12_{0}_lmdb" batch_size: {1} backend: LMDB'
_MEAN = 'crop_size: 227 mean_file: "data/ilsvrc12/imagenet_mean.binaryproto" mirror: {0}'
_SMALL = 'weight_filler { type: "gaussian" std: 0.01 } bias_filler { type: "constant" value: 0 }'
_ONES = 'weight_filler { type: "gaussian" std: 0.01 } bias_filler { type: "constant" value: 0.1 }'
_FULL = 'weight_filler { type: "gaussian" std: 0.005 } bias_filler { type: "constant" value: 0.1 }'
_LRN = "lrn_param { local_size: 5 alpha: 0.0001 beta: 0.75 }"
_COSTS = (
    layer("accuracy", "Accuracy", "fc8 label", "accuracy", "include { phase: TEST }")
    + layer("loss", "SoftmaxWithLoss", "fc8 label", "loss")
)  # fmt: skip


def _eight_layers(*, norm_first: bool) -> str:
    """The layers up to fc8. The paper normalises before it pools; CaffeNet turned that round."""

    def stage(number: int, bottom: str) -> str:
        norm, pooled = f"norm{number}", f"pool{number}"
        if norm_first:
            return layer(norm, "LRN", bottom, norm, _LRN) + pool(pooled, norm, 3, 2)
        return pool(pooled, bottom, 3, 2) + layer(norm, "LRN", pooled, norm, _LRN)

    end = "pool{0}" if norm_first else "norm{0}"
    return (
        conv_relu("conv1", "data", 96, 11, "stride: 4", _SMALL)
        + stage(1, "conv1")
        + conv_relu("conv2", end.format(1), 256, 5, "pad: 2 group: 2", _ONES)
        + stage(2, "conv2")
        + conv_relu("conv3", end.format(2), 384, 3, "pad: 1", _SMALL)
        + conv_relu("conv4", "conv3", 384, 3, "pad: 1 group: 2", _ONES)
        + conv_relu("conv5", "conv4", 256, 3, "pad: 1 group: 2", _ONES)
        + pool("pool5", "conv5", 3, 2)
        + fc("fc6", "pool5", 4096, _FULL) + relu("fc6") + dropout("fc6")
        + fc("fc7", "fc6", 4096, _FULL) + relu("fc7") + dropout("fc7")
        + fc("fc8", "fc7", 1000, _SMALL)
    )  # fmt: skip


def alexnet_train_val(*, norm_first: bool = True) -> str:
    """BVLC AlexNet, or with the norms behind the pools CaffeNet, with data layers for both phases and costs."""
    name = "AlexNet" if norm_first else "CaffeNet"
    train = data("TRAIN", _MEAN.format("true"), _DATA.format("train", 256))
    test = data("TEST", _MEAN.format("false"), _DATA.format("val", 50))
    return f'name: "{name}"\n' + train + test + _eight_layers(norm_first=norm_first) + _COSTS


def alexnet_deploy(*, norm_first: bool = True) -> str:
    """The same for use, with an Input layer and a softmax."""
    name = "AlexNet" if norm_first else "CaffeNet"
    shape = "input_param { shape: { dim: 10 dim: 3 dim: 227 dim: 227 } }"
    first = layer("data", "Input", "", "data", shape)
    return f'name: "{name}"\n{first}' + _eight_layers(norm_first=norm_first) + layer("prob", "Softmax", "fc8", "prob")


def nin_deploy() -> str:
    """Network in network: it has no fully-connected layers, and its end is an average of maps."""
    text, bottom = 'name: "nin_imagenet"\n' + deploy_input(1, 3, 224, 224), "data"
    stages = ((96, 11, "stride: 4", 96), (256, 5, "pad: 2", 256), (384, 3, "pad: 1", 384), (1024, 3, "pad: 1", 1000))
    for number, (filters, size, more, last) in enumerate(stages, 1):
        name, first, second = f"conv{number}", f"cccp{2 * number - 1}", f"cccp{2 * number}"
        text += conv_relu(name, bottom, filters, size, more)
        text += conv_relu(first, name, filters, 1) + conv_relu(second, first, last, 1)
        bottom = f"pool{number}"
        text += pool(bottom, second, 3, 2) if number < 4 else pool(bottom, second, 6, 1, "AVE")
        text += dropout(bottom, name="drop") if number == 3 else ""
    return text


def vgg16_deploy() -> str:
    """VGG-16 in the form of 2014, as its authors published it: `layers` with words for types."""
    text, bottom = 'name: "VGG_ILSVRC_16_layers"\n' + deploy_input(10, 3, 224, 224), "data"

    def old(name: str, type: str, read: str, made: str, more: str = "") -> str:
        return f'layers {{ bottom: "{read}" top: "{made}" name: "{name}" type: {type} {more} }}\n'

    for stage, (filters, count) in enumerate(((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)), 1):
        for number in range(1, count + 1):
            name = f"conv{stage}_{number}"
            options = f"convolution_param {{ num_output: {filters} pad: 1 kernel_size: 3 }}"
            text += old(name, "CONVOLUTION", bottom, name, options) + old(f"relu{name[4:]}", "RELU", name, name)
            bottom = name
        text += old(f"pool{stage}", "POOLING", bottom, f"pool{stage}", "pooling_param { kernel_size: 2 stride: 2 }")
        bottom = f"pool{stage}"
    for number, outputs in ((6, 4096), (7, 4096), (8, 1000)):
        name = f"fc{number}"
        text += old(name, "INNER_PRODUCT", bottom, name, f"inner_product_param {{ num_output: {outputs} }}")
        bottom = name
        if number < 8:
            text += old(f"relu{number}", "RELU", name, name)
            text += old(f"drop{number}", "DROPOUT", name, name, "dropout_param { dropout_ratio: 0.5 }")
    return text + old("prob", "SOFTMAX", "fc8", "prob")
