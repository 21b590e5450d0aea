"""`netspec import` refused: files that are no net, options for others, and what it never replaces."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.cli.foreign import LAYERS, PARAMS, SPEC


def test_text_of_two_bytes_a_character_is_refused(netspec: Run, pair: tuple[Path, Path]) -> None:
    pair[0].write_text(LAYERS, encoding="utf-16")
    assert netspec("import", *pair).err.startswith("error[NS102]: the byte 0xFF is not UTF-8 text\n")


@pytest.mark.parametrize("suffix", [".prototxt", ".cfg"])
def test_weights_under_the_name_of_a_text_are_refused_as_binary(netspec: Run, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"weights{suffix}"
    path.write_bytes(b"\x0a\x05small\xa2\x06\x12\x00" * 200_000)
    done = netspec("import", path)
    assert done.code == 1
    assert done.err.startswith("error[NS807]: this file is binary, and no text\n")
    assert ".caffemodel" in done.err


def test_other_texts_under_the_name_of_a_cfg_are_refused_as_what_they_are(netspec: Run, tmp_path: Path) -> None:
    path = tmp_path / "net.cfg"
    for text in ('name: "net"\nlayer { name: "conv1" type: "Convolution" }\n', SPEC):
        path.write_text(text)
        done = netspec("import", path)
        assert done.code == 1
        assert done.err.startswith("error[NS807]: no file of cuda-convnet: it has no section, such as `[conv1]`\n")
        assert ".prototxt" in done.err


@pytest.mark.parametrize("text", ["n01440764 tench, Tinca tinca\nn01443537 goldfish\n", "cat\ndog\n", "<html>\n"])
@pytest.mark.parametrize("suffix", [".txt", ".prototxt"])
def test_class_names_are_no_net_of_caffe(netspec: Run, tmp_path: Path, text: str, suffix: str) -> None:
    path = tmp_path / f"words{suffix}"
    path.write_text(text)
    done = netspec("import", path)
    assert done.code == 1
    assert done.err.startswith("error[NS807]: no file of Caffe: nothing in it is a field, such as")
    assert "class names are for `netspec build --labels`" in done.err


@pytest.mark.parametrize("text", ['name:"n" layer{name:"a"', "  layers <\n", "# a net\n\tname: 'n'", "layer\n{ }"])
def test_what_may_be_a_net_of_caffe_is_read_as_one(netspec: Run, tmp_path: Path, text: str) -> None:
    (tmp_path / "net.prototxt").write_text(text)
    assert "NS807]: no file of Caffe" not in netspec("import", tmp_path / "net.prototxt").err


def test_parameters_that_are_none(netspec: Run, pair: tuple[Path, Path], tmp_path: Path) -> None:
    layers, params = pair
    done = netspec("import", params, "--params", layers)
    assert done.code == 1
    assert done.err.startswith("error[NS807]: `--params` names a layer definition\n")
    assert "the definition comes first" in done.err
    other = tmp_path / "net.prototxt"
    other.write_text('name: "net"\n')
    done = netspec("import", layers, "--params", other)
    assert (done.code, done.err.count("error")) == (1, 1)
    assert "no file of cuda-convnet" in done.err


def test_suffixes_in_capitals(netspec: Run, pair: tuple[Path, Path], tmp_path: Path) -> None:
    paths = [path.rename(tmp_path / path.name.upper()) for path in pair]
    assert netspec("import", *paths).code == 0


def test_what_is_there_is_not_replaced_without_force(netspec: Run, pair: tuple[Path, Path], tmp_path: Path) -> None:
    out = tmp_path / "net.yaml"
    out.write_text("mine")
    done = netspec("import", *pair, "-o", out)
    assert (done.code, done.out) == (4, "")
    assert done.err == f"netspec: {out}: it exists already; choose another with --out, or add --force\n"
    assert out.read_text() == "mine"
    assert netspec("import", *pair, "-o", out, "--force").code == 0


def test_what_is_read_is_never_replaced(netspec: Run, weighted: tuple[Path, Path]) -> None:
    spec, weights = weighted
    before = weights.read_bytes()
    done = netspec("import", *weighted, "-o", weights, "--force")
    assert done.code == 4
    assert "this import reads that file" in done.err
    assert weights.read_bytes() == before
    assert spec.read_text() == SPEC


def test_weights_beside_the_spec_are_not_replaced_either(
    netspec: Run, weighted: tuple[Path, Path], tmp_path: Path
) -> None:
    (tmp_path / "net.safetensors").write_bytes(b"mine")
    done = netspec("import", *weighted, "-o", tmp_path / "net.yaml")
    assert done.code == 4
    assert not (tmp_path / "net.yaml").exists()


@pytest.mark.usefixtures("pair", "weighted")
@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("layers.cfg", "layers.cfg"), "are both a cuda-convnet layer definition"),
        (("solver.prototxt",), "name the net too: a .prototxt with layers"),
        (("solver.prototxt", "given.safetensors"), "a .prototxt with layers; name the spec too that the weights"),
        (("layers.cfg", "solver.prototxt"), "solver.prototxt`, which belongs to a Caffe net"),
        (("layers.cfg", "given.safetensors"), "given.safetensors`, which belongs to a spec"),
        (("layers.cfg", "layer-params.cfg", "small.yaml"), "these are nets of their own: name `"),
        (("layer-params.cfg",), "there is no net in cuda-convnet layer parameters alone"),
        (("layers.cfg", "small.yaml"), "make no net together"),
        (("small.yaml",), "a spec alone is no import"),
        (("given.safetensors",), "there is no net in weights alone"),
        (("empty.prototxt",), "empty.prototxt`: the file is empty"),
        (("blank.cfg",), "blank.cfg`: the file is empty"),
        (("empty.caffemodel",), "empty.caffemodel`: the file is empty"),
        (("strange.bin",), "what kind of file this is cannot be told from its name"),
    ],
)
def test_files_that_make_no_net(
    names: tuple[str, ...],
    said: str,
    netspec: Run,
    tmp_path: Path,
) -> None:
    (tmp_path / "strange.bin").write_text("x")
    (tmp_path / "blank.cfg").write_text("\n \n")
    (tmp_path / "solver.prototxt").write_text('net: "train_val.prototxt"\nbase_lr: 0.01\n')
    for name in ("empty.prototxt", "empty.caffemodel"):
        (tmp_path / name).touch()
    done = netspec("import", *(tmp_path / name for name in names))
    assert done.code == 1
    assert said in " ".join(done.err.split())
    assert done.err.startswith("error[NS")
    assert "--help" not in done.err


def test_all_missing_files_are_named_in_one_run_with_one_exit_code(netspec: Run, tmp_path: Path) -> None:
    names = ("no.cfg", "no.prototxt", "no.caffemodel", "no.binaryproto", "no.onnx", "no.pth", "no.safetensors")
    done = netspec("import", *(tmp_path / name for name in names))
    assert done.code == 1
    for name in names:
        assert f"error[NS101]: cannot read `{tmp_path / name}`: No such file or directory\n" in done.err
        assert netspec("import", tmp_path / name).code == 1
    assert done.err.count("help: check the path\n") == len(names)
    assert netspec("import", tmp_path).err.count("name a file, not a folder") == 1


def test_a_missing_spec_or_map_offers_those_that_come_with_netspec(netspec: Run, weighted: tuple[Path, Path]) -> None:
    done = netspec("import", "alexnett", weighted[1])
    assert "did you mean `alexnet`?" in done.err
    done = netspec("import", *weighted, "--map", "nosuch")
    assert done.code == 1
    assert "torchvision-alexnet, torchvision-squeezenet1_0, torchvision-vgg16" in " ".join(done.err.split())


def test_options_that_are_for_other_files_are_refused_each(
    netspec: Run, pair: tuple[Path, Path], weighted: tuple[Path, Path], tmp_path: Path
) -> None:
    options = ("--rgb", "--fold-batchnorm", "--graph", "--channels", 1, "--map", "torchvision-alexnet")
    done = netspec("import", *pair, *options, "-o", tmp_path / "net.yaml")
    assert done.code == 1
    for option in ("--rgb", "--fold-batchnorm", "--graph", "--channels", "--map"):
        assert f"error[NS807]: `{option}` is for " in done.err
        assert f"help: drop `{option}`\n" in done.err
    assert "`--graph` is for ONNX files, not for a cuda-convnet layer definition and cuda-convnet layer" in done.err
    assert not (tmp_path / "net.yaml").exists()
    refused = netspec("import", *weighted, "--size", 8, "--lenient")
    assert refused.err.count("error[NS807]") == 2


def test_what_cannot_be_said_fails_with_every_line_and_lenient_goes_on(netspec: Run, tmp_path: Path) -> None:
    layers = tmp_path / "layers.cfg"
    random = "[pool1]\ntype=pool\ninputs=conv1\nchannels=8\nsizeX=2\nstride=2\npool=rand\n\n"
    text = LAYERS.replace("[rnorm1]", f"{random}[rnorm1]").replace(
        "inputs=conv1\nchannels=8\nsize=3", "inputs=pool1\nchannels=8\nsize=3"
    )
    layers.write_text(text)
    params = tmp_path / "layer-params.cfg"
    params.write_text(PARAMS + "\n[pool1]\ndoMax=0\n")
    done = netspec("import", layers, params)
    assert done.code == 1
    assert "error[NS804]" in done.err
    assert f"{layers}:{text[: text.index('pool=rand')].count(chr(10)) + 1}:" in done.err
    lenient = netspec("import", layers, params, "--lenient")
    assert lenient.code == 0
    assert "LOST" in lenient.err
    assert "LOST" in lenient.out


def test_json_of_a_failure_is_its_diagnostics(netspec: Run, pair: tuple[Path, Path]) -> None:
    pair[0].write_text(LAYERS.replace("filters=8", "filters=many"))
    done = netspec("import", *pair, "--json")
    assert (done.code, done.err) == (1, "")
    (found,) = json.loads(done.out)
    assert (found["code"], found["file"]) == ("NS802", str(pair[0]))
    assert LAYERS.splitlines()[found["line"] - 1] == "filters=8"


@pytest.mark.parametrize("name", ["net.txt", "net", "net.onnx"])
def test_what_is_written_is_yaml_or_safetensors(name: str, netspec: Run, pair: tuple[Path, Path]) -> None:
    out = pair[0].with_name(name)
    done = netspec("import", *pair, "-o", out)
    assert done.code == 2
    assert "suffix .yaml" in done.err
    assert not out.exists()


def test_weights_alone_of_files_without_any(netspec: Run, pair: tuple[Path, Path], tmp_path: Path) -> None:
    done = netspec("import", *pair, "-o", tmp_path / "w.safetensors")
    assert done.code == 4
    assert "these files have no weights" in done.err
