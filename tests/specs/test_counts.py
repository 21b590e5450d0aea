"""Every shipped spec compiles to the counts that are known of it, and writes and reads back as itself.

Source of the numbers: FACTS.md 1; reference/cuda-convnet.md 4, 5.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest

from netspec.ir.neuron import Neuron
from netspec.pipeline import Compiled, compile_file
from netspec.spec import load_spec, load_text
from netspec.spec.dump import dump
from netspec.spec.shipped import shipped_specs

FILES = shipped_specs()

PARAMETERS = {
    "alexnet": 60_965_224,
    "alexnet-2012": 60_965_224,
    "alexnet-6conv": 61_555_304,
    "alexnet-bvlc": 60_965_224,
    "alexnet-half": 59_798_312,
    "alexnet-no-lrn": 60_965_224,
    "alexnet-pool2": 60_965_224,
    "alexnet-torchvision": 61_100_840,
    "caffenet": 60_965_224,
    "cifar10-18pct": 89_578,
    "cifar10-conv-local": 1_116_490,
    "cifar10-conv-local-lrn": 2_112_970,
    "cifar10-fig1-relu": 89_578,
    "cifar10-fig1-tanh": 89_578,
    "lenet": 431_080,
    "shapes": 42_794,
    "squeezenet-torchvision": 1_248_424,
    "vgg16": 138_357_544,
}
MACS = {
    "alexnet": 724_406_816,
    "alexnet-2012": 724_406_816,
    "alexnet-bvlc": 724_406_816,
    "alexnet-no-lrn": 724_406_816,
    "alexnet-torchvision": 714_188_480,
    "caffenet": 724_406_816,
}
ALEXNET = {  # shape, parameters, multiply-adds
    "conv1": ((96, 55, 55), 34_944, 105_415_200),
    "rnorm1": ((96, 55, 55), 0, 0),
    "pool1": ((96, 27, 27), 0, 0),
    "conv2": ((256, 27, 27), 307_456, 223_948_800),
    "rnorm2": ((256, 27, 27), 0, 0),
    "pool2": ((256, 13, 13), 0, 0),
    "conv3": ((384, 13, 13), 885_120, 149_520_384),
    "conv4": ((384, 13, 13), 663_936, 112_140_288),
    "conv5": ((256, 13, 13), 442_624, 74_760_192),
    "pool5": ((256, 6, 6), 0, 0),
    "fc6": ((4096,), 37_752_832, 37_748_736),
    "drop6": ((4096,), 0, 0),
    "fc7": ((4096,), 16_781_312, 16_777_216),
    "drop7": ((4096,), 0, 0),
    "fc8": ((1000,), 4_097_000, 4_096_000),
    "probs": ((1000,), 0, 0),
}


@cache
def compiled(name: str) -> Compiled:
    return compile_file(FILES[name])


def test_the_tables_name_every_shipped_spec() -> None:
    assert set(FILES) == set(PARAMETERS)


@pytest.mark.parametrize("name", FILES)
def test_parameters(name: str) -> None:
    assert compiled(name).typed.parameter_count == PARAMETERS[name]


@pytest.mark.parametrize("name", MACS)
def test_multiply_adds(name: str) -> None:
    assert compiled(name).typed.macs == MACS[name]


def test_alexnet_layer_by_layer() -> None:
    nodes = compiled("alexnet").typed.nodes
    assert {n.name: (n.shape.dims, n.parameter_count, n.macs) for n in nodes} == ALEXNET


@pytest.mark.parametrize("name", ["alexnet", "alexnet-2012"])
def test_the_two_devices_of_alexnet(name: str) -> None:
    net = compiled(name)
    assert net.typed.units == 659_272
    assert [net.placed.parameters_on(device) for device in net.placed.devices] == [32_531_112, 28_434_112]
    crossing = sorted((t.output.shape.units, t.output.device) for t in net.placed.transfers)
    both_ways = [(2_048, 0), (2_048, 0), (2_048, 1), (4_608, 0), (4_608, 1), (21_632, 0), (21_632, 1)]
    assert crossing == both_ways
    assert net.placed.cross_device_floats == 58_624


@pytest.mark.parametrize("name", [name for name in FILES if name not in {"alexnet", "alexnet-2012"}])
def test_the_other_nets_have_the_devices_that_they_say(name: str) -> None:
    two = {"alexnet-no-lrn", "alexnet-pool2", "alexnet-6conv"}
    assert compiled(name).placed.devices == ((0, 1) if name in two else (0,))


@pytest.mark.parametrize("name", FILES)
def test_a_file_says_what_it_is(name: str) -> None:
    spec = compiled(name).spec
    assert spec.name == name
    assert spec.about
    assert spec.data.crop in (None, spec.input.size)
    assert compiled(name).typed.nodes[-1].shape.dims == (spec.classes,)


@pytest.mark.parametrize("name", FILES)
def test_a_spec_writes_and_reads_back_as_itself(name: str) -> None:
    spec = load_spec(FILES[name])
    again = load_text(dump(spec))
    assert again == spec
    assert list(again.layers) == list(spec.layers)
    assert dump(again) == dump(spec)


@pytest.mark.parametrize("name", [name for name in FILES if name.startswith("cifar10")])
def test_cifar10_has_its_ten_classes(name: str) -> None:
    classes = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
    assert compiled(name).spec.labels == classes


def test_the_nets_of_figure_1_differ_in_the_neuron_only() -> None:
    relu, tanh = load_spec(FILES["cifar10-fig1-relu"]), load_spec(FILES["cifar10-fig1-tanh"])
    assert tanh.layers["conv1"].neuron == Neuron("tanh", (1.0, 1.0))
    same = {
        name: replace(layer, neuron=Neuron("relu")) if layer.neuron else layer for name, layer in tanh.layers.items()
    }
    assert replace(tanh, layers=same, name=relu.name, about=relu.about) == relu
