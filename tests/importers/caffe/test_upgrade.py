"""Nets of the older forms against the same nets in the last one, which Caffe's own upgrade tests are about too."""

from __future__ import annotations

import pytest

from netspec.diagnostics import Diagnostic, SpecError
from netspec.importers.caffe.message import Message
from netspec.importers.caffe.prototxt import read_prototxt
from netspec.importers.caffe.upgrade import upgraded
from netspec.importers.remark import Remarks
from netspec.source import Source
from tests.importers.caffe.google import plain_of_ours


def upgrade(text: str, remarks: Remarks | None = None) -> Message:
    net = read_prototxt(Source("net.prototxt", text), Remarks())
    return upgraded(net, Remarks() if remarks is None else remarks)


def refused(text: str) -> Diagnostic:
    with pytest.raises(SpecError) as caught:
        upgrade(text)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.help
    return diagnostic


def said(text: str) -> list[tuple[str, str, str]]:
    remarks = Remarks()
    upgrade(text, remarks)
    return [(remark.kind, remark.place.where.removeprefix("net.prototxt:"), remark.text) for remark in remarks.items]


def assert_same(old: str, new: str) -> None:
    """The old text is upgraded to what the new one is; the new one is left as it is."""
    now = read_prototxt(Source("net.prototxt", new), Remarks())
    assert plain_of_ours(upgrade(old)) == plain_of_ours(now)
    unchanged = Remarks()
    assert upgraded(now, unchanged) == now
    assert not unchanged.items


CONV_NOW = """layer { name: "conv1" type: "Convolution" bottom: "data" top: "conv1"
  param { lr_mult: 1 decay_mult: 1 } param { lr_mult: 2 decay_mult: 0 }
  convolution_param { num_output: 96 bias_term: true pad: 2 kernel_size: 11 group: 2 stride: 4
    weight_filler { type: "gaussian" std: 0.01 } bias_filler { type: "constant" value: 1 } } }"""


def test_a_convolution_of_the_oldest_form() -> None:
    old = """layers { layer { name: "conv1" type: "conv" num_output: 96 biasterm: true pad: 2 kernelsize: 11 group: 2
      stride: 4 weight_filler { type: "gaussian" std: 0.01 } bias_filler { type: "constant" value: 1 }
      blobs_lr: 1 blobs_lr: 2 weight_decay: 1 weight_decay: 0 } bottom: "data" top: "conv1" }"""
    assert_same(old, CONV_NOW)


