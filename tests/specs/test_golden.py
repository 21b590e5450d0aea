"""The authors' nets against their own files: the shapes and counts of golden.csv, and every number of the .cfg pairs.

The towers of a file, conv1a and conv1b, are one layer of a spec: their channels, weights and biases are added.
"""

from __future__ import annotations

import csv
from configparser import ConfigParser, SectionProxy
from functools import cache
from itertools import groupby
from pathlib import Path

import pytest

from netspec.ir.layer import LearnedLayer
from netspec.ir.shape import Maps
from netspec.pipeline import compile_file
from netspec.spec import RateSpec, Spec, load_spec
from netspec.spec.shipped import shipped_specs

FILES = shipped_specs()
SOURCES = {
    "alexnet-2012": "alexnet-2012/layers/layers-145.cfg",
    "alexnet-half": "alexnet-2012/layers/layers-145-half.cfg",
    "alexnet-6conv": "alexnet-2012/layers/layers-146-2012-2011.cfg",
    "alexnet-pool2": "alexnet-2012/layers/layers-147.cfg",
    "alexnet-no-lrn": "alexnet-2012/layers/layers-148.cfg",
    "cifar10-18pct": "alexnet-2012/example-layers/layers-18pct.cfg",
    "cifar10-conv-local": "alexnet-2012/example-layers/layers-conv-local-13pct.cfg",
    "cifar10-conv-local-lrn": "cuda-convnet2/layers/layers-cifar10-11pct.cfg",
}
TYPES = {"cmrnorm": "rnorm", "hs": "dropout"}
UNLAYERED = {"data", "labels", "logprob"}
Row = dict[str, str]
Numbers = dict[str, object]


def merged_name(name: str) -> str:
    """``fc2048ba`` is tower a of ``fc2048b``."""
    return name[:-1] if name != "data" and name[-1] in "ab" else name


@cache
def golden(folder: Path) -> tuple[Row, ...]:
    with (folder / "golden.csv").open(encoding="utf-8", newline="") as file:
        return tuple(row for row in csv.DictReader(file) if row["layer"] not in UNLAYERED)


def towers(folder: Path, name: str, size: int) -> dict[str, list[Row]]:
    """The rows of a net at an image size, by the name of the merged layer."""
    source = SOURCES[name].split("/", 1)[1]
    rows = [row for row in golden(folder) if row["def"] == source and row["img"] == str(size)]
    ordered = sorted(rows, key=lambda row: merged_name(row["layer"]))
    return {key: list(group) for key, group in groupby(ordered, key=lambda row: merged_name(row["layer"]))}


def sizes() -> list[tuple[str, int]]:
    pairs = [(name, size) for name in SOURCES if name.startswith("cifar10") for size in (24, 32)]
    return [(name, 224) for name in SOURCES if name.startswith("alexnet")] + pairs


@pytest.mark.parametrize(("name", "size"), sizes())
def test_every_layer_equals_the_golden_row(shared: Path, name: str, size: int) -> None:
    net = compile_file(FILES[name], [f"input.size={size}", f"data.crop={size}", "data.resize=256"])
    rows = towers(shared / "data" / "cuda-convnet", name, size)
    assert {node.name for node in net.typed.nodes} == set(rows)
    for node in net.typed.nodes:
        group = rows[node.name]
        weights = sum(p.parameter.count for p in node.parameters if p.parameter.role == "weight")
        side = [str(node.shape.height), str(node.shape.width)] if isinstance(node.shape, Maps) else ["", ""]
        assert node.shape.channels == sum(int(row["C"]) for row in group), node.name
        assert all([row["H"], row["W"]] == side for row in group), node.name
        assert weights == sum(int(row["weights"]) for row in group), node.name
        assert node.parameter_count - weights == sum(int(row["biases"]) for row in group), node.name
        assert {TYPES.get(row["type"], row["type"]) for row in group} == {node.layer.type}, node.name
        assert {row["neuron"].replace("ident", "") for row in group} == {str(node.layer.neuron or "")}, node.name
        assert {merged_name(i) for row in group for i in row["inputs"].split()} == set(node.layer.inputs), node.name
        assert net.placed.devices_of[node.name] == tuple(max(0, int(row["gpu"])) for row in group), node.name


def test_the_golden_rows_are_there(shared: Path) -> None:
    for name, size in sizes():
        assert sum(map(len, towers(shared / "data" / "cuda-convnet", name, size).values())) >= 8


def read_cfg(path: Path) -> ConfigParser:
    parser = ConfigParser(strict=False, interpolation=None)
    parser.read(path, encoding="utf-8")
    return parser


