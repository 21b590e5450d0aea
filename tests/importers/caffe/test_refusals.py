"""What an import refuses, with its code and place, and what it leaves out when it is asked to go on."""

from __future__ import annotations

import pytest

from netspec.diagnostics import Diagnostic, SpecError
from netspec.importers.caffe.net import CaffeOptions, read_caffe
from netspec.source import Source
from tests.importers.caffe.nets.text import conv, deploy_input, fc, layer

INPUT = 'name: "small"\n' + deploy_input(1, 3, 8, 8)
FC = fc("fc", "data", 4)


def refused(text: str, *, lenient: bool = False) -> tuple[Diagnostic, ...]:
    with pytest.raises(SpecError) as caught:
        read_caffe(Source("small.prototxt", text), CaffeOptions(lenient=lenient))
    return caught.value.diagnostics


def one(type: str, more: str = "", bottom: str = "data") -> str:
    return INPUT + FC + layer("odd", type, bottom, "odd", more)


LOST = {
    "argmax": one("ArgMax", bottom="fc"),
    "exp": one("Exp"),
    "mvn": one("MVN"),
    "python": one("Python", 'python_param { module: "m" layer: "l" }'),
    "softmax-of-maps": one("Softmax"),
    "concat-rows": INPUT + layer("odd", "Concat", "data data", "odd", "concat_param { axis: 2 }"),
    "slice-rows": INPUT + layer("odd", "Slice", "data", "a b", "slice_param { axis: 2 }"),
    "inner-product-of-rows": one("InnerProduct", "inner_product_param { num_output: 3 axis: 2 }"),
    "stochastic": one("Pooling", "pooling_param { pool: STOCHASTIC kernel_size: 2 }"),
    "window-outside": one("Pooling", "pooling_param { kernel_size: 1 stride: 4 }").replace("_dim: 8", "_dim: 7"),
    "three-axes": one("Reshape", "reshape_param { shape { dim: 0 dim: 4 dim: -1 } }"),
    "batch": one("Reshape", "reshape_param { shape { dim: 2 dim: -1 } }").replace("input_dim: 1", "input_dim: 4"),
    "volume": one("Convolution", "convolution_param { num_output: 2 kernel_size: [1, 2, 3] }"),
    "scale-of-pixels": one("Scale", "scale_param { axis: 1 num_axes: 3 }"),
    "scale-by-another": one("Scale", bottom="data fc"),
}


@pytest.mark.parametrize("name", LOST)
def test_what_the_language_has_no_way_to_say(name: str) -> None:
    (found,) = refused(LOST[name])
    assert found.code == "NS804"
    assert "--lenient" in found.help
    place = found.span.source.line(found.span.line)
    assert found.span.line >= 5, place


@pytest.mark.parametrize("name", LOST)
def test_lenient_goes_on_without_it(name: str) -> None:
    text = LOST[name] + fc("end", "a" if "Slice" in LOST[name] else "odd", 2)
    net = read_caffe(Source("small.prototxt", text), CaffeOptions(lenient=True))
    assert "odd" not in net.spec.layers
    assert [remark.layer for remark in net.remarks if remark.kind == "lost"] == ["odd"]


def test_lenient_goes_on_without_what_reads_a_layer_that_nothing_feeds() -> None:
    text = INPUT + FC + layer("free", "Parameter", "", "free", "parameter_param { shape { dim: 4 } }")
    text += layer("sum", "Eltwise", "fc free", "sum") + fc("end", "fc", 2)
    assert refused(text)[0].message == "the language has no layer like Parameter"
    net = read_caffe(Source("small.prototxt", text), CaffeOptions(lenient=True))
    assert list(net.spec.layers) == ["fc", "end"]
    assert [remark.layer for remark in net.remarks if remark.kind == "lost"] == ["free", "sum"]


def test_more_layers_than_any_net_has() -> None:
    (found,) = refused(INPUT + layer("r", "ReLU", "data", "data") * 5000)
    assert (found.code, found.span.source.name) == ("NS111", "small.prototxt")


