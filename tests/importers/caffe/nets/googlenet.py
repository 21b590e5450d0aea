"""GoogLeNet as Caffe has it: nine inception modules, two auxiliary classifiers. No weights.

Szegedy et al. 2015, Going deeper with convolutions, table 1 and section 5.
"""

from __future__ import annotations

from tests.importers.caffe.nets.text import conv_relu, data, deploy_input, dropout, fc, layer, pool, relu

_DATA = 'source: "examples/imagenet/ilsvrc12_{0}_lmdb" batch_size: {1} backend: LMDB'
_MEAN = "mirror: {0} crop_size: 224 mean_value: 104 mean_value: 117 mean_value: 123"
_START = 'weight_filler { type: "xavier" } bias_filler { type: "constant" value: 0.2 }'
_LRN = "lrn_param { local_size: 5 alpha: 0.0001 beta: 0.75 }"
_MODULES = {  # 1x1; 3x3 reduce, 3x3; 5x5 reduce, 5x5; projection of the pool
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}


def train_val() -> str:
    """With data layers, and three losses of which two are auxiliary."""
    train = data("TRAIN", _MEAN.format("true"), _DATA.format("train", 32))
    test = data("TEST", _MEAN.format("false"), _DATA.format("val", 50))
    return 'name: "GoogleNet"\n' + train + test + _body(auxiliary=True) + _costs("loss3", "loss3/classifier", 1)


def deploy() -> str:
    """One classifier, with a softmax."""
    end = layer("prob", "Softmax", "loss3/classifier", "prob")
    return 'name: "GoogleNet"\n' + deploy_input(1, 3, 224, 224) + _body(auxiliary=False) + end


def _body(*, auxiliary: bool) -> str:
    text = (
        conv_relu("conv1/7x7_s2", "data", 64, 7, "pad: 3 stride: 2", _START)
        + pool("pool1/3x3_s2", "conv1/7x7_s2", 3, 2)
        + layer("pool1/norm1", "LRN", "pool1/3x3_s2", "pool1/norm1", _LRN)
        + conv_relu("conv2/3x3_reduce", "pool1/norm1", 64, 1, "", _START)
        + conv_relu("conv2/3x3", "conv2/3x3_reduce", 192, 3, "pad: 1", _START)
        + layer("conv2/norm2", "LRN", "conv2/3x3", "conv2/norm2", _LRN)
        + pool("pool2/3x3_s2", "conv2/norm2", 3, 2)
    )
    bottom = "pool2/3x3_s2"
    for name, sizes in _MODULES.items():
        text += _inception(name, bottom, sizes)
        bottom = f"inception_{name}/output"
        if auxiliary and name in ("4a", "4d"):
            text += _auxiliary("loss1" if name == "4a" else "loss2", bottom)
        if name in ("3b", "4e"):
            text += pool(f"pool{name[0]}/3x3_s2", bottom, 3, 2)
            bottom = f"pool{name[0]}/3x3_s2"
    text += pool("pool5/7x7_s1", bottom, 7, 1, "AVE") + dropout("pool5/7x7_s1", 0.4)
    return text + fc("loss3/classifier", "pool5/7x7_s1", 1000, _START)


def _inception(name: str, bottom: str, sizes: tuple[int, ...]) -> str:
    here = f"inception_{name}"
    one, reduce3, three, reduce5, five, projection = sizes
    parts = " ".join(f"{here}/{part}" for part in ("1x1", "3x3", "5x5", "pool_proj"))
    return (
        conv_relu(f"{here}/1x1", bottom, one, 1, "", _START)
        + conv_relu(f"{here}/3x3_reduce", bottom, reduce3, 1, "", _START)
        + conv_relu(f"{here}/3x3", f"{here}/3x3_reduce", three, 3, "pad: 1", _START)
        + conv_relu(f"{here}/5x5_reduce", bottom, reduce5, 1, "", _START)
        + conv_relu(f"{here}/5x5", f"{here}/5x5_reduce", five, 5, "pad: 2", _START)
        + pool(f"{here}/pool", bottom, 3, 1, "MAX", "pad: 1")
        + conv_relu(f"{here}/pool_proj", f"{here}/pool", projection, 1, "", _START)
        + layer(f"{here}/output", "Concat", parts, f"{here}/output")
    )


def _auxiliary(name: str, bottom: str) -> str:
    return (
        pool(f"{name}/ave_pool", bottom, 5, 3, "AVE")
        + conv_relu(f"{name}/conv", f"{name}/ave_pool", 128, 1, "", _START)
        + fc(f"{name}/fc", f"{name}/conv", 1024, _START) + relu(f"{name}/fc") + dropout(f"{name}/fc", 0.7)
        + fc(f"{name}/classifier", f"{name}/fc", 1000, _START)
        + _costs(name, f"{name}/classifier", 0.3)
    )  # fmt: skip


def _costs(name: str, scores: str, weight: float) -> str:
    best = f"{name}/top-5"
    accuracy = "include { phase: TEST } accuracy_param { top_k: 5 }"
    return layer(
        f"{name}/loss", "SoftmaxWithLoss", f"{scores} label", f"{name}/loss", f"loss_weight: {weight}"
    ) + layer(best, "Accuracy", f"{scores} label", best, accuracy)