def test_a_convolution_of_the_middle_form() -> None:
    old = """layers { name: "conv1" type: CONVOLUTION bottom: "data" top: "conv1"
      blobs_lr: 1 blobs_lr: 2 weight_decay: 1 weight_decay: 0
      convolution_param { num_output: 96 bias_term: true pad: 2 kernel_size: 11 group: 2 stride: 4
        weight_filler { type: "gaussian" std: 0.01 } bias_filler { type: "constant" value: 1 } } }"""
    assert_same(old, CONV_NOW)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (
            "type: 'pool' pool: AVE kernelsize: 3 stride: 2 pad: 1",
            "type: 'Pooling' pooling_param { pool: AVE kernel_size: 3 stride: 2 pad: 1 }",
        ),
        (
            "type: 'innerproduct' num_output: 10 biasterm: false weight_filler { type: 'xavier' } blobs_lr: 3",
            (
                "type: 'InnerProduct' param { lr_mult: 3 }"
                " inner_product_param { num_output: 10 bias_term: false weight_filler { type: 'xavier' } }"
            ),
        ),
        ("type: 'dropout' dropout_ratio: 0.2", "type: 'Dropout' dropout_param { dropout_ratio: 0.2 }"),
        (
            "type: 'lrn' local_size: 5 alpha: 1e-4 beta: .75 k: 2",
            "type: 'LRN' lrn_param { local_size: 5 alpha: 1e-4 beta: .75 k: 2 }",
        ),
        (
            "type: 'data' source: 'db' meanfile: 'm' scale: .5 batchsize: 8 cropsize: 9 mirror: true rand_skip: 3",
            (
                "type: 'Data' transform_param { mean_file: 'm' scale: .5 crop_size: 9 mirror: true }"
                " data_param { source: 'db' batch_size: 8 rand_skip: 3 }"
            ),
        ),
        (
            "type: 'images' source: 'list' batchsize: 8 new_height: 9 new_width: 7 shuffle_images: true rand_skip: 3",
            (
                "type: 'ImageData' image_data_param"
                " { source: 'list' batch_size: 8 new_height: 9 new_width: 7 shuffle: true rand_skip: 3 }"
            ),
        ),
        (
            (
                "type: 'window_data' source: 'w' det_fg_threshold: .5 det_bg_threshold: .4 det_fg_fraction: .3"
                " det_context_pad: 16 det_crop_mode: 'warp' batchsize: 2 mirror: true"
            ),
            (
                "type: 'WindowData' transform_param { mirror: true } window_data_param { source: 'w' fg_threshold: .5"
                " bg_threshold: .4 fg_fraction: .3 context_pad: 16 crop_mode: 'warp' batch_size: 2 }"
            ),
        ),
        (
            "type: 'hdf5_data' source: 's' batchsize: 2",
            "type: 'HDF5Data' hdf5_data_param { source: 's' batch_size: 2 }",
        ),
        (
            "type: 'hdf5_output' hdf5_output_param { file_name: 'f' }",
            "type: 'HDF5Output' hdf5_output_param { file_name: 'f' }",
        ),
        ("type: 'infogain_loss' source: 's'", "type: 'InfogainLoss' infogain_loss_param { source: 's' }"),
        ("type: 'concat' concat_dim: 1", "type: 'Concat' concat_param { concat_dim: 1 }"),
        *(
            (f"type: '{old}'", f"type: '{new}'")
            for old, new in (
                ("accuracy", "Accuracy"),
                ("bnll", "BNLL"),
                ("euclidean_loss", "EuclideanLoss"),
                ("flatten", "Flatten"),
                ("im2col", "Im2col"),
                ("multinomial_logistic_loss", "MultinomialLogisticLoss"),
                ("relu", "ReLU"),
                ("sigmoid", "Sigmoid"),
                ("softmax", "Softmax"),
                ("softmax_loss", "SoftmaxWithLoss"),
                ("split", "Split"),
                ("tanh", "TanH"),
            )
        ),
    ],
)
def test_layers_of_the_oldest_form(old: str, new: str) -> None:
    around = "bottom: 'a' top: 'b'"
    assert_same(f"layers {{ layer {{ name: 'n' {old} }} {around} }}", f"layer {{ name: 'n' {around} {new} }}")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("type: SOFTMAX_LOSS loss_weight: .3", "type: 'SoftmaxWithLoss' loss_weight: .3"),
        ("type: HDF5_DATA", "type: 'HDF5Data'"),
        ("type: RELU relu_param { negative_slope: .1 }", "type: 'ReLU' relu_param { negative_slope: .1 }"),
        (
            "type: LRN param: 'w' param: 'b' blobs_lr: 1 blob_share_mode: PERMISSIVE weight_decay: 0",
            "type: 'LRN' param { name: 'w' share_mode: PERMISSIVE lr_mult: 1 decay_mult: 0 } param { name: 'b' }",
        ),
        ("type: DATA include { phase: TRAIN }", "type: 'Data' include { phase: TRAIN }"),
        (
            "type: DATA data_param { source: 's' scale: .5 mirror: true crop_size: 9 mean_file: 'm' }",
            (
                "type: 'Data' data_param { source: 's' }"
                " transform_param { scale: .5 mirror: true crop_size: 9 mean_file: 'm' }"
            ),
        ),
        (
            "type: IMAGE_DATA image_data_param { mirror: true } transform_param { mirror: false crop_size: 3 }",
            "type: 'ImageData' image_data_param { } transform_param { mirror: false crop_size: 3 }",
        ),
        (
            "type: POOLING pooling_param { kernel_size: 2 ceil_mode: false }",
            "type: 'Pooling' pooling_param { kernel_size: 2 round_mode: FLOOR }",
        ),
        (
            "type: POOLING pooling_param { kernel_size: 2 ceil_mode: true }",
            "type: 'Pooling' pooling_param { kernel_size: 2 round_mode: CEIL }",
        ),
    ],
)
def test_layers_of_the_middle_form(old: str, new: str) -> None:
    around = "name: 'n' bottom: 'a' top: 'b'"
    assert_same(f"layers {{ {around} {old} }}", f"layer {{ {around} {new} }}")


def test_padding_layers_become_pads() -> None:
    old = """
    layers { layer { name: "pad1" type: "padding" pad: 2 } bottom: "data" top: "pad1" }
    layers { layer { name: "pad2" type: "padding" pad: 1 } bottom: "pad1" top: "pad2" }
    layers { layer { name: "c" type: "conv" pad: 4 } bottom: "pad2" top: "c" }
    layers { layer { name: "p" type: "pool" } bottom: "pad1" top: "p" }
    layers { layer { name: "x" type: "relu" } bottom: "p" top: "pad1" }
    layers { layer { name: "d" type: "conv" } bottom: "pad1" top: "d" }"""
    new = """
    layer { name: "c" type: "Convolution" bottom: "data" top: "c" convolution_param { pad: 7 } }
    layer { name: "p" type: "Pooling" bottom: "data" top: "p" pooling_param { pad: 2 } }
    layer { name: "x" type: "ReLU" bottom: "p" top: "pad1" }
    layer { name: "d" type: "Convolution" bottom: "pad1" top: "d" }"""
    assert_same(old, new)