def test_all_that_is_lost_is_listed_in_one_run() -> None:
    text = INPUT + layer("a", "MVN", "data", "a") + layer("b", "Exp", "a", "b") + layer("c", "Tile", "b", "c")
    assert [found.code for found in refused(text)] == ["NS804"] * 3


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        (one("Convolutional"), "NS806", "did you mean `Convolution`?"),
        (one("DetectionOutput"), "NS806", "no layer type"),
        (INPUT + FC + layer("odd", "ReLU", "fcc", "odd"), "NS805", "did you mean `fc`?"),
        (INPUT + FC + layer("odd", "ReLU", "data", "fc"), "NS808", "another name"),
        (INPUT + FC + layer("odd", "ReLU", "", "odd"), "NS803", "reads nothing"),
        (INPUT + 'layer { name: "odd" bottom: "data" top: "odd" }', "NS803", "no `type`"),
        (one("Convolution", "convolution_param { num_output: 2 }"), "NS803", "`kernel_size` is missing"),
        (one("Convolution", "convolution_param { kernel_size: 2 }"), "NS803", "`num_output` is missing"),
        (one("Convolution", "convolution_param { num_output: 2 kernel_h: 2 }"), "NS803", "`kernel_w` is missing"),
        (one("Convolution", "convolution_param { num_output: 2 kernel_size: 3 kernel_h: 2 }"), "NS808", "`kernel_h`"),
        (one("Convolution", "convolution_param { num_output: 2 kernel_size: 3 stride: 0 }"), "NS802", "`stride` is 0"),
        (one("Convolution", "convolution_param { num_output: 4 kernel_size: 3 group: 2 }"), "NS306", "2 groups"),
        (one("Convolution", "convolution_param { num_output: 4 kernel_size: 9 }"), "NS302", "does not fit"),
        (INPUT + FC + conv("odd", "fc", 2, 1), "NS808", "is flat"),
        (one("Pooling", "pooling_param { kernel_size: 2 pad: 2 }"), "NS802", "not smaller than the window"),
        (INPUT + layer("odd", "ReLU", "data", "a b"), "NS808", "here has 2 tops"),
        (one("ReLU", bottom="data fc"), "NS808", "here has 2 bottoms"),
        (one("LRN", "lrn_param { local_size: 4 }"), "NS802", "odd sizes"),
        (one("Dropout", "dropout_param { dropout_ratio: 1.5 }"), "NS802", "`dropout_ratio` is 1.5"),
        (one("Dropout", "dropout_param { dropout_ratio: 1 }"), "NS802", "`dropout_ratio` is 1"),
        (one("Eltwise", "eltwise_param { coeff: 1 }", "data data"), "NS802", "1 coefficient"),
        (one("Slice", "slice_param { slice_point: 1 slice_point: 2 }"), "NS802", "slice points"),
        (one("Reshape", "reshape_param { shape { dim: 0 dim: 5 dim: -1 dim: 7 } }"), "NS808", "units"),
        (one("Flatten", "flatten_param { axis: 5 }"), "NS802", "axis 5"),
        (one("Crop", "crop_param { offset: 5 }", "data data"), "NS808", "not inside"),
        (one("ReLU", "include { phase: TEST } exclude { phase: TRAIN }"), "NS808", "not both"),
        ('name: "none"', "NS804", "no layers"),
        (INPUT, "NS804", "no layers"),
        (layer("a", "DummyData", "", "a b", "dummy_data_param { shape { dim: 1 dim: 3 dim: 8 dim: 8 } }")
         + layer("sum", "Eltwise", "a b", "sum"), "NS804", "2 inputs, `a`, `b`"),
        (deploy_input(1, 3, 0, 8) + FC, "NS804", "no batch of pictures"),
        ('input: "data"\n' + FC, "NS803", "--size 32"),
    ],
)  # fmt: skip
def test_what_is_wrong(text: str, code: str, words: str) -> None:
    found = refused(text)[0]
    assert found.code == code
    assert words in f"{found.message} {found.help}"
    assert found.span.source.name == "small.prototxt"
