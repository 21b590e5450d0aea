"""The sample nets with towers, merged: the same numbers in float64, and alexnet-2012.yaml from the authors' files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from netspec.importers.towers import merge_towers
from netspec.ir.layer import Layer, LearnedLayer
from netspec.layers.channels import SliceLayer
from netspec.layers.conv import Conv
from netspec.layers.windowed import ConvInput
from netspec.pipeline import compile_spec
from netspec.spec import load_spec
from tests.importers.towers_run import assert_same_numbers, sample

NETS = (  # narrow copies that keep every pattern, on the smallest pictures that they take
    ("98-16kinit", 4, 96),
    ("120", 8, 96),
    ("137-tree", 8, 96),
    ("145", 8, 64),
    ("146-2012-2011", 8, 64),
    ("147", 8, 72),
    ("148", 8, 64),
    ("150", 8, 64),
    ("153", 8, 64),
    ("153-4gpu", 8, 64),
    ("flickr-102", 8, 96),
    ("imagenet-2gpu-model", 8, 64),
    ("imagenet-4gpu-data-model", 8, 64),
)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "narrow", "size"), NETS)
def test_merged_towers_compute_the_same_numbers(shared: Path, name: str, narrow: int, size: int) -> None:
    assert_same_numbers(sample(shared, name, narrow, size))


@pytest.mark.slow
def test_the_published_net_computes_the_same_numbers_at_full_width(shared: Path) -> None:
    assert_same_numbers(sample(shared, "145"))


def test_the_published_net_is_the_shipped_one(shared: Path, root: Path) -> None:
    """Key by key but for the rates, which the file has as they were at the end of the run."""
    merged = merge_towers(sample(shared, "145")).spec
    shipped = load_spec(root / "specs" / "alexnet-2012.yaml")
    compiled, wanted = compile_spec(merged), compile_spec(shipped)
    assert list(merged.layers) == list(shipped.layers)
    for name, layer in merged.layers.items():
        assert without_rates(layer) == without_rates(shipped.layers[name])
    assert dict(compiled.placed.devices_of) == dict(wanted.placed.devices_of)
    assert (merged.input, merged.classes, merged.data) == (shipped.input, shipped.classes, shipped.data)
    assert compiled.typed.parameter_count == 60_965_224
    assert compiled.typed.macs == 724_406_816


def without_rates(layer: Layer) -> Layer:
    return replace(layer, lr_w=1.0, lr_b=1.0) if isinstance(layer, LearnedLayer) else layer


@pytest.mark.parametrize("name", ["145", "147", "148", "150", "153", "imagenet-2gpu-model", "120", "98-16kinit"])
def test_merging_changes_neither_costs_nor_what_devices_hold_and_send(shared: Path, name: str) -> None:
    written = sample(shared, name)
    before, after = compile_spec(written.spec), compile_spec(merge_towers(written).spec)
    assert after.typed.parameter_count == before.typed.parameter_count
    assert after.typed.macs == before.typed.macs
    for device in (0, 1):
        assert after.placed.parameters_on(device) == before.placed.parameters_on(device)
        assert after.placed.macs_on(device) == before.placed.macs_on(device)
    assert after.placed.cross_device_floats == before.placed.cross_device_floats


def test_layers_of_four_devices_that_read_three_towers_have_connections(shared: Path) -> None:
    merged = merge_towers(sample(shared, "153-4gpu")).spec
    conv3 = merged.layers["conv3"]
    assert isinstance(conv3, Conv)
    a, b, c, d = (tuple(range(start, start + 128)) for start in (0, 128, 256, 384))
    assert conv3.connections == (*a, *b, *c, *a, *b, *d, *c, *d, *a, *c, *d, *b)
    assert (conv3.groups, conv3.gpu) == (4, None)
    assert merged.layers["pool3c"] == SliceLayer(inputs=("pool3",), start=256, channels=128, gpu=(2,))
    assert merged.layers["fc1024a"].inputs == ("pool3a", "pool3b", "pool3c")
    assert merged.layers["fc1000"].inputs == ("hs2a", "hs2b", "hs2c", "hs2d")


def test_towers_that_never_talk_have_groups_to_the_end(shared: Path) -> None:
    merged = merge_towers(sample(shared, "150")).spec
    grouped = [name for name, layer in merged.layers.items() if getattr(layer, "groups", 1) == 2]
    assert grouped == ["rnorm1", "conv2", "rnorm2", "conv3", "conv4", "conv5", "fc4096", "fc2048b"]


def test_a_second_path_keeps_what_its_input_has(shared: Path) -> None:
    conv2 = merge_towers(sample(shared, "120")).spec.layers["conv2"]
    assert isinstance(conv2, Conv)
    assert conv2.inputs == ("nails0", "rnorm1")
    assert conv2.per_input == (ConvInput(), ConvInput(stride=(1, 1), pad=(2, 2, 2, 2), groups=2))


def test_origins_and_remarks_name_the_layers_of_the_file(shared: Path) -> None:
    written = sample(shared, "137-tree")
    merged = merge_towers(written)
    now = {origin.name: origin.layer for origin in merged.origins}
    assert (now["fc2048ba"], now["fc2048bb"], now["concat"]) == ("fc2048b", "fc2048b", "hs2")
    said = {remark.layer: remark for remark in merged.remarks if remark.topic == "towers"}
    assert said["fc2048a"].text == "`fc2048a` and `fc2048b` are one layer, `fc2048`"
    assert said["fc2048a"].place.text == "[fc2048a]"
    assert said["concat"].text == "`concat` would put together what `hs2` is now"
    assert merged.remarks[: len(written.remarks)] == written.remarks
