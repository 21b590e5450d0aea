"""`netspec diff`: exit codes, text and JSON, for specs and for files of other tools."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

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


TOWERS = """netspec: 1
name: towers
input: {size: 9}
layers:
  c1a: {type: conv, inputs: data, filters: 4, size: 3, stride: 2, gpu: 0}
  c1b: {type: conv, inputs: data, filters: 4, size: 3, stride: 2, gpu: 1}
  f: {type: fc, inputs: [c1a, c1b], outputs: 5, gpu: 0}
"""
MERGED = """netspec: 1
name: merged
input: {size: 9}
layers:
  c1: {type: conv, inputs: data, filters: 8, size: 3, stride: 2}
  f: {type: fc, inputs: c1, outputs: 5}
"""


@pytest.fixture
def two(tmp_path: Path) -> tuple[Path, Path]:
    """A spec in towers, and the merged one."""
    towers, merged = tmp_path / "towers.yaml", tmp_path / "merged.yaml"
    towers.write_text(TOWERS)
    merged.write_text(MERGED)
    return towers, merged


def test_towers_of_specs_are_merged_on_both_sides(netspec: Run, two: tuple[Path, Path]) -> None:
    towers, merged = two
    assert netspec("diff", towers, merged).code == 1
    assert netspec("diff", towers, merged, "--merge-towers").code == 0
    assert netspec("diff", merged, towers, "--merge-towers").code == 0


def test_the_one_net_that_is_in_towers_is_named(netspec: Run, two: tuple[Path, Path]) -> None:
    towers, merged = two
    for nets in (two, (merged, towers)):
        assert netspec("diff", *nets).err == f"note: {towers} looks written in towers: try --merge-towers\n"
    other = towers.with_name("other.yaml")
    other.write_text(TOWERS.replace("size: 3", "size: 2"))
    assert netspec("diff", towers, other).err == ""
    assert netspec("diff", towers, other, "--merge-towers").err == ""


def test_a_blank_after_the_comma(netspec: Run, pair: tuple[Path, Path]) -> None:
    done = netspec("diff", f"{pair[0]},{pair[1]}", f"{pair[0]}, {pair[1]}")
    assert done.code == 0, done.err


def test_a_comma_in_the_name_of_a_file(netspec: Run, two: tuple[Path, Path]) -> None:
    odd = two[0].with_name("a,b.yaml")
    odd.write_text(TOWERS)
    assert netspec("diff", odd, two[0]).code == 0


def test_options_count_for_either_net(netspec: Run, pair: tuple[Path, Path], tmp_path: Path) -> None:
    files = f"{pair[0]},{pair[1]}"
    assert netspec("import", *pair, "--size", 24, "-o", tmp_path / "small.yaml").code == 0
    assert netspec("diff", files, tmp_path / "small.yaml", "--size", 24).code == 0
    refused = netspec("diff", "lenet", "alexnet", "--size", 24, "--graph")
    assert (refused.code, refused.out) == (1, "")
    assert "`--size` is for nets of other tools, not for a spec" in refused.err
    assert "`--graph` is for ONNX files, not for a spec" in refused.err


def test_all_missing_files_of_both_nets_and_no_word_of_import(netspec: Run, pair: tuple[Path, Path]) -> None:
    done = netspec("diff", f"{pair[0]},no.cfg", "no.onnx")
    assert (done.code, done.err.count("No such file")) == (1, 2)
    refused = netspec("diff", pair[1], "lenet")
    assert refused.code == 1
    assert "import" not in done.err + refused.err


def test_a_graph_has_no_initial_values(netspec: Run, tmp_path: Path) -> None:
    """Those of a spec that it is compared with are then no difference; those of two specs still are."""
    spec, folder = tmp_path / "net.yaml", tmp_path / "built"
    spec.write_text(MERGED.replace("stride: 2", "stride: 2, init_w: 0.03"))
    assert netspec("build", spec, "-o", folder).code == 0
    model = next(folder.glob("*.onnx"))
    done = netspec("diff", model, spec, "--graph")
    assert done.code == 0, done.out
    assert done.err == f"note: {model}: a graph does not say how weights start, so that is not compared\n"
    carried = netspec("diff", model, spec)
    assert (carried.code, carried.err) == (0, "")
    other = tmp_path / "other.yaml"
    other.write_text(MERGED)
    rows = netspec("diff", model, other).out
    assert "init_w" in rows
    assert (netspec("diff", model, other, "--no-start").code, netspec("diff", model, other).code) == (0, 1)
