"""How the layers of Caffe nets start and learn: fillers, rates, decay. The layers themselves are tested elsewhere."""

from __future__ import annotations

import pytest

from netspec.pipeline import compile_spec
from tests.importers.caffe.nets.text import layer
from tests.importers.caffe.test_reading import INPUT, layers, read, written


@pytest.mark.parametrize(
    ("filler", "wanted"),
    [
        ("", "0.01"),
        ("weight_filler { }", "constant[0.0]"),
        ('weight_filler { type: "gaussian" std: 0.05 }', "0.05"),
        ('weight_filler { type: "constant" value: 2 }', "constant[2.0]"),
        ('weight_filler { type: "uniform" min: -0.5 max: 0.5 }', "uniform[0.5]"),
        ('weight_filler { type: "xavier" }', f"uniform[{(3 / 27) ** 0.5!r}]"),
        ('weight_filler { type: "xavier" variance_norm: FAN_OUT }', f"uniform[{(3 / 36) ** 0.5!r}]"),
        ('weight_filler { type: "xavier" variance_norm: AVERAGE }', f"uniform[{(3 / 31.5) ** 0.5!r}]"),
        ('weight_filler { type: "msra" }', "he"),
        ('weight_filler { type: "msra" variance_norm: FAN_OUT }', f"{(2 / 36) ** 0.5!r}"),
        ('weight_filler { type: "positive_unitball" }', "0.01"),
    ],
)
def test_fillers(filler: str, wanted: str) -> None:
    """The fan-in of a 3 x 3 kernel over 3 channels is 27, its fan-out with 4 filters 36."""
    options = f"convolution_param {{ num_output: 4 kernel_size: 3 {filler} }}"
    net = read(INPUT + layer("conv", "Convolution", "data", "conv", options))
    (found,) = layers(net).values()
    (weight, _) = compile_spec(net.spec).typed.parameters
    assert getattr(found, "init_w", None) == weight.parameter.init
    assert str(weight.parameter.init) == wanted


def test_a_deconvolution_that_starts_as_interpolation() -> None:
    options = (
        'num_output: 3 group: 3 kernel_size: 4 stride: 2 pad: 1 bias_term: false weight_filler { type: "bilinear" }'
    )
    text = INPUT + layer("up", "Deconvolution", "data", "up", f"convolution_param {{ {options} }}")
    net = read(text)
    assert "init_w: bilinear" in written(net)["up"]
    assert compile_spec(net.spec).typed.shape("up").dims == (3, 16, 16)


def test_rates_and_decay() -> None:
    text = INPUT + layer(
        "fc",
        "InnerProduct",
        "data",
        "fc",
        "param { lr_mult: 10 decay_mult: 2 } param { lr_mult: 20 } inner_product_param { num_output: 2 }",
    )
    net = read(text)
    assert "lr_w: 10, lr_b: 20, decay: 0.001" in written(net)["fc"]
    decays = [remark.text for remark in net.remarks if remark.topic == "decay"]
    assert len(decays) == 2
    assert "`fc`" in decays[1]


def test_a_scale_with_rates_stays_apart_from_its_batch_norm() -> None:
    """A batchnorm has none of its own, and nets that are tuned further often freeze its numbers."""
    options = "scale_param { bias_term: true } param { lr_mult: 0 } param { lr_mult: 0 }"
    net = read(INPUT + layer("norm", "BatchNorm", "data", "norm") + layer("scale", "Scale", "norm", "norm", options))
    assert "affine: false" in written(net)["norm"]
    assert written(net)["scale"] == "{type: affine, inputs: norm, lr_w: 0, lr_b: 0}"
