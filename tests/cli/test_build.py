"""`netspec build` as a user meets it: what it prints, the graph after each stage, and how it fails."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from safetensors.numpy import save_file

from netspec.backends.torch import emit_module
from netspec.output import MANIFEST
from netspec.proof import prove
from netspec_runtime.data.shapes import prepare_shapes
from netspec_runtime.weights import map_weights
from tests.build.nets import ONE, TWO, compiled, random_weights
from tests.cli.conftest import Run

SMALL = """\
netspec: 1
name: small
input: {channels: 2, size: 6}
layers:
  fc: {type: fc, inputs: [conv, data], outputs: 4, gpu: 1, neuron: tanh}
  conv: {type: conv, inputs: data, filters: 4, size: 3, gpu: [0, 1], neuron: relu}
"""
STAGES = {
    "build": """\
graph small (data: 2x6x6)
  conv = conv(data) relu
  fc = fc(conv, data) tanh[1.0, 1.0]
  return fc
""",
    "infer": """\
typed graph small (data: 2x6x6)
  conv: 4x4x4 = conv(data) relu  # conv.weight[4x2x3x3] conv.bias[4]; 1,152 multiply-adds
  fc: 4 = fc(conv, data) tanh[1.0, 1.0]  # fc.0.weight[4x64] fc.0.bias[4] fc.1.weight[4x72]; 544 multiply-adds
  return fc
  # 624 parameters, 1,696 multiply-adds, 68 units
""",
    "place": """\
placed graph small on gpu 0, 1
  data_on0: 2x6x6 @0 = input
  data_on1: 2x6x6 @1 = input
  conv_0: 2x4x4 @0 = conv(data_on0) relu  # conv.weight[0:2] conv.bias[0:2]
  conv_1: 2x4x4 @1 = conv(data_on1) relu  # conv.weight[2:4] conv.bias[2:4]
  conv_0_to1: 2x4x4 @1 = transfer conv_0  # 32 floats
  conv_on1: 4x4x4 @1 = join conv_0_to1, conv_1
  fc: 4 @1 = fc(conv_on1, data_on1) tanh[1.0, 1.0]  # fc.0.weight[0:4] fc.0.bias[0:4] fc.1.weight[0:4]
  return fc
  # 32 floats an image cross between devices
