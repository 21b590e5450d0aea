"""Batches of uint8 pictures become the net's input on its device: mean, colour noise, spread. It cuts no patches."""

from __future__ import annotations

import torch
from torch import Tensor

from netspec_runtime.card import Channels
from netspec_runtime.data.prepared import Statistics
from netspec_runtime.preprocess import corners
from netspec_runtime.training.recipe import PictureRecipe


class Pixels:
    """From uint8 [n, h, w, C] to float32 [n, C, h, w] on a device, with colours in the net's order.

    Without noise the values are those of `preprocess.make_views`, bit for bit: the mean is subtracted, then the
    difference divided, both in float32. With noise of kind `std` inputs are also divided by (1 + strength), as the
    authors' source does in training only. With ``channels_last`` the result has that memory format.
    """

    def __init__(
        self, pictures: PictureRecipe, statistics: Statistics, device: torch.device, channels_last: bool = False
    ) -> None:
        self._device, self._channels_last = device, channels_last
        self._reversed = pictures.channels is Channels.BGR
        mean, std = _mean(pictures, statistics), _std(pictures.std)
        noisy = std
        if pictures.noise > 0 and pictures.noise_of == "std":
            noisy = (torch.ones(1, 1, 1) if std is None else std) * (1 + pictures.noise)
        self._mean, self._std, self._noisy_std = (self._constant(values) for values in (mean, std, noisy))

    def __call__(self, images: Tensor, noise: Tensor | None = None) -> Tensor:
        """``images`` uint8 [n, h, w, C] on the CPU; ``noise`` float32 [n, C], 0 to 255; colours as prepared."""
        inputs = self._arrange(self._moved(images))
        if self._mean is not None:
            inputs.sub_(self._mean)
        if noise is not None:
            inputs.add_(self._moved(noise.flip(1) if self._reversed else noise)[:, :, None, None])
        std = self._std if noise is None else self._noisy_std
        return inputs if std is None else inputs.div_(std)

    def _moved(self, tensor: Tensor) -> Tensor:
        if self._device.type != "cuda":
            return tensor.to(self._device)
        return tensor.pin_memory().to(self._device, non_blocking=True)

    def _arrange(self, images: Tensor) -> Tensor:
        """A fresh float32 [n, C, h, w] in the memory format asked for."""
        if self._reversed:
            images = images.flip(3)
        if self._channels_last:
            return images.to(torch.float32).permute(0, 3, 1, 2)
        return images.permute(0, 3, 1, 2).to(torch.float32, memory_format=torch.contiguous_format)

    def _constant(self, values: Tensor | None) -> Tensor | None:
        """[h, w, C] as [1, C, h, w] on the device, in the memory format of the inputs."""
        if values is None:
            return None
        planes = values[None].permute(0, 3, 1, 2)
        return (planes if self._channels_last else planes.contiguous()).to(self._device)


def _mean(pictures: PictureRecipe, statistics: Statistics) -> Tensor | None:
    """[h, w, C] or [1, 1, C], in the net's order of colours. Every patch has the mean image's centre (paper 4.1)."""
    if pictures.mean == "none":
        return None
    if isinstance(pictures.mean, tuple):
        return torch.tensor(pictures.mean, dtype=torch.float32).reshape(1, 1, -1)
    if pictures.mean == "color":
        mean = torch.tensor(statistics.mean_color.tolist(), dtype=torch.float32).reshape(1, 1, -1)
    else:
        image, (height, width) = statistics.mean_image, pictures.crop
        top, left = corners(image.shape, pictures.crop, 1)[0]
        mean = torch.from_numpy(image[top : top + height, left : left + width].copy())
    return mean.flip(2) if pictures.channels is Channels.BGR else mean


def _std(numbers: tuple[float, ...] | None) -> Tensor | None:
    """[1, 1, C], in the net's order."""
    return None if numbers is None else torch.tensor(numbers, dtype=torch.float32).reshape(1, 1, -1)
