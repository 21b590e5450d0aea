"""torchvision's AlexNet, VGG-16 and SqueezeNet 1.0 as it builds and names them, in plain torch.nn. No tests here."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn


class Classified(nn.Module):
    """``features`` and ``classifier``, as all three have; what stands between them differs."""

    def __init__(self, features: nn.Sequential, between: nn.Module, classifier: nn.Sequential) -> None:
        super().__init__()
        self.features, self.classifier = features, classifier
        self.between = between

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.classifier(self.between(self.features(x)))
        return result.flatten(1)


class Fire(nn.Module):
    def __init__(self, inputs: int, squeeze: int, expand: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(inputs, squeeze, 1)
        self.expand1x1 = nn.Conv2d(squeeze, expand, 1)
        self.expand3x3 = nn.Conv2d(squeeze, expand, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.squeeze(x).relu()
        return torch.cat([self.expand1x1(x).relu(), self.expand3x3(x).relu()], 1)


def alexnet() -> nn.Module:
    layers: list[nn.Module] = [nn.Conv2d(3, 64, 11, 4, 2), nn.ReLU(), nn.MaxPool2d(3, 2)]
    layers += [nn.Conv2d(64, 192, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2)]
    for before, after in pairwise((192, 384, 256, 256)):
        layers += [nn.Conv2d(before, after, 3, padding=1), nn.ReLU()]
    layers.append(nn.MaxPool2d(3, 2))
    hidden = [nn.Dropout(), nn.Linear(9216, 4096), nn.ReLU(), nn.Dropout(), nn.Linear(4096, 4096), nn.ReLU()]
    return Classified(nn.Sequential(*layers), nn.Flatten(), nn.Sequential(*hidden, nn.Linear(4096, 1000)))


def vgg16() -> nn.Module:
    layers: list[nn.Module] = []
    channels = 3
    for filters, count in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        for before, after in pairwise([channels, *[filters] * count]):
            layers += [nn.Conv2d(before, after, 3, padding=1), nn.ReLU()]
        layers.append(nn.MaxPool2d(2, 2))
        channels = filters
    hidden = [nn.Linear(25088, 4096), nn.ReLU(), nn.Dropout(), nn.Linear(4096, 4096), nn.ReLU(), nn.Dropout()]
    return Classified(nn.Sequential(*layers), nn.Flatten(), nn.Sequential(*hidden, nn.Linear(4096, 1000)))


def squeezenet1_0() -> nn.Module:
    pool = nn.MaxPool2d(3, 2, ceil_mode=True)
    fires = [Fire(96, 16, 64), Fire(128, 16, 64), Fire(128, 32, 128), pool, Fire(256, 32, 128), Fire(256, 48, 192)]
    fires += [Fire(384, 48, 192), Fire(384, 64, 256), pool, Fire(512, 64, 256)]
    features = nn.Sequential(nn.Conv2d(3, 96, 7, 2), nn.ReLU(), pool, *fires)
    last = nn.Sequential(nn.Dropout(), nn.Conv2d(512, 1000, 1), nn.ReLU(), nn.AdaptiveAvgPool2d((1, 1)))
    return Classified(features, nn.Identity(), last)
