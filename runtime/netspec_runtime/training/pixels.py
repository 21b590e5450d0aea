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
        constants = (self._constant(values, pictures.crop) for values in (mean, std, noisy))
        self._mean, self._std, self._noisy_std = constants

    def __call__(self, images: Tensor, noise: Tensor | None = None) -> Tensor:
        """``images`` uint8 [n, h, w, C] on the CPU; ``noise`` float32 [n, C], 0 to 255; colours as prepared."""
        inputs = self._arrange(self._moved(images))
        if self._mean is not None:
            inputs.sub_(self._mean)
        if noise is not None:
            self._add(inputs, self._moved(noise.flip(1) if self._reversed else noise))
        std = self._std if noise is None else self._noisy_std
        return inputs if std is None else inputs.div_(std)

    def pinned(self, tensor: Tensor) -> Tensor:
        """A tensor on its way to a GPU, in memory that the GPU reads by itself: a copy, made in the thread that asks.

        For a CPU it is the tensor itself.
        """
        if self._device.type != "cuda":
            return tensor
        with torch.cuda.device(self._device):  # a thread of its own would take memory of the first GPU
            return tensor.pin_memory()

    def _moved(self, tensor: Tensor) -> Tensor:
        return self.pinned(tensor).to(self._device, non_blocking=True)

    def _arrange(self, images: Tensor) -> Tensor:
        """A fresh float32 [n, C, h, w] in the memory format asked for."""
        if self._reversed:
            images = images.flip(3)
        if self._channels_last:
            return images.to(torch.float32, memory_format=torch.contiguous_format).permute(0, 3, 1, 2)
        return images.permute(0, 3, 1, 2).contiguous().to(torch.float32)

    def _add(self, inputs: Tensor, noise: Tensor) -> None:
        """Add [n, C] to every pixel, in place."""
        if not self._channels_last:
            inputs.add_(noise[:, :, None, None])
            return
        # Three numbers are too few for the innermost loop: a line of them is six times faster on a CPU.
        lines = inputs.permute(0, 2, 3, 1).view(len(inputs), inputs.shape[2], -1)
        lines.add_(noise.repeat(1, inputs.shape[3])[:, None, :])

    def _constant(self, values: Tensor | None, crop: tuple[int, int]) -> Tensor | None:
        """[h, w, C] or [1, 1, C] as [1, C, h, w] on the device, laid out as the inputs are, which is fast to apply."""
        if values is None:
            return None
        planes = values.expand(*crop, -1).permute(2, 0, 1)[None]
        layout = torch.channels_last if self._channels_last else torch.contiguous_format
        return planes.contiguous(memory_format=layout).to(self._device)


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
