"""A data set that netspec draws itself: ten classes of coloured shapes and textures, 32 x 32. It reads no files.

A picture is a function of (seed, its number): equal on every machine, and whatever the number of pictures. Colours say
nothing of the class, a figure may be lighter or darker than what is behind it, and it lies anywhere, at any size and
angle: a linear model of the pixels is right for one picture in six, a small convolutional net for nearly all.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from netspec_runtime.data.figures import FIGURES, Floats, Place
from netspec_runtime.data.journal import alone_in
from netspec_runtime.data.manifest import TEST, TRAIN, Origin, read_manifest
from netspec_runtime.data.open import is_prepared, open_prepared
from netspec_runtime.data.prepared import PreparedData, Split
from netspec_runtime.data.write import claim, write_arrays
from netspec_runtime.files import disk_errors

TRAIN_PICTURES: Final = 10_000
TEST_PICTURES: Final = 2_000
CLASSES: Final = tuple(FIGURES)
SIZE: Final = 32  # pixels
DRAWING: Final = 1  # the version of what is drawn

_GRAIN: Final = SIZE * SIZE * 3  # bytes of noise a picture
_LOTS: Final = 24  # numbers that say how a picture looks
_WORDS: Final = _LOTS + _GRAIN // 8
_AT_ONCE: Final = 256  # pictures drawn together: what they need stays in the cache
_DATA_SET, _FRESH = 0, 1  # streams of one seed: a fresh picture is in no data set


def draw(count: int, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """``count`` pictures uint8 [count, 32, 32, 3], RGB, and their labels int64 [count]: places in CLASSES, in turn.

    ``seed``: 0 to 2^64 - 1. The first pictures of a longer draw are those of a shorter one.
    """
    labels = np.arange(count, dtype=np.int64) % len(CLASSES)
    images = np.empty((count, SIZE, SIZE, 3), np.uint8)
    stream = _stream(seed, _DATA_SET)
    for start in range(0, count, _AT_ONCE):
        part = slice(start, min(count, start + _AT_ONCE))
        images[part] = _pictures(labels[part], _words(stream, part.stop - part.start))
    return images, labels


def draw_picture(label: int, seed: int) -> NDArray[np.uint8]:
    """One picture [32, 32, 3] of the class, which is in no data set that ``draw`` makes, of any seed."""
    picture: NDArray[np.uint8] = _pictures(np.array([label]), _words(_stream(seed, _FRESH), 1))[0]
    return picture


def prepare_shapes(
    out: Path, train: int = TRAIN_PICTURES, test: int = TEST_PICTURES, seed: int = 0, *, replace: bool = False
) -> PreparedData:
    """A prepared folder of drawn pictures: ``train`` of them, and the ``test`` that follow in the same draw.

    The folder must be new or empty, or with ``replace`` hold prepared data. Raises DataError.
    """
    images, labels = draw(train + test, seed)
    splits = {TRAIN: Split(images[:train], labels[:train]), TEST: Split(images[train:], labels[train:])}
    return write_arrays(out, CLASSES, splits, _origin(train, test, seed), replace=replace)


def ensure_shapes(out: Path, train: int = TRAIN_PICTURES, test: int = TEST_PICTURES, seed: int = 0) -> PreparedData:
    """The prepared folder ``out`` of ``prepare_shapes``: opened if it is there, else drawn. Raises DataError.

    Drawn whole before it gets its name, so a kill leaves nothing that is in the way; of several processes one draws and
    the others wait.
    """
    with alone_in(out.parent, wait=True):
        if is_prepared(out) and read_manifest(out).origin == _origin(train, test, seed):
            return open_prepared(out)
        part = out.with_name(f".{out.name}.part")
        shutil.rmtree(part, ignore_errors=True)
        prepare_shapes(part, train, test, seed)
        claim(out, replace=True)
        with disk_errors(out, 0):
            part.replace(out)  # onto an empty folder
        return open_prepared(out)


def _origin(train: int, test: int, seed: int) -> Origin:
    """What tells drawn data apart; DRAWING changes with the pictures."""
    return Origin("drawn", notes=(f"drawing {DRAWING}: {train:,} + {test:,} pictures from seed {seed}",))


def _stream(seed: int, kind: int) -> np.random.Philox:
    """A bit generator's raw numbers are what numpy promises to keep; those of its Generator are not."""
    return np.random.Philox(key=np.array([seed, kind], np.uint64))


def _words(stream: np.random.Philox, pictures: int) -> NDArray[np.uint64]:
    return stream.random_raw(pictures * _WORDS).reshape(pictures, _WORDS)


def _pictures(labels: NDArray[np.int64], words: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """uint8 [n, 32, 32, 3]: the figure over what is behind it, in the light of a slope, with noise."""
    lots = (words[:, :_LOTS] >> np.uint64(11)).astype(np.float64) / 2**53  # [n, lots], from 0 to below 1
    inside = np.empty((len(labels), SIZE, SIZE))
    for label in np.unique(labels):
        mine = labels == label
        inside[mine] = np.clip(0.5 - FIGURES[CLASSES[label]](_place(lots[mine, :8])), 0, 1)  # smooth edges
    behind, colour = _colours(lots[:, 8:18])
    slope = _slope(lots[:, 18:20])
    picture = behind + inside[..., None] * (colour - behind) + slope
    bytes_ = words[:, _LOTS:].astype("<u8").view(np.uint8).reshape(picture.shape)
    strength = 0.06 + 0.14 * lots[:, 20, None, None, None]  # so noise of up to 8 to 25 levels, more or less
    return np.clip(np.floor(picture + (bytes_ - 127.5) * strength + 0.5), 0, 255).astype(np.uint8)


def _place(lots: Floats) -> Place:
    """Where the figure lies, of eight lots a picture."""
    x, y, turn, half, size, period, shift, width = (lots[:, i, None, None] for i in range(8))
    t = 2 * turn - 1
    side = np.where(half < 0.5, 1.0, -1.0) / (1 + t * t)  # (1 - t^2, 2 t) / (1 + t^2) lies on the circle
    cosine, sine = side * (1 - t * t), side * 2 * t
    radius = 9 + 5 * size
    reach = SIZE / 2 - 0.8 * radius  # a figure may hang over the edge by a fifth of its radius
    along = np.arange(SIZE) - (SIZE - 1) / 2
    across, down = along[None, None, :] - (2 * x - 1) * reach, along[None, :, None] - (2 * y - 1) * reach
    u, v = cosine * across + sine * down, cosine * down - sine * across
    return Place(u, v, radius, 6 + 4 * period, shift, width)


def _colours(lots: Floats) -> tuple[Floats, Floats]:
    """The colour behind and the figure's, [n, 1, 1, 3] each: 40 to 140 levels apart, each channel up or down."""
    behind = 50 + 155 * lots[:, 0:3]
    distance = 40 + 100 * lots[:, 3:6]
    up = np.where(lots[:, 6:9] < 0.5, -1.0, 1.0)
    return behind[:, None, None, :], (behind + up * distance)[:, None, None, :]


def _slope(lots: Floats) -> Floats:
    """Light that falls from one side, [n, 32, 32, 1]: up to 32 levels more and less at the edges."""
    along = (np.arange(SIZE) - (SIZE - 1) / 2) * (2 / SIZE)
    x, y = (64 * lots[:, i, None, None] - 32 for i in range(2))
    slope: Floats = (x * along[None, None, :] + y * along[None, :, None]) / 2
    return slope[..., None]