def test_padding_before_other_layers_is_lost() -> None:
    old = """layers { layer { name: "pad1" type: "padding" pad: 2 } bottom: "data" top: "pad1" }
layers { layer { name: "r" type: "relu" } bottom: "pad1" top: "r" }"""
    (remark,) = [remark for remark in said(old) if remark[0] == "lost"]
    assert remark[1] == "2:51"
    assert "before a layer of type `relu`" in remark[2]


def test_inputs_with_sizes_become_an_input_layer() -> None:
    new = """layer { name: "input" type: "Input" top: "data"
      input_param { shape { dim: 1 dim: 3 dim: 9 dim: 7 } } } name: "n" """
    assert_same("name: 'n' input: 'data' input_dim: 1 input_dim: 3 input_dim: 9 input_dim: 7", new)
    assert_same("name: 'n' input: 'data' input_shape { dim: 1 dim: 3 dim: 9 dim: 7 }", new)


def test_several_inputs() -> None:
    new = """layer { name: "input" type: "Input" top: "a" top: "b" input_param {
      shape { dim: 1 dim: 2 dim: 3 dim: 4 } shape { dim: 5 dim: 6 dim: 7 dim: 8 } } }"""
    dims = " ".join(f"input_dim: {size}" for size in range(1, 9))
    assert_same(f"input: 'a' input: 'b' {dims}", new)


def test_an_input_without_sizes() -> None:
    assert_same("input: 'data'", "layer { name: 'input' type: 'Input' top: 'data' }")


def test_places_stay_those_of_the_text() -> None:
    net = upgrade("layers {\n layer { name: 'a' type: 'conv'\n num_output: 7 } bottom: 'x' top: 'y' }")
    (one,) = net.children("layer")
    assert one.place.where == "net.prototxt:1:1"
    assert one.child("convolution_param").place_of("num_output").where == "net.prototxt:3:14"


def test_remarks_say_what_was_read_otherwise() -> None:
    text = """input: "data" input_dim: 1 input_dim: 3 input_dim: 9 input_dim: 9
layers { layer { name: "c" type: "conv" num_output: 1 cropsize: 3 local_size: 5 } bottom: "data" top: "c" }
layers { name: "d" type: DATA top: "x" data_param { mirror: true } }
layers { name: "p" type: POOLING bottom: "x" top: "p" pooling_param { ceil_mode: true } }"""
    assert said(text) == [
        ("meaning", "2:1", "`layers` are those of an older Caffe, and read as it read them later"),
        ("dropped", "2:79", "`local_size` means nothing in a layer of type `conv`: it is left out"),
        ("meaning", "1:8", "`input` is read as an Input layer"),
        ("meaning", "3:61", "the transformations in `data_param` are read as those of `transform_param`"),
        ("meaning", "4:82", "`ceil_mode` is no field of BVLC Caffe: read as other versions have it"),
    ]


@pytest.mark.parametrize(
    ("text", "code", "where", "message"),
    [
        ("layers { } layer { }", "NS808", "1:12", "either `layer` or `layers`"),
        ("layers { layer { name: 'a' } }", "NS803", "1:10", "`type` is missing"),
        ("layers { layer { type: 'convolution' } }", "NS806", "1:24", "no Caffe has the layer type `convolution`"),
        ("layers { layer { type: 'padding' } top: 'a' }", "NS808", "1:1", "a padding layer reads one blob, not 0"),
        ("layers { layer { type: 'padding' } bottom: 'b' }", "NS803", "1:1", "`top` is missing"),
        ("input: 'a' input_dim: 1", "NS808", "1:23", "1 `input` take 4 `input_dim`, and there are 1"),
        ("input: 'a' input_shape { } input_shape { }", "NS808", "1:28", "take 1 `input_shape`, and there are 2"),
    ],
)
def test_what_is_refused(text: str, code: str, where: str, message: str) -> None:
    found = refused(text)
    assert (found.code, found.span.where) == (code, f"net.prototxt:{where}")
    assert message in found.message


@pytest.mark.parametrize("type", ["ConvolutionDepthwise", "DepthwiseConvolution"])
@pytest.mark.parametrize("group", ["", "group: 8"])
def test_depthwise_convolutions_of_forks_have_a_group_a_filter(type: str, group: str) -> None:
    text = f'layer {{ type: "{type}" convolution_param {{ num_output: 8 kernel_size: 3 {group} }} }}'
    (layer,) = upgrade(text).children("layer")
    assert layer.text("type") == "Convolution"
    assert layer.child("convolution_param").integer("group") == 8
    assert [kind for kind, _, _ in said(text)] == ["meaning"]
