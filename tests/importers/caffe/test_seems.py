"""Files that are no text of Caffe's, or that lack what they read: what is said about them."""

from __future__ import annotations

from pathlib import Path

import pytest

from netspec.diagnostics import Diagnostic, SpecError
from netspec.importers.caffe.net import CaffeOptions, read_caffe
from netspec.source import Source
from tests.importers.caffe.google import message_class
from tests.importers.caffe.nets.text import deploy_input, fc, layer

NET = deploy_input(1, 3, 8, 8) + fc("fc", "data", 2)


def refused(text: str | None, solver: str | None = None, weights: Path | None = None) -> Diagnostic:
    net = None if text is None else Source("net.prototxt", text)
    recipe = None if solver is None else Source("solver.prototxt", solver)
    with pytest.raises(SpecError) as caught:
        read_caffe(net, weights=weights, solver=recipe)
    (found,) = caught.value.diagnostics
    return found


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("", "NS801", "the file is empty"),
        (" \n\t\n", "NS801", "the file is empty"),
        ("# name: 3\n", "NS801", "only comments"),
        ("\n# a net\n[conv1]\ntype=conv\n", "NS807", "of cuda-convnet"),
        ("\x0a\x05small\xa2\x06\x12\x00", "NS807", "binary"),
    ],
)
def test_what_a_file_seems_to_be(text: str, code: str, words: str) -> None:
    assert (found := refused(text)).code == code
    assert words in found.message
    assert found.span.source.name == "net.prototxt"
    assert refused(NET, text).span.source.name == "solver.prototxt"


def test_weights_of_a_net_without_an_input_need_its_text(tmp_path: Path) -> None:
    net = message_class("NetParameter")(name="alone")
    net.layer.add(name="fc", type="InnerProduct", bottom=["data"], top=["fc"]).inner_product_param.num_output = 2
    path = tmp_path / "w.caffemodel"
    path.write_bytes(net.SerializeToString())
    found = refused(None, weights=path)
    assert found.message == "this file has no input layer"
    assert "give the .prototxt too" in found.help


def test_an_input_that_no_layer_reads_is_left_out_with_a_remark() -> None:
    text = layer("in", "Input", "", "data im_info", "input_param { shape { dim: [1, 3, 8, 8] } shape { dim: [1, 3] } }")
    net = read_caffe(Source("net.prototxt", text + fc("fc", "data", 2)))
    (remark,) = [remark for remark in net.remarks if remark.topic == "unread input"]
    assert (remark.kind, remark.text) == ("dropped", "no layer reads the input `im_info`: it is left out")


def test_channels_that_no_file_says_can_be_given() -> None:
    text = layer("data", "Data", "", "data", "transform_param { crop_size: 8 }") + fc("fc", "data", 2)
    (remark,) = [one for one in read_caffe(Source("net.prototxt", text)).remarks if one.topic == "channels"]
    assert "`--channels 1`" in remark.text


def test_a_data_layer_in_python_is_named_where_it_is_all_that_the_net_reads() -> None:
    text = layer("data", "Python", "", "data label", 'python_param { module: "m" layer: "l" }') + fc("fc", "data", 2)
    found = refused(text + layer("loss", "SoftmaxWithLoss", "fc label", "loss"))
    assert (found.code, found.span.line) == ("NS804", 1)
    assert "its Python layer" in found.message
    assert "Input layer" in found.help
    assert refused(fc("fc", "", 2)).code in ("NS803", "NS804")


def test_sizes_of_numbers_without_a_place_can_be_given() -> None:
    text = layer("data", "HDF5Data", "", "data", 'hdf5_data_param { source: "s" }') + fc("fc", "data", 2)
    assert "--size 1 --channels 4" in refused(text).help
    net = read_caffe(Source("net.prototxt", text), CaffeOptions(size=1, channels=4))
    assert net.spec.input.shape.dims == (4, 1, 1)
