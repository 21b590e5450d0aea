"""Every layer of the sample files against the numbers that the original programs gave for it: golden.csv, all rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from netspec.importers.cuda_convnet.sections import read_sections
from netspec.importers.remark import Imported, Origin
from netspec.ir.graph import TypedNode
from netspec.ir.shape import Vector
from netspec.pipeline import Compiled, compile_spec
from netspec.syntax.reader import read_source
from tests.importers.cuda_convnet.samples import ALONE, Pair, golden, pairs

Row = dict[str, str]


@pytest.fixture
def samples(shared: Path) -> Path:
    return shared / "data" / "cuda-convnet"


def test_every_row_is_a_layer_as_the_original_has_it(samples: Path) -> None:
    rows, compared = golden(samples), 0
    for pair in pairs(samples):
        sizes = [size for definition, size in rows if definition == pair.definition]
        assert sizes, pair
        for size in sizes:
            compared += check(pair, pair.read(samples, size), rows[pair.definition, size])
    assert {definition for definition, _ in rows} == {pair.definition for pair in pairs(samples)}
    assert compared >= sum(map(len, rows.values()))


def check(pair: Pair, imported: Imported, rows: list[Row]) -> int:
    compiled = compile_spec(imported.spec)
    assert [origin.name for origin in imported.origins] == [row["layer"] for row in rows], pair
    for origin, row in zip(imported.origins, rows, strict=True):
        assert differences(origin, row, imported, compiled) == [], (pair, row)
    return len(rows)


def differences(origin: Origin, row: Row, imported: Imported, compiled: Compiled) -> list[str]:
    found = []
    if origin.type != row["type"]:
        found.append(f"type {origin.type}")
    if origin.devices != tuple(int(gpu) for gpu in row["gpu"].split(",") if gpu != "-1"):
        found.append(f"gpu {origin.devices}")
    if row["type"] == "data" or row["type"].startswith("cost."):
        return found + data_differences(origin, row, compiled)
    node = compiled.typed.by_name[origin.layer]
    if numbers_of(node) != tuple(row[key] for key in ("C", "H", "W", "weights", "biases")):
        found.append(f"numbers {numbers_of(node)}")
    layers = {other.name: other.layer for other in imported.origins}
    if node.layer.inputs != tuple(layers[name] for name in row["inputs"].split()):
        found.append(f"inputs {node.layer.inputs}")
    if (str(node.layer.neuron) if node.layer.neuron else "") != row["neuron"].replace("ident", ""):
        found.append(f"neuron {node.layer.neuron}")
    if len(origin.devices) == 1 and compiled.placed.devices_of[origin.layer] != origin.devices:
        found.append(f"placed on {compiled.placed.devices_of[origin.layer]}")
    return found


def data_differences(origin: Origin, row: Row, compiled: Compiled) -> list[str]:
    """Labels and costs become no layer; the pictures are the input."""
    assert (row["weights"], row["biases"]) == ("0", "0")
    if not row["H"]:
        return [] if origin.layer == "" else [f"layer {origin.layer}"]
    shape = compiled.typed.shape(origin.layer)
    return [] if shape.dims == (int(row["C"]), int(row["H"]), int(row["W"])) else [f"shape {shape}"]


def numbers_of(node: TypedNode) -> tuple[str, ...]:
    """Channels, height, width, weights, biases as golden.csv has them: a flat layer has no height."""
    counts = {role: sum(p.parameter.count for p in node.parameters if p.parameter.role == role) for role in ROLES}
    dims = (*node.shape.dims, "", "") if isinstance(node.shape, Vector) else node.shape.dims
    return tuple(map(str, (*dims, counts["weight"], counts["bias"])))


ROLES = ("weight", "bias")


def test_the_published_net_has_the_papers_parameters(samples: Path) -> None:
    folder = "alexnet-2012/layers"
    imported = Pair(f"{folder}/layers-145.cfg", f"{folder}/layer-params-145.cfg").read(samples)
    assert compile_spec(imported.spec).typed.parameter_count == 60_965_224
    assert imported.spec.classes == 1000
    assert imported.spec.name == "layers-145"


def test_without_a_size_the_last_layer_tells_it(samples: Path) -> None:
    sizes = {pair.definition: pair.read(samples).spec.input.size for pair in pairs(samples)}
    cifar = ("18pct", "80sec", "13pct", "example", "11pct")
    for definition, size in sizes.items():
        assert size == ((32, 32) if definition.removesuffix(".cfg").endswith(cifar) else (224, 224)), definition


def test_parameter_files_without_a_definition_are_read_too(samples: Path) -> None:
    files = set(samples.rglob("layer-params-*.cfg"))
    paired = {samples / pair.params for pair in pairs(samples)}
    assert {file.stem.removeprefix("layer-params-") for file in files - paired} == set(ALONE)
    assert all(read_sections(read_source(file)) for file in files)


def test_random_pooling_imports_where_the_parameters_switch_it_off(samples: Path, tmp_path: Path) -> None:
    """Net 178 is 153 with `pool=rand` in pool2, and its parameter file says `doMax`."""
    folder = samples / "alexnet-2012" / "layers"
    text = (folder / "layers-153.cfg").read_text(encoding="utf-8")
    for tower in "ab":
        old = f"[pool2{tower}]\ntype=pool\npool=max"
        assert old in text
        text = text.replace(old, old.replace("max", "rand"))
    (tmp_path / "layers-178.cfg").write_text(text, encoding="utf-8")
    pair = Pair(str(tmp_path / "layers-178.cfg"), str(folder / "layer-params-178.cfg"))
    imported = pair.read(samples)
    assert compile_spec(imported.spec).typed.parameter_count == 60_965_224
    assert [r.layer for r in imported.remarks if r.topic == "pool"] == ["pool2a", "pool2b"]
