"""The shipped nets as plain torch functions, from the paper and the original files. It knows nothing of netspec.

Towers are apart, as on two devices. Each function gives what the softmax takes, at test.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  # torch's own custom

Weights = Mapping[str, Tensor]
Net = Callable[[Weights, Tensor], Tensor]


def conv(w: Weights, name: str, x: Tensor, rows: slice, stride: int = 1, pad: int = 0) -> Tensor:
    return F.conv2d(x, w[f"{name}.weight"][rows], w[f"{name}.bias"][rows], stride, pad)


def fc(w: Weights, name: str, x: Tensor) -> Tensor:
    return F.linear(x.flatten(1), w[f"{name}.weight"], w[f"{name}.bias"])


def pool3(x: Tensor) -> Tensor:
    return F.max_pool2d(x, 3, 2, ceil_mode=True)


def half(tower: int, filters: int) -> slice:
    return slice(tower * filters // 2, (tower + 1) * filters // 2)


def alexnet(w: Weights, x: Tensor) -> Tensor:
    """The paper: k + alpha times the plain sum, in a tower; dropout halves at test."""
    towers = []
    for t in (0, 1):
        y = F.relu(conv(w, "conv1", F.pad(x, (0, 3, 0, 3)), half(t, 96), 4))
        y = pool3(F.local_response_norm(y, 5, alpha=5 * 1e-4, beta=0.75, k=2.0))
        y = F.relu(conv(w, "conv2", y, half(t, 256), pad=2))
        towers.append(pool3(F.local_response_norm(y, 5, alpha=5 * 1e-4, beta=0.75, k=2.0)))
    both = torch.cat(towers, 1)
    towers = []
    for t in (0, 1):
        y = F.relu(conv(w, "conv3", both, half(t, 384), pad=1))
        y = F.relu(conv(w, "conv4", y, half(t, 384), pad=1))
        towers.append(pool3(F.relu(conv(w, "conv5", y, half(t, 256), pad=1))))
    y = 0.5 * F.relu(fc(w, "fc6", torch.cat(towers, 1)))
    return fc(w, "fc8", 0.5 * F.relu(fc(w, "fc7", y)))


def alexnet_2012(w: Weights, x: Tensor) -> Tensor:
    """Net 145: ReLU after pool1 and pool3, alpha / size, and the same-map norm: 1e-3 / 25 of a 5x5 sum, constant 1."""
    towers = []
    for t in (0, 1):
        y = conv(w, "conv1", F.pad(x, (0, 3, 0, 3)), half(t, 96), 4)
        y = F.relu(pool3(F.local_response_norm(y, 5, alpha=1e-4, beta=0.75, k=2.0)))
        y = F.relu(conv(w, "conv2", y, half(t, 256), pad=2))
        y = F.local_response_norm(y, 5, alpha=1e-4, beta=0.75, k=2.0)
        squares = F.conv2d(y**2, torch.ones(128, 1, 5, 5), padding=2, groups=128)
        towers.append(pool3(y * (1 + 1e-3 / 25 * squares) ** -0.75))
    both = torch.cat(towers, 1)
    towers = []
    for t in (0, 1):
        y = F.relu(conv(w, "conv3", both, half(t, 384), pad=1))
        y = F.relu(conv(w, "conv4", y, half(t, 384), pad=1))
        towers.append(F.relu(pool3(conv(w, "conv5", y, half(t, 256), pad=1))))
    y = 0.5 * F.relu(fc(w, "fc2048", torch.cat(towers, 1)))
    return fc(w, "fc1000", 0.5 * F.relu(fc(w, "fc2048b", y)))


def caffe_tail(w: Weights, y: Tensor) -> Tensor:
    y = F.relu(F.conv2d(y, w["conv3.weight"], w["conv3.bias"], padding=1))
    y = F.relu(F.conv2d(y, w["conv4.weight"], w["conv4.bias"], padding=1, groups=2))
    y = F.relu(F.conv2d(y, w["conv5.weight"], w["conv5.bias"], padding=1, groups=2))
    y = F.relu(fc(w, "fc6", pool3(y)))
    return fc(w, "fc8", F.relu(fc(w, "fc7", y)))


def caffenet(w: Weights, x: Tensor) -> Tensor:
    """Pool before norm; the norm goes over all maps."""
    y = pool3(F.relu(F.conv2d(x, w["conv1.weight"], w["conv1.bias"], 4)))
    y = F.local_response_norm(y, 5, 1e-4, 0.75, 1.0)
    y = pool3(F.relu(F.conv2d(y, w["conv2.weight"], w["conv2.bias"], padding=2, groups=2)))
    return caffe_tail(w, F.local_response_norm(y, 5, 1e-4, 0.75, 1.0))


def bvlc(w: Weights, x: Tensor) -> Tensor:
    """Norm before pool; the norm goes over all maps."""
    y = F.relu(F.conv2d(x, w["conv1.weight"], w["conv1.bias"], 4))
    y = pool3(F.local_response_norm(y, 5, 1e-4, 0.75, 1.0))
    y = F.relu(F.conv2d(y, w["conv2.weight"], w["conv2.bias"], padding=2, groups=2))
    return caffe_tail(w, pool3(F.local_response_norm(y, 5, 1e-4, 0.75, 1.0)))


def lenet(w: Weights, x: Tensor) -> Tensor:
    y = F.max_pool2d(F.conv2d(x, w["conv1.weight"], w["conv1.bias"]), 2)
    y = F.max_pool2d(F.conv2d(y, w["conv2.weight"], w["conv2.bias"]), 2)
    return fc(w, "ip2", F.relu(fc(w, "ip1", y)))


def shapes(w: Weights, x: Tensor) -> Tensor:
    """Dropout keeps three quarters at test."""
    y = pool3(F.relu(F.conv2d(x, w["conv1.weight"], w["conv1.bias"], padding=2)))
    y = F.local_response_norm(y, 5, alpha=5 * 1e-4, beta=0.75, k=2.0)
    y = pool3(F.relu(F.conv2d(y, w["conv2.weight"], w["conv2.bias"], padding=2)))
    y = pool3(F.relu(F.conv2d(y, w["conv3.weight"], w["conv3.bias"], padding=1)))
    return fc(w, "fc10", 0.75 * y)


def cifar(neuron: Callable[[Tensor], Tensor], normed: bool) -> Net:
    """18pct, and figure 1's pair: an average divides by the real pixels, the norm's sum by 9 everywhere."""

    def norm(x: Tensor) -> Tensor:
        mean = F.avg_pool2d(x * x, 3, 1, padding=1, count_include_pad=True)
        return x / (1 + 5e-5 * mean) ** 0.75 if normed else x

    def average(x: Tensor) -> Tensor:
        inside = F.pad(torch.ones_like(x), (0, 1, 0, 1))
        return F.avg_pool2d(F.pad(x, (0, 1, 0, 1)), 3, 2) / F.avg_pool2d(inside, 3, 2)

    def net(w: Weights, x: Tensor) -> Tensor:
        y = norm(pool3(neuron(F.conv2d(x, w["conv1.weight"], w["conv1.bias"], padding=2))))
        y = norm(average(neuron(F.conv2d(y, w["conv2.weight"], w["conv2.bias"], padding=2))))
        y = average(neuron(F.conv2d(y, w["conv3.weight"], w["conv3.bias"], padding=2)))
        return fc(w, "fc10", y)

    return net


def conv_local(normed: bool) -> Net:
    """13 %, and 11 % with LRN over nine maps; a local layer is a product of patches at every position."""

    def norm(x: Tensor) -> Tensor:
        return F.local_response_norm(x, 9, 1e-3, 0.75, 1.0) if normed else x

    def local(w: Weights, name: str, x: Tensor) -> Tensor:
        weight = w[f"{name}.weight"]
        patches = F.unfold(x, 3, padding=1).reshape(1, -1, 6, 6)
        return F.relu(torch.einsum("npyx,fpyx->nfyx", patches, weight.flatten(1, 3)) + w[f"{name}.bias"])

    def net(w: Weights, x: Tensor) -> Tensor:
        y = norm(pool3(F.relu(F.conv2d(x, w["conv1.weight"], w["conv1.bias"], padding=2))))
        y = pool3(norm(F.relu(F.conv2d(y, w["conv2.weight"], w["conv2.bias"], padding=2))))
        return fc(w, "fc10", local(w, "local4", local(w, "local3", y)))

    return net


PLAIN: dict[str, Net] = {
    "alexnet": alexnet,
    "alexnet-2012": alexnet_2012,
    "alexnet-bvlc": bvlc,
    "caffenet": caffenet,
    "lenet": lenet,
    "shapes": shapes,
    "cifar10-18pct": cifar(F.relu, normed=True),
    "cifar10-fig1-relu": cifar(F.relu, normed=False),
    "cifar10-fig1-tanh": cifar(torch.tanh, normed=False),
    "cifar10-conv-local": conv_local(normed=False),
    "cifar10-conv-local-lrn": conv_local(normed=True),
}
