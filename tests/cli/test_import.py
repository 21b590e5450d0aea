"""`netspec import` as a user meets it: what it prints and writes."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from netspec.pipeline import compile_file
from netspec.spec.shipped import find_spec
from tests.cli.conftest import Run
from tests.cli.foreign import LAYERS, PARAMS, SPEC


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
    assert done.out.startswith("net: 4 layers, 82,")
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


def test_json_without_out_has_the_spec_too(netspec: Run, pair: tuple[Path, Path]) -> None:
    done = netspec("import", *pair, "--json")
    assert (done.code, done.err) == (0, "")
    document = json.loads(done.out)
    assert document["wrote"] == []
    assert document["spec"] == netspec("import", *pair).out


@pytest.mark.parametrize("name", ["net.yml", "net.YAML"])
def test_every_spelling_of_yaml(name: str, netspec: Run, pair: tuple[Path, Path]) -> None:
    out = pair[0].with_name(name)
    assert netspec("import", *pair, "-o", out).code == 0
    assert netspec("validate", out).code == 0


@pytest.mark.parametrize(("file", "name"), [("squeeze.yaml", "squeeze"), ("My net (2).yaml", "My-net-2")])
def test_a_net_is_called_as_the_file_that_is_written(
    file: str, name: str, netspec: Run, pair: tuple[Path, Path]
) -> None:
    out = pair[0].with_name(file)
    done = netspec("import", *pair, "-o", out)
    assert done.out.startswith(f"{name}: ")
    assert f"the files call the net `layers`; it is called `{name}`" in done.out
    assert compile_file(out).spec.name == name


def test_no_remark_where_the_names_agree(netspec: Run, pair: tuple[Path, Path]) -> None:
    assert "the files call the net" not in netspec("import", *pair, "-o", pair[0].with_name("layers.yaml")).out


def test_the_next_command_is_one_that_a_shell_takes(netspec: Run, weighted: tuple[Path, Path], tmp_path: Path) -> None:
    folder = tmp_path / "my nets"
    folder.mkdir()
    done = netspec("import", *weighted, "-o", folder / "a.yaml")
    following = done.out.splitlines()[-1].removeprefix("next: ")
    assert shlex.split(following) == [
        *("netspec", "build", str(folder / "a.yaml")),
        *("--weights", str(folder / "a.safetensors")),
    ]


def test_the_next_command_names_a_spec_of_netspec_as_it_was_typed(netspec: Run, tmp_path: Path) -> None:
    weights = {
        owned.name: np.zeros(owned.parameter.dims, np.float32)
        for owned in compile_file(find_spec("lenet")).typed.parameters
    }
    save_file(weights, tmp_path / "w.safetensors")
    out = tmp_path / "out.safetensors"
    done = netspec("import", "lenet", tmp_path / "w.safetensors", "-o", out)
    assert done.out.endswith(f"next: netspec build lenet --weights {out}\n"), done.err


def test_weights_of_a_spec_in_towers_are_merged_with_it(netspec: Run, tmp_path: Path) -> None:
    towers, given, out = (tmp_path / name for name in ("towers.yaml", "given.safetensors", "merged.yaml"))
    conv = "{type: conv, inputs: data, filters: 2, size: 3, gpu: %d}"
    text = SPEC[: SPEC.index("  fc1")] + f"  c1a: {conv % 0}\n  c1b: {conv % 1}\n"
    towers.write_text(text + "  fc1: {type: fc, inputs: [c1a, c1b], outputs: 3, gpu: 0}\n")
    numbers = np.random.default_rng(1)
    weights = {
        owned.name: numbers.normal(size=owned.parameter.dims).astype(np.float32)
        for owned in compile_file(towers).typed.parameters
    }
    save_file(weights, given)
    assert netspec("import", towers, given, "--merge-towers", "-o", out).code == 0
    found = load_file(out.with_suffix(".safetensors"))
    assert list(compile_file(out).spec.layers) == ["c1", "fc1"]
    assert (found["c1.weight"] == np.concatenate([weights["c1a.weight"], weights["c1b.weight"]])).all()
    assert (found["c1.bias"] == np.concatenate([weights["c1a.bias"], weights["c1b.bias"]])).all()
