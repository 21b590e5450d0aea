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


def test_all_that_is_wrong_is_said_in_one_run() -> None:
    text = (
        INPUT
        + layer("conv", "Convolution", "data", "conv", 'convolution_param { num_ouput: 2 kernel_size: 3 stride: "2" }')
        + layer("pool", "Pooling", "conv", "pool", "pooling_param { pool: MAXX kernel_size: 20 }")
        + layer("other", "Pooling", "data", "other", "pooling_param { pool: AVG kernel_size: [2, x] stride: -2 }")
        + layer("act", "Relu", "data", "act")
        + fc("fc1", "dta", 2)
        + fc("fc2", "fc1", 2).replace('"fc2"', "fc2")
        + layer("norm", "LRN", "data", "norm", "lrn_param { local_size: 4 }")
        + layer("exp", "Exp", "data", "exp")
        + layer("below", "LRN", "exp", "below", "lrn_param { local_size: 2 }")
    )
    found = refused(text)
    assert [(one.span.line - 5, one.code, one.message.split(",")[0]) for one in found] == [
        (3, "NS804", "`num_ouput` is no field of Caffe's ConvolutionParameter; did you mean `num_output`?"),
        (3, "NS802", "`stride` is a whole number from 0 on"),
        (7, "NS802", "`pool` is one of MAX"),
        (11, "NS802", "`pool` is one of MAX"),
        (11, "NS802", "`kernel_size` is a whole number from 0 on"),
        (11, "NS802", "`stride` is at least 0"),
        (14, "NS806", "Caffe has no layer type `Relu`"),
        (18, "NS805", "no layer above makes the blob `dta`"),
        (23, "NS802", "`name` is text in quotes"),
        (23, "NS802", "`top` is text in quotes"),
        (29, "NS802", "`local_size` is 4"),
        (32, "NS804", "the language has no layer like Exp"),
    ]


def test_values_that_are_wrong_stop_only_what_reads_them() -> None:
    (found,) = refused(one("Convolution", "convolution_param { num_output: -inf kernel_size: 3 }") + fc("e", "odd", 0))
    assert found.code == "NS802"
    for more in ("convolution_param: 3", "name { a: 1 }", "convolution_param { pad { a: [1] } num_output: 1 }"):
        assert "NS802" in {found.code for found in refused(one("Convolution", more))}, more


def test_what_is_wrong_before_the_text_breaks_off_is_said_too() -> None:
    text = one("Pooling", "pooling_param { pool: MAXX") + "layer {"
    assert [found.code for found in refused(text)] == ["NS802", "NS801"]


def test_no_more_than_twenty() -> None:
    text = INPUT + "".join(layer(f"p{n}", "Pooling", "data", f"p{n}", "pooling_param { pool: M }") for n in range(15))
    text += "".join(layer(f"q{n}", "Poolin", "data", f"q{n}") for n in range(15))
    found = refused(text)
    assert len(found) == 21
    assert "NS112" in {one.code for one in found}


@pytest.mark.parametrize(
    ("type", "help"),
    [
        ("Convolutional", "did you mean `Convolution`?"),
        ("Relu", "did you mean `ReLU`?"),
        ("Dropuot", "did you mean `Dropout`?"),
        ("INNER_PRODUCT", "did you mean `InnerProduct`?"),
        ("ROIPooling", "`--lenient` leaves it out"),
        ("ReLU6", "`--lenient` leaves it out"),
        ("Convolution3D", "`--lenient` leaves it out"),
        ("CReLU", "`--lenient` leaves it out"),
        ("Interp", "`--lenient` leaves it out"),
        ("Permute", "`--lenient` leaves it out"),
    ],
)
def test_a_type_is_suggested_for_a_slip_only(type: str, help: str) -> None:
    (found,) = refused(one(type))
    assert found.code == "NS806"
    assert help in found.help
    assert ("did you mean" in found.help) == ("did you mean" in help)


def test_lenient_leaves_out_layers_of_unknown_types() -> None:
    text = INPUT + layer("grow", "Interp", "data", "grow") + fc("fc", "grow", 4)
    text += layer("rois", "ROIPooling", "grow fc", "rois") + layer("box", "DetectionOutput", "rois fc", "box more")
    net = read_caffe(Source("small.prototxt", text), CaffeOptions(lenient=True))
    assert {name: layer.inputs for name, layer in net.spec.layers.items()} == {"fc": ("data",)}
    assert [(remark.layer, remark.kind) for remark in net.remarks if remark.topic == "unknown layer"] == [
        ("rois", "lost"),
        ("box", "lost"),
        ("grow", "lost"),
    ]
    net = read_caffe(
        Source(
            "small.prototxt", INPUT + FC + layer("up", "Interp", "fc", "up") + layer("l", "SoftmaxWithLoss", "up", "")
        ),
        CaffeOptions(lenient=True),
    )
    assert list(net.spec.layers) == ["fc", "prob"]
    (found,) = refused(text + fc("end", "rois", 2), lenient=True)
    assert (found.code, found.message) == ("NS806", "Caffe has no layer type `ROIPooling`")
    assert "where no other layer needs it" in found.help
