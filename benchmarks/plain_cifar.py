"""The net and recipe of specs/cifar10-18pct.yaml as one writes them by hand in PyTorch: the peer of `netspec train`.

python -m benchmarks.plain_cifar FOLDER --epochs 15     # FOLDER holds data_batch_1.bin ... test_batch.bin
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

BATCH = 128
RATE, MOMENTUM = 0.001, 0.9


def same_map_norm(x: Tensor) -> Tensor:
    """X over (1 + alpha times the mean of x^2 over 3 x 3 pixels of the map)^beta; zeros outside count."""
    return x / (1 + 5e-5 * F.avg_pool2d(x * x, 3, stride=1, padding=1)) ** 0.75


class PlainCifar(nn.Module):
    """Images (N, 3, 32, 32) to scores (N, 10)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 32, 5, padding=2)
        self.conv2 = nn.Conv2d(32, 32, 5, padding=2)
        self.conv3 = nn.Conv2d(32, 64, 5, padding=2)
        self.fc10 = nn.Linear(1024, 10)
        for layer, std in ((self.conv1, 0.0001), (self.conv2, 0.01), (self.conv3, 0.01), (self.fc10, 0.01)):
            nn.init.normal_(layer.weight, std=std)
            nn.init.constant_(layer.get_parameter("bias"), 0)

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(F.relu(self.conv1(x)), 3, stride=2, ceil_mode=True)
        x = F.relu(self.conv2(same_map_norm(x)))
        x = F.avg_pool2d(x, 3, stride=2, ceil_mode=True)
        x = F.relu(self.conv3(same_map_norm(x)))
        x = F.avg_pool2d(x, 3, stride=2, ceil_mode=True)
        scores: Tensor = self.fc10(torch.flatten(x, 1))
        return scores


def make_optimizer(net: PlainCifar) -> torch.optim.SGD:
    """Biases at twice the rate without decay; convolutions decay by .004, the classifier by 1."""
    convs = [net.conv1, net.conv2, net.conv3]
    biases = [layer.get_parameter("bias") for layer in (*convs, net.fc10)]
    groups = [
        {"params": [layer.weight for layer in convs], "weight_decay": 0.004},
        {"params": [net.fc10.weight], "weight_decay": 1.0},
        {"params": biases, "lr": 2 * RATE},
    ]
    return torch.optim.SGD(groups, lr=RATE, momentum=MOMENTUM)


def load(folder: Path, names: list[str]) -> tuple[Tensor, Tensor]:
    """Images uint8 [N, 3, 32, 32] and labels int64 [N] of CIFAR-10's binary batches."""
    records = np.concatenate([np.fromfile(folder / name, np.uint8).reshape(-1, 3073) for name in names])
    labels = torch.from_numpy(records[:, 0].astype(np.int64))
    return torch.from_numpy(records[:, 1:].reshape(-1, 3, 32, 32).copy()), labels


def step(net: PlainCifar, optimizer: torch.optim.SGD, images: Tensor, labels: Tensor) -> None:
    """Forward, backward and update on one batch."""
    optimizer.zero_grad()
    F.cross_entropy(net(images), labels).backward()  # type: ignore[no-untyped-call]  # torch's own
    optimizer.step()


def train_epoch(net: PlainCifar, optimizer: torch.optim.SGD, images: Tensor, labels: Tensor, mean: Tensor) -> None:
    """All full batches in a random order."""
    net.train()
    order = torch.randperm(len(images))
    for first in range(0, len(images) - BATCH + 1, BATCH):
        ids = order[first : first + BATCH]
        step(net, optimizer, images[ids].float() - mean, labels[ids])


@torch.no_grad()
def error(net: PlainCifar, images: Tensor, labels: Tensor, mean: Tensor) -> float:
    """The share of images whose highest score is not their label's."""
    net.eval()
    pairs = zip(torch.split(images, 1000), torch.split(labels, 1000), strict=True)
    wrong = sum(int((net(part.float() - mean).argmax(1) != truth).sum()) for part, truth in pairs)
    return wrong / len(labels)


def main() -> None:
    """Train, and print the test error and the speed after each epoch."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.manual_seed(arguments.seed)
    images, labels = load(arguments.folder, [f"data_batch_{i}.bin" for i in range(1, 6)])
    test_images, test_labels = load(arguments.folder, ["test_batch.bin"])
    mean = images.double().mean(0).float()
    net = PlainCifar()
    optimizer = make_optimizer(net)
    for epoch in range(1, arguments.epochs + 1):
        begin = time.perf_counter()
        train_epoch(net, optimizer, images, labels, mean)
        speed = len(images) // BATCH * BATCH / (time.perf_counter() - begin)
        test_error = error(net, test_images, test_labels, mean)
        print(f"epoch {epoch}: test error {test_error:.2%}, {speed:,.0f} images/s", flush=True)


if __name__ == "__main__":
    main()
