"""The text format: what may be written in many ways, what is refused, where and with which fix. It upgrades nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from netspec.diagnostics import Diagnostic, SpecError
from netspec.importers.caffe.message import Message
from netspec.importers.caffe.prototxt import LARGEST, MOST_FIELDS, is_solver, read_prototxt
from netspec.importers.remark import Remarks
from netspec.source import Source


def read(text: str, type: str = "NetParameter") -> Message:
    remarks = Remarks()
    message = read_prototxt(Source("net.prototxt", text), remarks, type)
    assert not remarks.items
    return message


def layer(text: str) -> Message:
    return read(f"layer {{ {text} }}").child("layer")


def refused(text: str, type: str = "NetParameter") -> Diagnostic:
    with pytest.raises(SpecError) as caught:
        read_prototxt(Source("net.prototxt", text), Remarks(), type)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.help
    return diagnostic


@pytest.mark.parametrize(
    "text",
    [
        "convolution_param { pad: 1 pad: 2 }",
        "convolution_param: { pad: 1 pad: 2 }",
        "convolution_param < pad: 1, pad: 2; >",
        "convolution_param: <pad:[1,2]>",
        "convolution_param{pad:1;pad:2}",
        "convolution_param { pad: [1] # } not the end\n pad: 0x2 }",
        "convolution_param { pad: [ ] pad: 01\tpad\r\n:\v002 }",
    ],
)
def test_lists_braces_and_separators_in_all_forms(text: str) -> None:
    assert layer(text).child("convolution_param").integers("pad") == (1, 2)


def test_lists_of_messages() -> None:
    net = read('layer [ { name: "a" }, < name: "b" > ] layer: [] layer: [{ name: "c" }]')
    assert [one.text("name") for one in net.children("layer")] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ('"plain"', "plain"),
        ("'it''s'", "its"),
        ("'a' \"b\"\n# between\n 'c'", "abc"),
        (r"'\n\t\\\'\"\a\?'", "\n\t\\'\"\a?"),
        (r"'\101\x42\x4a\7'", "ABJ\a"),
        (r"'\303\251 \u00e9 \U0001F600 é'", "é é 😀 é"),
        (r"'\377'", "\\xff"),
        ("'# no comment'", "# no comment"),
    ],
)
def test_texts(written: str, text: str) -> None:
    assert layer(f"name: {written}").text("name") == text


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("1", 1),
        ("1.", 1),
        (".5", 0.5),
        ("-2.5e-3", -0.0025),
        ("1E+2", 100),
        ("3f", 3),
        ("1.5F", 1.5),
        ("- 1", -1),
        ("0", 0),
    ],
)
def test_numbers_with_a_point(written: str, number: float) -> None:
    assert layer(f"loss_weight: {written}").numbers("loss_weight") == (number,)


@pytest.mark.parametrize(
    ("written", "number"), [("10", 10), ("010", 8), ("0x1F", 31), ("-7", -7), ("-0", 0), ("2147483647", 2147483647)]
)
def test_whole_numbers(written: str, number: int) -> None:
    assert read(f"input_dim: {written}").integers("input_dim") == (number,)


@pytest.mark.parametrize(
    ("written", "flag"), [("true", True), ("t", True), ("1", True), ("False", False), ("0", False)]
)
def test_flags(written: str, flag: bool) -> None:
    assert read(f"force_backward: {written}").flag("force_backward") is flag


def test_words_of_enums_by_name_or_number() -> None:
    assert layer("pooling_param { pool: AVE }").child("pooling_param").word("pool") == "AVE"
    assert layer("pooling_param { pool: 1 }").child("pooling_param").word("pool") == "AVE"


def test_places_are_those_in_the_text() -> None:
    net = read('name: "n"\nlayer {\n  name: "a" type: "Re" "LU"\n  top: [ "x", "y" ]\n}\n')
    one = net.children("layer")[0]
    assert one.place.where == "net.prototxt:2:1"
    assert one.place.text == "layer"
    assert one.place_of("name").where == "net.prototxt:3:9"
    assert one.place_of("type").text == '"Re" "LU"'
    assert [field.place.where for field in one.all("top")] == ["net.prototxt:4:10", "net.prototxt:4:15"]
    assert one.place_of("bottom") == one.place


def test_blobs_as_text() -> None:
    (blob,) = layer("blobs { shape { dim: 2 dim: 2 } data: [1, 2, 3] data: 4 diff: 7 }").blobs()
    assert blob.data.tolist() == [[1, 2], [3, 4]]
    (old,) = layer("blobs { num: 1 channels: 1 height: 1 width: 2 double_data: [.5, 2] }").blobs()
    assert (old.shape, old.legacy, old.data.ravel().tolist()) == ((1, 1, 1, 2), True, [0.5, 2])


@pytest.mark.parametrize(
    ("text", "code", "where", "message", "help"),
    [
        ("layer {\n name: 'a'", "NS801", "1:1", "`}` is missing", "add"),
        ("layer < name: 'a' }", "NS801", "1:19", "where a field's name is expected", "close"),
        ("}", "NS801", "1:1", "closes nothing", "remove"),
        ("layer { name: 'a }", "NS801", "1:15", "not closed on its line", "add `'`"),
        (r"name: 'a\q'", "NS801", "1:7", r"`\q` is no escape", "backslash"),
        (r"name: '\400'", "NS801", "1:7", r"`\400` is no escape", "backslash"),
        (r"name: '\ud800'", "NS801", "1:7", "is no escape", "backslash"),
        ("name 'a'", "NS801", "1:5", "`:` expected behind `name`", "add"),
        ("nombre 'a'", "NS801", "1:7", "expected behind this name", "add"),
        ("nombre: }", "NS801", "1:10", "a value is missing", "add"),
        ("nombre { a: 1", "NS801", "1:8", "never closed", "close"),
        ("'name': 1", "NS801", "1:1", "where a field's name is expected", "write"),
        ("name: 'a' &", "NS801", "1:11", "means nothing", "remove"),
        ("input_dim: [1 2]", "NS801", "1:15", "in a list", "`,`"),
        ("input_dim: [1,]", "NS802", "1:15", "`input_dim` is a whole number, not `]`", "write"),
        ("layer: 3", "NS802", "1:8", "`layer` is a message in braces, not `3`", "write"),
        ("name: { }", "NS802", "1:7", "`name` is text in quotes, not a message", "write"),
        ("name { }", "NS802", "1:6", "`name` is text in quotes, not a message", "write"),
        ("name: ['a']", "NS802", "1:7", "`name` is text in quotes, not a list", "write"),
        ("name: AlexNet", "NS802", "1:7", "`name` is text in quotes, not `AlexNet`", '`"AlexNet"`'),
        ("layer { type: SOFTMAX_LOSS }", "NS802", "1:15", "`type` is text", '`"SoftmaxWithLoss"`'),
        ("layers { type: 'POOLING' }", "NS802", "1:16", "a word in capitals, not `'POOLING'`", "`POOLING`"),
        ("layers { type: 'SoftmaxWithLoss' }", "NS802", "1:16", "a word in capitals", "`SOFTMAX_LOSS`"),
        ("state { phase: test }", "NS802", "1:16", "`phase` is one of TRAIN, TEST, not `test`", "`TEST`"),
        ("state { phase: 7 }", "NS802", "1:16", "not `7`", "TRAIN"),
        ("input_dim: 1.5", "NS802", "1:12", "a whole number, not `1.5`", "write"),
        ("input_dim: 08", "NS802", "1:12", "a whole number, not `08`", "write"),
        ("input_dim: 2147483648", "NS802", "1:12", "at most 2,147,483,647", "write"),
        ("layer { convolution_param { group: -1 } }", "NS802", "1:36", "`group` is at least 0", "write"),
        ("layer { loss_weight: 0x10 }", "NS802", "1:22", "a number, not `0x10`", "decimal"),
        ("layer { loss_weight: -inf }", "NS802", "1:22", "not finite", "finite"),
        ("layer { loss_weight: NaN }", "NS802", "1:22", "not finite", "finite"),
        ("layer { loss_weight: 1e39 }", "NS802", "1:22", "not finite", "finite"),
        ("force_backward: yes", "NS802", "1:17", "true or false, not `yes`", "`true`"),
        ("name: 'a'\nname: 'b'", "NS808", "2:7", "`name` stands twice", "remove"),
        ("layer { pooling_param { } pooling_param { } }", "NS808", "1:27", "`pooling_param` stands twice", "remove"),
        (
            "layer { blobs { shape { dim: 3 } data: 1 } }",
            "NS808",
            "1:9",
            "a blob of 3 has 3 numbers, and 1 are there",
            "mend",
        ),
        ("layer { blobs { num: -1 data: 1 } }", "NS808", "1:9", "no blob has", "mend"),
    ],
)
def test_what_is_refused(text: str, code: str, where: str, message: str, help: str) -> None:
    found = refused(text)
    assert (found.code, found.span.where) == (code, f"net.prototxt:{where}")
    assert message in found.message
    assert help in found.help


@pytest.mark.slow
def test_long_things_are_refused_at_once() -> None:
    assert f"{LARGEST + 1:,} characters" in refused(" " * (LARGEST + 1)).message
    assert f"more than {MOST_FIELDS:,}" in refused("input:''" * (MOST_FIELDS + 1)).message
    assert f"more than {MOST_FIELDS:,}" in refused(f"input_dim: [{'1,' * (MOST_FIELDS + 1)}1]").message
    assert "a whole number" in refused(f"input_dim: {'9' * 100_000}").message
    assert "names that Caffe does not have" in refused("".join(f"strange{n}: 1 " for n in range(100))).message


def test_unknown_messages_may_nest_as_deep_as_they_like() -> None:
    remarks = Remarks()
    read_prototxt(Source("net.prototxt", "a {" * 50_000 + "}" * 50_000), remarks)
    assert len(remarks.items) == 1


def test_fields_that_caffe_does_not_have() -> None:
    text = "layer { kernal: 3 } layer { convolution_param { strid: 2 strid: 3 } top_n { a: [1, {}] b: 'x' 'y' } }"
    remarks = Remarks()
    net = read_prototxt(Source("net.prototxt", f"{text} [ext.of/x]: -3.5"), remarks)
    said = [(remark.kind, remark.place.where, remark.text) for remark in remarks.items]
    assert said == [
        ("meaning", "net.prototxt:1:9", "`kernal` is no field of Caffe's LayerParameter: it is left out"),
        ("lost", "net.prototxt:1:49", "`strid` is no field of Caffe's ConvolutionParameter; did you mean `stride`?"),
        ("meaning", "net.prototxt:1:69", "`top_n` is no field of Caffe's LayerParameter: it is left out"),
        ("meaning", "net.prototxt:1:103", "`[ext.of/x]` is no field of Caffe's NetParameter: it is left out"),
    ]
    assert len(net.children("layer")) == 2
    of_solver = Remarks()
    read_prototxt(Source("solver.prototxt", "stagelr: 0.1"), of_solver, "SolverParameter")
    assert [remark.kind for remark in of_solver.items] == ["dropped"]


@pytest.mark.parametrize(
    ("written", "suggested"),
    [
        ("covolution_param", "convolution_param"),
        ("poolng_param", "pooling_param"),
        ("bn_param", ""),
        ("norm_param", ""),
        ("permute_param", ""),
        ("roi_pooling_param", ""),
        ("interp_param", ""),
        ("relu6_param", ""),
    ],
)
def test_parameters_of_types_that_forks_have_are_no_slips(written: str, suggested: str) -> None:
    remarks = Remarks()
    read_prototxt(Source("net.prototxt", f"layer {{ {written} {{ a: 1 }} }}"), remarks)
    (remark,) = remarks.items
    assert remark.kind == ("lost" if suggested else "meaning")
    assert (f"did you mean `{suggested}`" in remark.text) == bool(suggested)


def test_solvers_are_told_from_nets(shared: Path) -> None:
    net = (shared / "data" / "squeezenet-1.0" / "deploy.prototxt").read_text()
    assert not is_solver(Source("deploy.prototxt", net))
    assert is_solver(Source("solver.prototxt", '# a net: "no"\nnet: "a.prototxt"\nbase_lr: 0.1'))
    assert is_solver(Source("solver.prototxt", 'unknown { input: "x" } debug_info: true momentum: .9'))
    assert not is_solver(Source("broken.prototxt", '"'))


def test_the_squeezenet_file(shared: Path) -> None:
    net = read((shared / "data" / "squeezenet-1.0" / "deploy.prototxt").read_text())
    layers = net.children("layer")
    assert (net.text("name"), net.integers("input_dim"), len(layers)) == ("FireNet", (1, 3, 227, 227), 65)
    assert layers[0].child("convolution_param").integers("kernel_size") == (7,)
    assert layers[-1].text("type") == "Pooling"
