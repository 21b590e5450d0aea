"""Small nets trained for a moment by a plain loop, in the folder of a run, and the pictures that they learn."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import nn

from netspec.backends.onnx.model import merged_graph, write_merged
from netspec.backends.torch import emit_module
from netspec.pipeline import compile_spec
from netspec.seen import Seen
from netspec.spec.load import load_text
from netspec.spec.names import class_name
from netspec_runtime.data.prepare import Options, prepare
from netspec_runtime.data.prepared import PreparedData
from netspec_runtime.preprocess import corners
from netspec_runtime.training.checkpoint import write_best
from netspec_runtime.training.net import LocalNet

CLASSES = ("ant", "bee", "cat", "dog", "elk", "fox")
SIDE = 20  # of prepared pictures

SPEC = """
netspec: 1
name: {name}
input: {{channels: 3, size: {crop}}}
classes: 6
labels: [{labels}]
layers:
  conv1: {{type: conv, inputs: data, filters: 8, size: 5, stride: 2, neuron: relu, init_w: 0.02}}
  pool1: {{type: pool, inputs: conv1, pool: max, size: 2, stride: 2}}
  fc2: {{type: fc, inputs: pool1, outputs: 6, init_w: 0.02}}
  probs: {{type: softmax, inputs: fc2}}
data: {{resize: 20, channels: {channels}, mean: image, test_views: {views}}}
"""
RECIPE = "train: {batch: 16, epochs: 1, lr: 0.0001}\n"  # for that spec


def draw_pictures(folder: Path, count: int = 8, seed: int = 0) -> None:
    """``train`` and ``val`` with a folder of PNG files for each class: noisy stripes, slanted by class."""
    random = np.random.default_rng(seed)
    for split in ("train", "val"):
        for number, name in enumerate(CLASSES):
            (folder / split / name).mkdir(parents=True)
            for index in range(count):
                pixels = _stripes(random, 30 + index % 3, 24 + number, number)
                Image.fromarray(pixels).save(folder / split / name / f"{index}.png")


def _stripes(random: np.random.Generator, width: int, height: int, number: int) -> NDArray[np.uint8]:
    rows, columns = np.mgrid[:height, :width]
    angle = np.pi * number / len(CLASSES)
    waves = np.sin((rows * np.sin(angle) + columns * np.cos(angle)) * 0.9 + random.uniform(0, 6))
    colours = random.normal(128, 30, 3) + 40 * waves[:, :, None] + random.normal(0, 60, (height, width, 3))
    clipped: NDArray[np.uint8] = colours.clip(0, 255).astype(np.uint8)
    return clipped


def prepared(source: Path, out: Path, side: int = SIDE) -> Path:
    """The folder, prepared."""
    return prepare([source], out, Options(side=side, workers=1), lambda done, total, bad: None).path


def train_run(
    folder: Path,
    data: PreparedData,
    seed: int = 0,
    crop: int = 16,
    channels: str = "rgb",
    views: int = 1,
    labels: Sequence[str] = CLASSES,
) -> Path:
    """A run's folder: the spec, the best weights and model.onnx."""
    text = SPEC.format(name="small", crop=crop, channels=channels, views=views, labels=", ".join(labels))
    made = compile_spec(load_text(text))
    spec = made.spec
    net = LocalNet(emit_module(spec, made.merged, made.merged), class_name(spec.name), ("cpu",))
    seen = Seen(data.statistics.mean_image, tuple(map(float, data.statistics.mean_color)))
    _fit(net, data, seen.image(spec), channels, seed)
    folder.mkdir()
    weights = net.collect(net.module.state_dict())
    (folder / f"{spec.name}.yaml").write_text(text, encoding="utf-8")
    write_best(folder, weights, {"step": 60})

    def fill(arrays: dict[str, NDArray[np.float32]]) -> None:
        for name, array in arrays.items():
            array[...] = weights[name].numpy()

    write_merged(folder / "model.onnx", merged_graph(spec, made.merged, "fast", tuple(labels), seen), fill)
    return folder


def _fit(net: LocalNet, data: PreparedData, mean: NDArray[np.float32], channels: str, seed: int) -> None:
    """Sixty steps on all training pictures at once, on their centres."""
    torch.manual_seed(seed)
    net.module.reset_parameters()  # type: ignore[operator]  # of the generated class
    size = (mean.shape[1], mean.shape[2])
    top, left = corners(data.splits["train"].images.shape[1:], size, 1)[0]
    pixels = np.array(data.splits["train"].images)[:, top : top + size[0], left : left + size[1]]
    pixels = pixels[..., ::-1] if channels == "bgr" else pixels
    images = torch.tensor(pixels.transpose(0, 3, 1, 2).astype(np.float32) - mean)
    labels = torch.tensor(data.splits["train"].labels)
    optimizer = torch.optim.SGD(net.module.parameters(), 2e-4, momentum=0.9)
    for _ in range(60):
        optimizer.zero_grad()
        logits = net.logits(images)
        assert logits is not None
        nn.functional.cross_entropy(logits, labels).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    net.module.eval()
