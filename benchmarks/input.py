"""Training input on one core: crops of prepared pictures into a uint8 batch, beside the loop that one writes first."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import torch

from benchmarks.in_turn import in_turn, show
from netspec_runtime.data.prepared import Split
from netspec_runtime.training.crops import cut

BATCH = 128
SIZES = {"ImageNet": (512, 256, 224), "CIFAR-10": (20000, 32, 32), "CIFAR-10, cropped": (20000, 32, 24)}


def main() -> None:
    """Print times of a batch, ratios, and our crops a second; the page cache is warm."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for name, (count, size, crop) in SIZES.items():
            with tempfile.TemporaryDirectory() as folder:
                _measure(name, _prepared(Path(folder), count, size), size, crop)
    finally:
        torch.set_num_threads(threads)


def _prepared(folder: Path, count: int, size: int) -> Split:
    """Random pictures, mapped from a file."""
    file = folder / "train-images.npy"
    np.save(file, np.random.default_rng(0).integers(0, 256, (count, size, size, 3), dtype=np.uint8))
    return Split(np.load(file, mmap_mode="r"), np.zeros(count, np.int64))


def _measure(name: str, split: Split, size: int, crop: int) -> None:
    generator = np.random.default_rng(1)
    ids = generator.integers(0, len(split), BATCH)
    tops, lefts = generator.integers(0, size - crop + 1, (2, BATCH))
    mirrored = generator.integers(0, 2, BATCH).astype(np.bool_)

    def loop() -> torch.Tensor:
        batch = np.empty((BATCH, crop, crop, 3), np.uint8)
        for place, (i, top, left, mirror) in enumerate(zip(ids, tops, lefts, mirrored, strict=True)):
            patch = split.images[i, top : top + crop, left : left + crop]
            batch[place] = patch[:, ::-1] if mirror else patch
        return torch.from_numpy(batch)

    def ours() -> torch.Tensor:
        return cut(split, ids, (tops, lefts), mirrored, (crop, crop))

    if not torch.equal(loop(), ours()):
        raise SystemExit("input: the two sides cut different patches")
    timings = in_turn({"loop over pictures, numpy": loop, "netspec": ours}, 21)
    show(f"input: {BATCH} crops of {crop} of {size} x {size}, {name}, one thread", timings)
    for timing in timings:
        print(f"  {timing.name}: {BATCH / timing.seconds:,.0f} crops/s")


if __name__ == "__main__":
    main()
