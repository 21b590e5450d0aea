"""`netspec import` as a user meets it: what it prints and writes, what it never replaces, how it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from netspec.pipeline import compile_file
from tests.cli.conftest import Run

LAYERS = """# a comment
[data]
type=data
dataIdx=0

[labels]
type=data
dataIdx=1

[conv1]
type=conv
inputs=data
channels=3
filters=8
padding=1
filterSize=3
initW=0.01
partialSum=1
neuron=relu
gpu=0

[rnorm1]
type=cmrnorm
inputs=conv1
channels=8
size=3

[fc10]
type=fc
inputs=rnorm1
outputs=10
initW=0.1

[probs]
type=softmax
inputs=fc10

[logprob]
type=cost.logreg
inputs=labels,probs
gpu=0
"""
RATES = "epsW=0.001\nepsB=0.002\nmomW=0.9\nmomB=0.9\nwc=0.004\n"
PARAMS = f"[conv1]\n{RATES}\n[fc10]\n{RATES}\n[rnorm1]\nscale=0.001\npow=0.75\n\n[logprob]\ncoeff=1\n"
SPEC = """netspec: 1
name: small
input: {size: 4}
layers:
  fc1: {type: fc, inputs: data, outputs: 3}
"""


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    layers, params = tmp_path / "layers.cfg", tmp_path / "layer-params.cfg"
    layers.write_text(LAYERS)
    params.write_text(PARAMS)
    return layers, params


@pytest.fixture
def weighted(tmp_path: Path) -> tuple[Path, Path]:
    """A spec, and weights for it in a file."""
    spec, weights = tmp_path / "small.yaml", tmp_path / "given.safetensors"
    spec.write_text(SPEC)
    arrays = {"fc1.weight": np.ones((3, 48), np.float32), "fc1.bias": np.zeros(3, np.float32)}
    save_file(arrays, weights)
    return spec, weights


def test_without_out_the_spec_is_printed_and_the_report_beside_it(netspec: Run, pair: tuple[Path, Path]) -> None:
    done = netspec("import", *pair)
    assert done.code == 0
    assert "\nnetspec: 1\n" in done.out
    assert "  conv1:" in done.out
    assert done.err.startswith("how it was read:\n")
    assert "(layer-params.cfg:" in done.err, "no place in the parameter file"


def test_out_writes_the_spec_with_the_report_at_its_head(netspec: Run, pair: tuple[Path, Path], tmp_path: Path) -> None:
    out = tmp_path / "net.yaml"
    done = netspec("import", pair[0], "--params", pair[1], "-o", out)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("layers: 4 layers, 82,")
    assert done.out.endswith(f"wrote {out}\nnext: netspec build {out}\n")
    assert out.read_text().startswith("# Imported by netspec from ")
    assert "`scale` is divided by the size" in out.read_text()
    assert netspec("validate", out).code == 0


def test_the_order_of_the_two_files_does_not_matter(netspec: Run, pair: tuple[Path, Path]) -> None:
    printed = netspec("import", *pair).out
    assert printed.startswith("# Imported by netspec from layers.cfg, layer-params.cfg.\n")
    assert netspec("import", *reversed(pair)).out == printed


def test_files_of_one_name_are_told_with_their_folders(netspec: Run, tmp_path: Path) -> None:
    files = [tmp_path / folder / "net.cfg" for folder in ("layers", "params")]
    for file, text in zip(files, (LAYERS, PARAMS), strict=True):
        file.parent.mkdir()
        file.write_text(text)
    assert f"({files[1]}:" in netspec("import", *files).err


@pytest.mark.parametrize("comment", [b"# Andr\xe9 \xad \x81 \x93net\x94", b"\xef\xbb\xbf# Andr\xe9"])
def test_comments_from_before_utf_8(netspec: Run, pair: tuple[Path, Path], comment: bytes) -> None:
    for file in pair:
        file.write_bytes(comment + b"\r\n" + file.read_bytes().replace(b"\n", b"\r\n"))
    done = netspec("import", *pair)
    assert done.code == 0, done.err
    assert done.out.count("{type: ") == 4


def test_text_of_two_bytes_a_character_is_refused(netspec: Run, pair: tuple[Path, Path]) -> None:
    pair[0].write_text(LAYERS, encoding="utf-16")
    assert netspec("import", *pair).err.startswith("error[NS102]: the byte 0xFF is not UTF-8 text\n")


def test_json_has_each_layer_and_each_decision_with_its_line(
    netspec: Run, pair: tuple[Path, Path], tmp_path: Path
) -> None:
    out = tmp_path / "net.yaml"
    document = json.loads(netspec("import", *pair, "-o", out, "--json").out)
    assert document["wrote"] == [str(out)]
    found = {layer["name"]: (layer["type"], layer["layer"], layer["line"]) for layer in document["layers"]}
    assert found["rnorm1"] == ("cmrnorm", "rnorm1", 22)
    assert found["data"][1] == "data"
    assert found["labels"][1] is None
    alpha = next(remark for remark in document["remarks"] if remark["topic"] == "alpha")
    assert (alpha["kind"], alpha["layer"], alpha["file"]) == ("meaning", "rnorm1", str(pair[1]))
    assert pair[1].read_text().splitlines()[alpha["line"] - 1] == "scale=0.001"


def test_size_says_what_the_files_do_not(netspec: Run, pair: tuple[Path, Path], tmp_path: Path) -> None:
    out = tmp_path / "net.yaml"
    assert netspec("import", *pair, "-o", out, "--size", 24, "--name", "cifar").code == 0
    compiled = compile_file(out)
    assert compiled.typed.shape("conv1").dims == (8, 24, 24)
    assert compiled.spec.name == "cifar"


def test_weights_of_a_file_go_beside_the_spec_or_alone(
    netspec: Run, weighted: tuple[Path, Path], tmp_path: Path
) -> None:
    both, alone = tmp_path / "both.yaml", tmp_path / "alone.safetensors"
    assert "both.yaml, " in netspec("import", *weighted, "-o", both).out
    done = netspec("import", *weighted, "-o", alone)
    assert done.out.endswith(f"wrote {alone}\nnext: netspec build {weighted[0]} --weights {alone}\n")
    assert load_file(alone).keys() == load_file(both.with_suffix(".safetensors")).keys() == {"fc1.weight", "fc1.bias"}
    assert (load_file(alone)["fc1.weight"] == 1).all()


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
        (("layer-params.cfg",), "there is no net in cuda-convnet layer parameters alone"),
        (("layers.cfg", "small.yaml"), "make no net together"),
        (("small.yaml",), "a spec alone is no import"),
        (("given.safetensors",), "there is no net in weights alone"),
        (("missing.cfg",), "cannot read `"),
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
    done = netspec("import", *(tmp_path / name for name in names))
    assert done.code == 1
    assert said in done.err
    assert done.err.startswith("error[NS")


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


def test_json_needs_out(netspec: Run, pair: tuple[Path, Path]) -> None:
    assert netspec("import", *pair, "--json").code == 2


def test_weights_alone_of_files_without_any(netspec: Run, pair: tuple[Path, Path], tmp_path: Path) -> None:
    done = netspec("import", *pair, "-o", tmp_path / "w.safetensors")
    assert done.code == 4
    assert "these files have no weights" in done.err
