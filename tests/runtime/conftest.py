"""What the tests of the runtime share: a small model on disk and pictures of it. No pictures from elsewhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.runtime.models import SmallNet


@pytest.fixture(scope="session")
def model_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small netspec model with labels; do not change it."""
    return SmallNet().write(tmp_path_factory.mktemp("model") / "small.onnx")


@pytest.fixture
def picture() -> Image.Image:
    """Noise of 37 x 29 pixels: wide, odd, and smaller than nothing that is asked for."""
    return Image.fromarray(np.random.default_rng(7).integers(0, 256, (29, 37, 3), np.uint8))


@pytest.fixture
def picture_path(picture: Image.Image, tmp_path: Path) -> Path:
    """The picture as a PNG file."""
    path = tmp_path / "picture.png"
    picture.save(path)
    return path


@pytest.fixture(scope="session")
def photos(shared: Path) -> Path:
    """The folder of 100 real photos; some are grey."""
    return shared / "data" / "imagenet-samples"