def sections(shared: Path, name: str) -> list[tuple[str, SectionProxy, dict[str, str]]]:
    """(merged name, definition, parameters) of each layer in a net's two files; towers are listed twice."""
    path = shared / "data" / "cuda-convnet" / SOURCES[name]
    definition = read_cfg(path)
    parameters = read_cfg(path.with_name(path.name.replace("layers-", "layer-params-", 1)))
    named = ((s, dict(parameters[s]) if parameters.has_section(s) else {}) for s in definition.sections())
    return [(merged_name(s), definition[s], given) for s, given in named if s not in UNLAYERED]


def first(text: str) -> float:
    """A multi-input list gives the same number for each input of these nets."""
    numbers = {float(part) for part in text.split(",")}
    assert len(numbers) == 1
    return numbers.pop()


def learned(given: SectionProxy, parameters: dict[str, str]) -> Numbers:
    return {
        "init_w": f"{first(given['initW'])!r}",
        "init_b": float(given.get("initB", "0")),
        "decay": first(parameters["wc"]),
        "momentum": first(parameters["momw"]),
    }


def window(given: SectionProxy, parameters: dict[str, str]) -> Numbers:
    size, stride, pad = (int(first(given[key])) for key in ("filterSize", "stride", "padding"))
    return {"size": (size,) * 2, "stride": (stride,) * 2, "pad": (pad,) * 4, **learned(given, parameters)}


def pool(given: SectionProxy, _: dict[str, str]) -> Numbers:
    size, stride = int(given["sizeX"]), int(given["stride"])
    return {"pool": given["pool"], "size": (size,) * 2, "stride": (stride,) * 2, "round": "ceil", "start": 0}


def norm(given: SectionProxy, parameters: dict[str, str]) -> Numbers:
    """The 2011 dialect has scale and pow in the definition; k of a same-map norm is always 1."""
    across = "channels" if given["type"] == "cmrnorm" else "space"
    return {
        "across": across,
        "size": int(given.get("size") or given["sizeX"]),
        "alpha": float(parameters.get("scale") or given["scale"]),
        "beta": float(parameters.get("pow") or given["pow"]),
        "k": float(parameters.get("mindiv", "1")),
        "alpha_over": "size",
    }


def dropout(given: SectionProxy, _: dict[str, str]) -> Numbers:
    return {"rate": 1 - float(given["keep"]), "scale": "test"}


RULES = {
    "conv": window,
    "local": window,
    "fc": learned,
    "pool": pool,
    "cmrnorm": norm,
    "rnorm": norm,
    "hs": dropout,
}


def said(spec: Spec, name: str, key: str) -> object:
    """A key's effective value in the spec."""
    layer = spec.layers[name]
    if key == "momentum":
        return spec.train.momentum
    if key == "init_w":
        return str(getattr(layer, key))
    return spec.train.decay if key == "decay" and layer.decay is None else getattr(layer, key)  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", SOURCES)
def test_every_number_of_the_files_is_in_the_spec(shared: Path, name: str) -> None:
    spec = load_spec(FILES[name])
    for layer, given, parameters in sections(shared, name):
        expected = RULES[given["type"]](given, parameters) if given["type"] in RULES else {}
        assert expected == {key: said(spec, layer, key) for key in expected}, layer


@pytest.mark.parametrize("name", SOURCES)
def test_rates_of_the_biases(shared: Path, name: str) -> None:
    """Those of the parameter file, but for conv1, which it shows frozen. In 18pct they fall with the weights'."""
    spec = load_spec(FILES[name])
    base = spec.train.lr_b if isinstance(spec.train.lr_b, float) else start(spec)
    checked = 0
    for layer, _, parameters in sections(shared, name):
        if (rate := float(parameters.get("epsb", "0"))) == 0:
            continue
        learned_layer = spec.layers[layer]
        assert isinstance(learned_layer, LearnedLayer)
        assert base * learned_layer.lr_b == pytest.approx(rate), layer
        checked += 1
    assert checked >= 4


def start(spec: Spec) -> float:
    assert isinstance(spec.train.lr, RateSpec)
    return spec.train.lr.start


@pytest.mark.parametrize("name", [name for name in SOURCES if name.startswith("cifar10")])
def test_rates_of_the_weights_at_the_start(shared: Path, name: str) -> None:
    spec = load_spec(FILES[name])
    rates = {float(p["epsw"]) for _, _, p in sections(shared, name) if "epsw" in p}
    assert rates == {start(spec)}


@pytest.mark.parametrize("name", ["alexnet-2012", "alexnet-pool2", "alexnet-no-lrn", "alexnet-6conv"])
def test_rates_of_the_weights_at_the_end(shared: Path, name: str) -> None:
    """The files show the end of a run; conv1 was frozen by hand."""
    rate = load_spec(FILES[name]).train.lr
    assert isinstance(rate, RateSpec)
    assert isinstance(rate.when, tuple)
    found = {first(p["epsw"]) for layer, _, p in sections(shared, name) if "epsw" in p and layer != "conv1"}
    assert list(found) == [pytest.approx(rate.start / rate.divide ** len(rate.when))]
