"""torchvision's AlexNet and VGG-16 against the public architectures in plain torch.nn: shapes, costs, values."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from tests.specs.generated import compiled, logits, picture, random_weights, relative


def classifier(units: int, dropout_first: bool) -> list[nn.Module]:
    """fc6, fc7, fc8: torchvision's AlexNet drops before a layer, VGG after its ReLU."""
    six, seven = [nn.Linear(units, 4096), nn.ReLU()], [nn.Linear(4096, 4096), nn.ReLU()]
    hidden = [nn.Dropout(), *six, nn.Dropout(), *seven] if dropout_first else [*six, nn.Dropout(), *seven, nn.Dropout()]
    return [nn.Flatten(), *hidden, nn.Linear(4096, 1000)]


def torchvision_alexnet() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(3, 64, 11, stride=4, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(3, 2),
        nn.Conv2d(64, 192, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(3, 2),
        nn.Conv2d(192, 384, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(384, 256, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(256, 256, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(3, 2),
        nn.AdaptiveAvgPool2d((6, 6)),
        *classifier(256 * 6 * 6, dropout_first=True),
    )


def vgg16() -> nn.Sequential:
    """Configuration D."""
    channels = 3
    layers: list[nn.Module] = []
    for filters, count in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        for before, after in pairwise([channels, *[filters] * count]):
            layers += [nn.Conv2d(before, after, 3, padding=1), nn.ReLU()]
        layers.append(nn.MaxPool2d(2, 2))
        channels = filters
    return nn.Sequential(*layers, *classifier(512 * 7 * 7, dropout_first=False))


PEERS = {"alexnet-torchvision": torchvision_alexnet, "vgg16": vgg16}


def outputs_of(module: nn.Sequential, x: Tensor) -> list[tuple[int, ...]]:
    """The shape that each layer with weights, and each pooling, gives for one image."""
    shapes = []
    for layer in module:
        x = layer(x)
        if isinstance(layer, nn.Conv2d | nn.MaxPool2d | nn.Linear):
            shapes.append(tuple(x.shape[1:]))
    return shapes


@pytest.mark.parametrize("name", PEERS)
def test_parameters_shapes_and_costs_equal_the_peer_s(name: str) -> None:
    net = compiled(name)
    with torch.device("meta"):
        module = PEERS[name]().eval()
        image = torch.empty(1, *net.typed.input.shape.dims)
    with FlopCounterMode(display=False) as counter:
        shapes = outputs_of(module, image)
    assert [p.parameter.dims for p in net.typed.parameters] == [tuple(v.shape) for v in module.state_dict().values()]
    assert [n.shape.dims for n in net.typed.nodes if n.layer.type in ("conv", "pool", "fc")] == shapes
    assert 2 * net.typed.macs == counter.get_total_flops()


@pytest.mark.slow
def test_the_torchvision_alexnet_computes_what_the_peer_does() -> None:
    net = compiled("alexnet-torchvision")
    weights = random_weights(net)
    with torch.device("meta"):
        module = torchvision_alexnet().eval()
    module.load_state_dict(dict(zip(module.state_dict(), weights.values(), strict=True)), assign=True)
    with torch.no_grad():
        assert relative(logits(net, weights), module(picture(net))) <= 1e-4
