"""AlexNet as one writes it by hand in PyTorch: the peer of our files. Two towers as groups, LRN inside each tower."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class TowerNorm(nn.Module):
    """The paper's response norm with torch's own operator, inside each of two towers."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.norm(tower) for tower in x.chunk(2, dim=1)], dim=1)


class PlainAlexNet(nn.Module):
    """Images (N, 3, 224, 224) to probabilities (N, 1000); without its norms it shows what they cost."""

    def __init__(self, *, norms: bool = True) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 96, 11, stride=4)
        self.conv2 = nn.Conv2d(96, 256, 5, padding=2, groups=2)
        self.conv3 = nn.Conv2d(256, 384, 3, padding=1)
        self.conv4 = nn.Conv2d(384, 384, 3, padding=1, groups=2)
        self.conv5 = nn.Conv2d(384, 256, 3, padding=1, groups=2)
        self.fc6 = nn.Linear(9216, 4096)
        self.fc7 = nn.Linear(4096, 4096)
        self.fc8 = nn.Linear(4096, 1000)
        self.norm = TowerNorm() if norms else nn.Identity()

    def forward(self, data: Tensor) -> Tensor:
        return torch.softmax(self.scores(data), dim=1)

    def scores(self, data: Tensor) -> Tensor:
        """What the softmax takes."""
        x = F.relu(self.conv1(F.pad(data, (0, 3, 0, 3))))
        x = F.max_pool2d(self.norm(x), 3, stride=2)
        x = F.relu(self.conv2(x))
        x = F.max_pool2d(self.norm(x), 3, stride=2)
        x = F.relu(self.conv5(F.relu(self.conv4(F.relu(self.conv3(x))))))
        x = torch.flatten(F.max_pool2d(x, 3, stride=2), 1)
        x = self._drop(F.relu(self.fc6(x)))
        x = self._drop(F.relu(self.fc7(x)))
        scores: Tensor = self.fc8(x)
        return scores

    def _drop(self, x: Tensor) -> Tensor:
        return x * (torch.rand_like(x) < 0.5) if self.training else x * 0.5


def export(path: str, weights: dict[str, Tensor]) -> None:
    """torch.onnx.export of the plain module with the given weights, batch symbolic, one file."""
    module = PlainAlexNet().eval()
    module.load_state_dict(weights)
    batch = torch.export.Dim("N", min=1, max=4096)
    torch.onnx.export(
        module,
        (torch.zeros(2, 3, 224, 224),),
        path,
        input_names=["data"],
        dynamic_shapes={"data": {0: batch}},
        dynamo=True,
        external_data=False,
        verbose=False,
    )
