"""`netspec diff`: exit codes, text and JSON, for specs and for files of other tools."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Run


def test_equal_nets_are_one_line_and_exit_0(netspec: Run, root: Path) -> None:
    done = netspec("diff", "alexnet", root / "specs" / "alexnet.yaml")
    assert done.code == 0, done.err
    assert done.out.startswith("alexnet and ")
    assert done.out.endswith("alexnet.yaml are equal in meaning: 16 layers, 60,965,224 parameters\n")
    assert done.out.count("\n") == 1
    assert done.err == ""


def test_different_nets_are_a_table_and_exit_1(netspec: Run) -> None:
    done = netspec("diff", "alexnet-2012", "alexnet")
    assert done.code == 1
    assert done.out.startswith("alexnet-2012 and alexnet differ: 5 differences\n")
    assert "alexnet-2012:22, 26  0.0001            alexnet:11, 15" in done.out
    assert "\x1b" not in done.out
    assert done.err == ""


def test_training_and_devices_when_asked(netspec: Run, tmp_path: Path) -> None:
    a, b = tmp_path / "a.yaml", tmp_path / "b.yaml"
    a.write_text("netspec: 1\nname: a\ninput: {size: 8}\nlayers:\n  f: {type: fc, inputs: data, outputs: 2}\n")
    b.write_text(a.read_text().replace("outputs: 2", "outputs: 2, gpu: 1, lr_w: 2"))
    assert netspec("diff", a, b).code == 0
    rates, devices = netspec("diff", a, b, "--train"), netspec("diff", a, b, "--placement")
    assert (rates.code, devices.code) == (1, 1)
    assert "rate of weights" in rates.out
    assert "gpu" not in rates.out
    assert "gpu" in devices.out


def test_json(netspec: Run) -> None:
    done = netspec("diff", "alexnet-2012", "alexnet", "--json")
    assert done.code == 1
    found = json.loads(done.out)
    assert [row["what"] for row in found["differences"]].count("init_w") == 3
    equal = netspec("diff", "lenet", "lenet", "--json")
    assert (equal.code, json.loads(equal.out)["equal"]) == (0, True)


def test_a_wrong_spec_is_told_as_ever(netspec: Run, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("netspec: 1\nname: a\ninput: {size: 8}\nlayers:\n  f: {type: fc, inputs: data, outpust: 2}\n")
    done = netspec("diff", "alexnet", wrong)
    assert (done.code, done.out) == (1, "")
    assert "error[NS201]" in done.err
    missing = netspec("diff", "alexnet", "alexnetz")
    assert (missing.code, missing.out) == (1, "")


def test_the_authors_own_file_is_our_spec_of_it(netspec: Run, shared: Path) -> None:
    folder = shared / "data" / "cuda-convnet" / "alexnet-2012" / "layers"
    files = f"{folder / 'layers-145.cfg'},{folder / 'layer-params-145.cfg'}"
    done = netspec("diff", files, "alexnet-2012", "--merge-towers")
    assert done.code == 0, done.out + done.err


def test_a_prototxt_against_a_spec(netspec: Run, shared: Path) -> None:
    """The same fire modules; Caffe's file pads its last convolution and has no softmax."""
    done = netspec("diff", shared / "data" / "squeezenet-1.0" / "deploy.prototxt", "squeezenet-torchvision", "--json")
    assert done.code == 1, done.err
    found = json.loads(done.out)
    rows = found["differences"]
    assert {row["what"] for row in rows if row["kind"] == "value"} >= {"pad", "data.channels", "input.size"}
    assert [row["b"]["layer"] for row in rows if row["what"] == "softmax"] == ["prob"]
    assert ["fire2_conv1x1_1", "fire2_squeeze"] in found["pairs"]
