"""The beginning of a residual net as its authors published it: BatchNorm and Scale in place, sums. No weights.

He et al. 2016, Deep residual learning: the first stage of ResNet-50, on smaller pictures.
"""

from __future__ import annotations

from tests.importers.caffe.nets.text import deploy_input, fc, layer, pool, relu


def residual() -> str:
    text = 'name: "ResNet-start"\n' + deploy_input(1, 3, 64, 64) + _normed("conv1", "data", 16, 7, 2, 3) + relu("conv1")
    text += pool("pool1", "conv1", 3, 2)
    bottom = "pool1"
    for block in ("2a", "2b"):
        shortcut = bottom
        if block == "2a":
            shortcut = "res2a_branch1"
            text += _normed(shortcut, bottom, 32, 1, 1, 0)
        text += _branch(f"res{block}", bottom)
        text += layer(f"res{block}", "Eltwise", f"{shortcut} res{block}_branch2c", f"res{block}") + relu(f"res{block}")
        bottom = f"res{block}"
    text += pool("pool5", bottom, 15, 1, "AVE") + fc("fc10", "pool5", 10)
    return text + layer("prob", "Softmax", "fc10", "prob")


def _branch(name: str, bottom: str) -> str:
    a, b, c = (f"{name}_branch2{letter}" for letter in "abc")
    return (
        _normed(a, bottom, 8, 1, 1, 0) + relu(a)
        + _normed(b, a, 8, 3, 1, 1) + relu(b)
        + _normed(c, b, 32, 1, 1, 0)
    )  # fmt: skip


def _normed(name: str, bottom: str, filters: int, size: int, stride: int, pad: int) -> str:
    """A convolution without a bias, and behind it in place the two layers of a batch norm."""
    options = f"num_output: {filters} kernel_size: {size} stride: {stride} pad: {pad} bias_term: false"
    return (
        layer(name, "Convolution", bottom, name, f"convolution_param {{ {options} }}")
        + layer(f"bn_{name}", "BatchNorm", name, name, "batch_norm_param { use_global_stats: true }")
        + layer(f"scale_{name}", "Scale", name, name, "scale_param { bias_term: true }")
    )
