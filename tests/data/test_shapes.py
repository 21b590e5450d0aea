"""The drawn data set: the same bytes everywhere, figures that are what they are called, too hard for a linear model."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Callable
from math import cos, hypot, pi, sin
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from netspec.spec import load_spec
from netspec.spec.shipped import shipped_specs
from netspec_runtime.data.figures import FIGURES, Place
from netspec_runtime.data.shapes import CLASSES, draw, draw_picture, ensure_shapes, prepare_shapes
from netspec_runtime.errors import DataError

GRID = 320
RADIUS = 100.0
PERIOD = 40.0


def test_the_bytes_are_those_of_every_machine() -> None:
    images, labels = draw(300, seed=1)
    assert images.shape == (300, 32, 32, 3)
    assert [images.dtype.name, labels.dtype.name] == ["uint8", "int64"]
    assert (
        hashlib.sha256(images.tobytes()).hexdigest()
        == "c10a17be4a8c7f6e952f1b4c3cb9baa2c5494dabe279b27ab54cb888a8fcb8d9"
    )
    fresh = np.stack([draw_picture(label, 7) for label in range(len(CLASSES))])
    assert (
        hashlib.sha256(fresh.tobytes()).hexdigest()
        == "f0209fa9229dd8c09d540d374946f90f7ef93d09367ee790d95cd72300d9ea7e"
    )


def test_labels_take_turns() -> None:
    _, labels = draw(25, seed=0)
    assert labels.tolist() == [i % 10 for i in range(25)]


def test_a_picture_is_the_same_in_a_longer_draw() -> None:
    few, many = draw(7, seed=3)[0], draw(600, seed=3)[0]
    assert np.array_equal(few, many[:7])
    assert draw(0, seed=3)[0].shape == (0, 32, 32, 3)


def test_no_picture_comes_twice() -> None:
    drawn = [image.tobytes() for seed in (0, 1) for image in draw(500, seed)[0]]
    fresh = [draw_picture(label, seed).tobytes() for seed in (0, 1) for label in range(10)]
    assert len({*drawn, *fresh}) == 1020


def test_a_prepared_folder(tmp_path: Path) -> None:
    """The test pictures are those that follow the training pictures."""
    made = prepare_shapes(tmp_path / "shapes", train=70, test=30, seed=4)
    images, labels = draw(100, seed=4)
    assert made.classes == CLASSES
    assert np.array_equal(made.splits["train"].images, images[:70])
    assert np.array_equal(made.splits["test"].images, images[70:])
    assert np.array_equal(made.splits["test"].labels, labels[70:])
    np.testing.assert_allclose(made.statistics.mean_image, images[:70].astype(np.float64).mean(0), rtol=1e-6)
    with pytest.raises(DataError, match="the folder is not empty"):
        prepare_shapes(tmp_path / "shapes", train=70, test=30)
    again = prepare_shapes(tmp_path / "shapes", train=70, test=30, seed=4, replace=True)
    other = prepare_shapes(tmp_path / "other", train=70, test=30, seed=5)
    assert (again.digest == made.digest, other.digest == made.digest) == (True, False)


def test_pictures_are_drawn_once(tmp_path: Path) -> None:
    out = tmp_path / "cache" / "shapes"
    first = ensure_shapes(out, train=70, test=30)
    assert first.digest == prepare_shapes(tmp_path / "other", train=70, test=30).digest
    made = (out / "train-images.npy").stat().st_mtime_ns
    assert ensure_shapes(out, train=70, test=30).digest == first.digest
    assert (out / "train-images.npy").stat().st_mtime_ns == made
    assert len(ensure_shapes(out, train=60, test=30).splits["train"]) == 60
    assert [path.name for path in out.parent.iterdir()] == ["shapes"]


def test_a_kill_while_they_are_drawn_is_in_nobodys_way(tmp_path: Path) -> None:
    """Killed after each of its files in turn; the next call draws them."""
    out = tmp_path / "shapes"
    script = (
        "import os, sys\nfrom pathlib import Path\nfrom netspec_runtime import files\n"
        "from netspec_runtime.data import shapes\n"
        "left, whole = int(sys.argv[2]), files.sync_folder\n"
        "def killed(folder):\n    global left\n    left -= 1\n    whole(folder)\n    left or os.kill(os.getpid(), 9)\n"
        "files.sync_folder = killed\nshapes.ensure_shapes(Path(sys.argv[1]), train=20, test=10)\n"
    )
    codes = [
        subprocess.run([sys.executable, "-c", script, out, str(files)], check=False).returncode for files in (1, 3, 7)
    ]
    assert codes == [-9, -9, -9]
    assert len(ensure_shapes(out, train=20, test=10).splits["test"]) == 10


def test_someones_folder_stays(tmp_path: Path) -> None:
    (tmp_path / "shapes").mkdir()
    (tmp_path / "shapes" / "mine.txt").write_text("mine")
    with pytest.raises(DataError, match=r"the folder is not empty: it has mine\.txt"):
        ensure_shapes(tmp_path / "shapes", train=20, test=10)


def test_the_shipped_spec_has_the_classes() -> None:
    assert load_spec(shipped_specs()["shapes"]).labels == CLASSES


def polygon(corners: list[tuple[float, float]]) -> NDArray[np.bool_]:
    """What Pillow fills, [GRID, GRID], of corners around the middle."""
    picture = Image.new("1", (GRID, GRID))
    middle = (GRID - 1) / 2
    ImageDraw.Draw(picture).polygon([(x + middle, y + middle) for x, y in corners], fill=1)
    return np.asarray(picture)


def around(count: int, *radii: float) -> list[tuple[float, float]]:
    """Corners at these distances in turn, the first one straight up."""
    turns = [2 * pi * i / count for i in range(count)]
    return [(radii[i % len(radii)] * sin(t), -radii[i % len(radii)] * cos(t)) for i, t in enumerate(turns)]


def pixelwise(inside: Callable[[float, float], bool]) -> NDArray[np.bool_]:
    steps = [i - (GRID - 1) / 2 for i in range(GRID)]
    return np.array([[inside(x, y) for x in steps] for y in steps])


def arms() -> NDArray[np.bool_]:
    half = RADIUS * 0.25
    ends = [(half, half), (half, RADIUS), (-half, RADIUS), (-half, half)]
    return polygon([*ends, *[(-y, x) for x, y in ends], *[(-x, -y) for x, y in ends], *[(y, -x) for x, y in ends]])


def band(x: float) -> bool:
    return abs(x % PERIOD - PERIOD / 2) < PERIOD / 4


def checker(x: float, y: float) -> bool:
    side = 0.7 * PERIOD
    return ((x + side / 2) // side + (y + side / 2) // side) % 2 == 1


PLAIN: dict[str, Callable[[], NDArray[np.bool_]]] = {
    "disc": lambda: pixelwise(lambda x, y: hypot(x, y) < 0.9 * RADIUS),
    "ring": lambda: pixelwise(lambda x, y: 0.74 * RADIUS < hypot(x, y) < RADIUS),
    "square": lambda: polygon([(s * 78, t * 78) for s, t in ((1, 1), (1, -1), (-1, -1), (-1, 1))]),
    "triangle": lambda: polygon(around(3, RADIUS)),
    "cross": arms,
    "star": lambda: polygon(around(10, 0.36 * RADIUS / cos(2 * pi / 5), 0.36 * RADIUS / cos(pi / 5))),
    "stripes": lambda: pixelwise(lambda x, _: band(x)),
    "checkers": lambda: pixelwise(checker),
    "dots": lambda: pixelwise(lambda x, y: hypot(x % PERIOD - PERIOD / 2, y % PERIOD - PERIOD / 2) < 0.23 * PERIOD),
    "ripples": lambda: pixelwise(lambda x, y: band(hypot(x, y))),
}


@pytest.mark.parametrize("name", CLASSES)
def test_a_figure_is_what_it_is_called(name: str) -> None:
    steps = np.arange(GRID) - (GRID - 1) / 2
    u, v = np.broadcast_arrays(steps[None, None, :], steps[None, :, None])
    radius, period, shift, width = (np.full((1, 1, 1), number) for number in (RADIUS, PERIOD, 0.0, 0.5))
    inside = FIGURES[name](Place(u, v, radius, period, shift, width))[0] < 0
    expected = PLAIN[name]()
    assert 0.05 < expected.mean() < 0.6
    wrong = min(np.mean(inside != expected), np.mean(inside[::-1] != expected))  # a figure may stand on its head
    assert wrong < 0.01


@pytest.mark.slow
def test_a_linear_model_fails() -> None:
    """Logistic regression on the pixels, to its end."""
    images, labels = draw(3000, seed=0)
    pixels = torch.tensor(images.reshape(len(images), -1)).float() / 255
    pixels -= pixels.mean(0)
    targets = torch.tensor(labels)
    weight = torch.zeros(3072, 10, requires_grad=True)
    optimizer = torch.optim.LBFGS([weight], max_iter=25, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        value = torch.nn.functional.cross_entropy(pixels[:2000] @ weight, targets[:2000]) + 0.01 * (weight**2).sum()
        value.backward()  # type: ignore[no-untyped-call]  # torch's own
        return value

    optimizer.step(loss)  # type: ignore[no-untyped-call]  # torch's own
    right = (pixels @ weight).argmax(1) == targets
    assert right[:2000].float().mean() > 0.3  # it did learn
    assert right[2000:].float().mean() < 0.25


def test_the_script_draws_a_fresh_picture(root: Path, tmp_path: Path) -> None:
    script, file = root / "docs" / "draw_shape.py", tmp_path / "new" / "star.png"
    done = subprocess.run([sys.executable, script, "star", "7", file], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, f"drew star into {file}\n")
    assert np.array_equal(np.asarray(Image.open(file)), draw_picture(CLASSES.index("star"), 7))
    done = subprocess.run([sys.executable, script, "cube", "7", file], capture_output=True, text=True, check=False)
    assert done.returncode == 2
