"""The layer table against the published counts (FACTS 1), as data, as text and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from netspec.pipeline import Compiled, compile_file, compile_spec
from netspec.report.rows import layer_table
from netspec.report.table import aligned, render_table, table_as_json
from netspec.report.units import rounded, size
from netspec.spec import load_text

PUBLISHED = {
    "conv1": ("48x55x55", 34_848, 96, 105_415_200),
    "conv2": ("128x27x27", 307_200, 256, 223_948_800),
    "conv3": ("192x13x13", 884_736, 384, 149_520_384),
    "conv4": ("192x13x13", 663_552, 384, 112_140_288),
    "conv5": ("128x13x13", 442_368, 256, 74_760_192),
    "fc6": ("2048", 37_748_736, 4_096, 37_748_736),
    "fc7": ("2048", 16_777_216, 4_096, 16_777_216),
    "fc8": ("1000", 4_096_000, 1_000, 4_096_000),
}
BRANCHES = """
netspec: 1
name: branches
input: {size: 8, channels: 4}
layers:
  a: {type: conv, inputs: data, filters: 8, size: 1, gpu: 0}
  b: {type: conv, inputs: data, filters: 8, size: 1, gpu: 1}
  c: {type: concat, inputs: [a, b], gpu: [0, 1]}
  d: {type: conv, inputs: c, filters: 8, size: 1}
"""


@pytest.fixture(scope="module")
def alexnet(root: Path) -> Compiled:
    return compile_file(root / "specs" / "alexnet.yaml")


def test_rows_are_the_published_ones(alexnet: Compiled) -> None:
    rows = {row.name: row for row in layer_table(alexnet).rows}
    for name, (part, weights, biases, macs) in PUBLISHED.items():
        row = rows[name]
        assert (str(row.parts[0]), row.weights, row.biases, row.macs) == (part, weights, biases, macs)
        assert len(row.parts) == (1 if name == "fc8" else 2)


def test_totals_and_devices_are_the_published_ones(alexnet: Compiled) -> None:
    table = layer_table(alexnet)
    assert (table.parameters, table.macs, table.units) == (60_965_224, 724_406_816, 659_272)
    assert [device.parameters for device in table.devices] == [32_531_112, 28_434_112]
    assert [(c.source, c.readers, c.floats) for c in table.crossings] == [
        ("pool2", ("conv3",), 21_632),
        ("pool2", ("conv3",), 21_632),
        ("pool5", ("fc6",), 4_608),
        ("pool5", ("fc6",), 4_608),
        ("drop6", ("fc7",), 2_048),
        ("drop6", ("fc7",), 2_048),
        ("drop7", ("fc8",), 2_048),
    ]
    assert table.crossing_floats == 58_624


def test_the_text_shows_the_published_row(alexnet: Compiled) -> None:
    text = render_table(alexnet)
    (line,) = [line for line in text.splitlines() if line.startswith("conv2 ")]
    cells = "conv2 conv 0,1 pool1 256x27x27 128x27x27 x2 307,200 256 307,456 223,948,800 729.0"
    assert line.split() == cells.split()
    assert max(map(len, text.splitlines())) <= 120
    assert "gpu 1   28,434,112  108.5 MiB" in text
    assert text == render_table(alexnet)


def test_one_device_needs_no_device_columns() -> None:
    spec = load_text("{netspec: 1, name: one, input: {size: 4}, layers: {a: {type: fc, inputs: data, outputs: 2}}}")
    text = render_table(compile_spec(spec))
    assert "gpu" not in text
    assert "nothing crosses" not in text
    assert "98 parameters (392 B)" in text


def test_verbose_says_what_the_backends_get(alexnet: Compiled) -> None:
    text = render_table(alexnet, verbose=True)
    assert "conv1   rounding: ceil; pads: top 0, left 0, bottom 3, right 3" in text
    assert "rnorm1  alpha of the plain sum: 0.0001; alpha of the sum over size: 0.0005; k: 2" in text
    assert "drop6   in training: kept units as they are; at test: times 0.5" in text


def test_a_crossing_names_its_readers() -> None:
    table = layer_table(compile_spec(load_text(BRANCHES)))
    crossings = {(c.source, c.start, c.end, c.readers, c.floats) for c in table.crossings}
    assert crossings == {("c", 1, 0, ("d",), 512), ("c", 0, 1, ("d",), 512), ("d", 1, 0, (), 256)}
    assert "the output" in render_table(compile_spec(load_text(BRANCHES)))


def test_json_holds_every_number(alexnet: Compiled) -> None:
    document = json.loads(json.dumps(table_as_json(alexnet)))
    assert document["totals"]["parameters"] == sum(layer["parameters"] for layer in document["layers"])
    assert document["totals"]["cross_device_bytes_backward"] == 4 * 58_624
    (conv1,) = [layer for layer in document["layers"] if layer["name"] == "conv1"]
    assert conv1["parts"] == [{"device": 0, "shape": [48, 55, 55]}, {"device": 1, "shape": [48, 55, 55]}]
    assert conv1["effective"] == {"rounding": "ceil", "pads": "top 0, left 0, bottom 3, right 3"}
    assert conv1["parameter_bytes"] == 4 * 34_944
    assert document["devices"][1]["parameters"] == 28_434_112


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0 B"), (1023, "1,023 B"), (1024, "1.0 KiB"), (1 << 20, "1.0 MiB"), (1 << 50, "1,024.0 TiB")],
)
def test_sizes(number: int, text: str) -> None:
    assert size(number) == text


@pytest.mark.parametrize(
    ("number", "text"), [(7, "7"), (999, "999"), (35_000, "35 k"), (999_700, "1,000 k"), (364_251_408, "364 M")]
)
def test_rounded_numbers(number: int, text: str) -> None:
    assert rounded(number) == text


def test_columns_are_aligned() -> None:
    assert aligned([("a", "1"), ("bcd", "22")], (1,)) == ["a     1", "bcd  22"]