""",
}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in {"one": ONE, "two": TWO, "small": SMALL}.items():
        (tmp_path / f"{name}.yaml").write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("stage", STAGES)
def test_the_graph_after_a_stage(stage: str, netspec: Run, here: Path) -> None:
    done = netspec("build", "small.yaml", "--dump-after", stage)
    assert (done.code, done.out, done.err) == (0, STAGES[stage], "")
    assert not (here / "build").exists()


def test_it_writes_proves_and_says_what_next(netspec: Run, here: Path) -> None:
    done = netspec("build", "two.yaml", "--split")
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[-3].startswith("proof: 9 layers equal in torch and onnxruntime on 6 inputs; largest difference ")
    assert lines[-2] == (
        "wrote two.yaml, two.py, two.onnx, two.gpu0.onnx, two.gpu1.onnx, parity.json, graph.svg, report.html"
        " in build/two/"
    )
    assert lines[-1] == "next: netspec infer --onnx build/two/two.onnx IMAGE"
    written = {path.name for path in (here / "build" / "two").iterdir()}
    assert written == {*lines[-2].removeprefix("wrote ").removesuffix(" in build/two/").split(", "), MANIFEST}
    assert json.loads((here / "build" / "two" / "parity.json").read_text())["holds"] is True


def test_what_it_wrote_builds_again_to_the_same(netspec: Run, here: Path) -> None:
    """The spec in the folder is the whole spec: defaults and overrides are in it."""
    netspec("build", "two.yaml", "--no-check", "--set", "layers.conv1.filters=16", "--set", "seed=7")
    done = netspec("build", "build/two/two.yaml", "--no-check", "--out", "again")
    assert done.code == 0
    assert "proof: skipped (--no-check)" in done.out
    for name in ("two.yaml", "two.onnx", "two.py"):
        assert (here / "again" / name).read_bytes() == (here / "build" / "two" / name).read_bytes()


def test_a_failed_proof_is_exit_1(netspec: Run, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(*arguments: object, **options: object) -> str:
        source = emit_module(*arguments, **options)  # type: ignore[arg-type]
        return source.replace("F.relu(self.conv3(", "torch.abs(self.conv3(")

    monkeypatch.setattr(prove, "emit_module", wrong)
    done = netspec("build", "two.yaml")
    assert done.code == 1
    assert "the proof FAILS: `conv3` is the first layer where onnxruntime differs, by " in done.out
    assert "next:" not in done.out
    document = json.loads((here / "build" / "two" / "parity.json").read_text())
    assert (document["holds"], document["first_bad"]) == (False, "conv3")


def test_a_failed_ledger_is_exit_1(netspec: Run) -> None:
    done = netspec("build", "one.yaml", "--no-check", "--against", "paper")
    assert done.code == 1
    assert "FAILS" in done.out


@pytest.mark.parametrize("lrn", ["native", "fast", "auto"])
def test_either_form_of_lrn_is_proven(lrn: str, netspec: Run) -> None:
    assert netspec("build", "one.yaml", "--lrn", lrn).code == 0


def test_weights_of_a_file(netspec: Run, here: Path) -> None:
    weights = random_weights(compiled(TWO))
    save_file(weights, here / "w.safetensors")
    assert netspec("build", "two.yaml", "--no-check", "--weights", "w.safetensors").code == 0
    stored = map_weights(here / "build" / "two" / "two.onnx")
    assert {n: stored[n].tobytes() for n in weights} == {n: array.tobytes() for n, array in weights.items()}


def test_how_to_get_weights_out_of_other_files_is_said(netspec: Run, here: Path) -> None:
    assert netspec("build", "two.yaml", "--no-check", "-o", "a b").code == 0
    done = netspec("build", "two.yaml", "--no-check", "--weights", "a b/two.onnx")
    fix = "netspec import 'a b/two.onnx' -o weights.safetensors"
    assert (done.code, done.err.endswith(f"; make a safetensors file of it: {fix}\n")) == (4, True), done.err
    assert netspec("import", "a b/two.onnx", "-o", "weights.safetensors").code == 0
    assert netspec("build", "two.yaml", "--no-check", "--weights", "weights.safetensors").code == 0
    (here / "w.pth").write_bytes(b"PK")
    done = netspec("build", "two.yaml", "--no-check", "--weights", "w.pth")
    assert "netspec import SPEC w.pth -o weights.safetensors" in done.err


def test_a_model_is_no_spec(netspec: Run) -> None:
    assert netspec("build", "two.yaml", "--no-check", "-o", "out").code == 0
    done = netspec("summary", "out/two.onnx")
    assert done.code == 1
    assert done.err.endswith("= help: name a layer file: this one is binary\n"), done.err


def test_labels_of_a_file(netspec: Run, here: Path) -> None:
    (here / "names.txt").write_text("a\nb\nc\nd\n")
    done = netspec("build", "one.yaml", "--no-check", "--labels", "names.txt")
    assert (done.code, "4 labels for 5 outputs; one name a line, in order" in done.err) == (4, True)
    (here / "names.txt").write_text("a\nb\nc\nd\ne\n")
    assert netspec("build", "one.yaml", "--no-check", "--labels", "names.txt").code == 0
    assert b'["a", "b", "c", "d", "e"]' in (here / "build" / "one" / "one.onnx").read_bytes()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--out", "one.yaml"], "one.yaml: cannot make the folder: File exists; choose another with --out"),
        (["--out", "one.yaml/x"], "one.yaml/x: cannot make the folder: Not a directory; choose another with --out"),
        (["--weights", "none"], "none: cannot read weights: No such file or directory: none; give a safetensors file"),
        (["--labels", "none"], "none: cannot read labels: No such file or directory; check the path"),
        (["--out", ".", "--force"], "one.yaml: this build reads that file; choose another folder with --out"),
        (["--out", "."], "one.yaml: this build reads that file; choose another folder with --out"),
    ],
)
def test_what_cannot_be_read_or_written_is_one_line(options: list[str], message: str, netspec: Run, here: Path) -> None:
    before = {path: path.read_bytes() for path in here.iterdir()}
    done = netspec("build", "one.yaml", "--no-check", *options)
    assert (done.code, done.err) == (4, f"netspec: {message}\n")
    assert {path: path.read_bytes() for path in here.glob("*.*")} == before


@pytest.mark.parametrize("option", ["--weights", "--labels"])
def test_what_it_reads_is_looked_at_before_the_table_is_printed(option: str, netspec: Run, here: Path) -> None:
    assert netspec("build", "one.yaml", option, "none").out == ""
    save_file(random_weights(compiled(TWO)), here / "other")
    done = netspec("build", "one.yaml", option, "other")
    assert (done.code, done.out) == (4, "")
    assert not (here / "build").exists()


def test_a_foreign_file_is_found_before_any_work(netspec: Run, here: Path) -> None:
    (here / "build" / "one").mkdir(parents=True)
    (here / "build" / "one" / "report.html").write_text("mine")
    done = netspec("build", "one.yaml")
    assert done.code == 4
    assert "it exists and netspec did not write it; move it away, or add --force" in done.err
    assert [path.name for path in (here / "build" / "one").iterdir()] == ["report.html"]
    assert netspec("build", "one.yaml", "--no-check", "--force").code == 0
    assert (here / "build" / "one" / "report.html").read_text() != "mine"


def test_prepared_data_are_no_place_for_a_build(netspec: Run, here: Path) -> None:
    prepare_shapes(here / "data", 20, 10)
    before = sorted(path.name for path in (here / "data").iterdir())
    done = netspec("build", "one.yaml", "--no-check", "-o", "data")
    assert (done.code, done.out) == (4, "")
    assert "data: it holds prepared data; choose another folder with --out, or add --force" in done.err
    assert sorted(path.name for path in (here / "data").iterdir()) == before
    assert netspec("build", "one.yaml", "--no-check", "-o", "data", "--force").code == 0


def test_a_wrong_spec_writes_nothing(netspec: Run, here: Path) -> None:
    done = netspec("build", "one.yaml", "--set", "layers.conv1.size=99")
    assert (done.code, done.out) == (1, "")
    assert "error[NS302]" in done.err
    assert not (here / "build").exists()


def test_a_net_too_large_for_a_file_is_refused_with_nothing_written(netspec: Run, here: Path) -> None:
    large = ("layers.fc.outputs=1000000", "classes=1000000", "layers.conv1.stride=1")
    done = netspec("build", "one.yaml", *(word for assignment in large for word in ("--set", assignment)))
    assert done.code == 4
    assert "one ONNX file holds at most 2,147,483,647; make the net smaller" in done.err
    assert list((here / "build" / "one").iterdir()) == []


def test_a_warning_does_not_stop_it(netspec: Run, here: Path) -> None:
    (here / "one.yaml").write_text(ONE.replace("layers:", "defaults: {pool: {size: 3}}\nlayers:"))
    done = netspec("build", "one.yaml", "--no-check")
    assert done.code == 0
    assert done.err.startswith("warning[NS218]: ")
