"""`prepare` on one core against plain Pillow: open, convert, resize the same photos, in turn in one process.

The photos are those of ../shared, or drawn ones where it is missing. The peer writes nothing, cuts and sums nothing;
the second side is that work alone as netspec does it, to arrays; what `prepare` takes beyond it is sums, hashes, files.
"""

from __future__ import annotations

import os
import tempfile
from itertools import count
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.in_turn import in_turn, show
from netspec_runtime.card import Channels
from netspec_runtime.data.frame import Frame
from netspec_runtime.data.prepare import Options, prepare
from netspec_runtime.data.source import EncodedPictures, Item

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data" / "imagenet-samples"
COPIES = 4  # links to each, so that making and syncing the folder counts as little as in a large data set
ROUNDS = 7
MEMORY = "/dev/shm"  # noqa: S108 - this measures a core, not a disk
DRAWN = 40


def main() -> None:
    """Print times, the ratio, and pictures a second."""
    with tempfile.TemporaryDirectory(dir=MEMORY if Path(MEMORY).is_dir() else None) as text:
        folder = Path(text)
        photos = _links(SHARED if SHARED.is_dir() else _draw(folder / "drawn"), folder / "photos")
        paths = sorted(photos.iterdir())
        cores = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {min(cores)})  # threads started from here stay on this core
        rounds = count()
        sides = {
            "Pillow: open, convert, resize": lambda: _plain(paths),
            "netspec, in memory": lambda: _decoded(paths),
            "netspec prepare": lambda: _ours(photos, folder / str(next(rounds))),
        }
        timings = in_turn(sides, ROUNDS)
        os.sched_setaffinity(0, cores)
    show(f"prepare {len(paths)} photos to 256 x 256 on one core", timings)
    for timing in timings:
        print(f"  {timing.name}: {len(paths) / timing.seconds:.0f} pictures/s")


def _plain(paths: list[Path]) -> None:
    for path in paths:
        with Image.open(path) as opened:
            picture = opened.convert("RGB")
        shorter = min(picture.size)
        size = (picture.width * 256 // shorter, picture.height * 256 // shorter)
        picture.resize(size, Image.Resampling.BILINEAR)


def _decoded(paths: list[Path]) -> None:
    frame = Frame((256, 256), Channels.RGB, 256)
    pictures = EncodedPictures(tuple(Item(path.name, 0, str(path)) for path in paths))
    for index, path in enumerate(paths):
        frame.pixels(path.name, pictures.picture(index, Channels.RGB))


def _ours(photos: Path, out: Path) -> None:
    prepare([photos], out, Options(side=256, workers=1), lambda done, total, bad: None)


def _links(photos: Path, folder: Path) -> Path:
    folder.mkdir()
    for path in sorted(photos.iterdir()):
        for copy in range(COPIES):
            (folder / f"{copy}_{path.name}").symlink_to(path)
    return folder


def _draw(folder: Path) -> Path:
    """Photo-like pictures: smooth noise, 500 x 375."""
    folder.mkdir()
    for seed in range(DRAWN):
        coarse = np.random.default_rng(seed).integers(0, 256, (38, 50, 3), dtype=np.uint8)
        picture = Image.fromarray(coarse).resize((500, 375), Image.Resampling.BICUBIC)
        picture.save(folder / f"{seed}.jpg", quality=90)
    return folder


if __name__ == "__main__":
    main()
