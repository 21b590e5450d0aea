"""Patches beside a loop over pixels, and pictures that do not fit."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import numpy as np
import pytest
import torch

from netspec_runtime.data.prepared import Split
from netspec_runtime.errors import DataError
from netspec_runtime.training.crops import cut, require_fit
from tests.training.pictures import on_disk, slow_crop, slow_reflection, split


@pytest.mark.parametrize("colours", [1, 3])
@pytest.mark.parametrize(
    ("size", "crop"),
    [
        ((12, 15), (9, 10)),
        ((15, 12), (9, 10)),
        ((7, 7), (7, 7)),
        ((5, 9), (5, 1)),
        ((130, 120), (129, 111)),  # reflected in pieces, each of several lines of one picture
        ((2, 12000), (2, 11000)),  # a line is longer than what torch does alone
    ],
)
def test_a_batch_of_patches_is_the_same_as_pixel_by_pixel(
    tmp_path: Path, size: tuple[int, int], crop: tuple[int, int], colours: int
) -> None:
    data = on_disk(tmp_path, split(6, size, colours))
    generator = np.random.default_rng(1)
    ids = generator.integers(0, 6, 20)
    tops = generator.integers(0, size[0] - crop[0] + 1, 20)
    lefts = generator.integers(0, size[1] - crop[1] + 1, 20)
    mirrored = generator.integers(0, 2, 20).astype(bool)
    if size[1] > 1000:  # the loop over pixels is slow
        ids, tops, lefts, mirrored = ids[:3], tops[:3], lefts[:3], mirrored[:3]
        mirrored[0] = True
    patches = cut(data, ids, (tops, lefts), mirrored, crop)
    expected = [slow_crop(data.images[i], (y, x), crop) for i, y, x in zip(ids, tops, lefts, strict=True)]
    expected = [slow_reflection(p) if m else p for p, m in zip(expected, mirrored, strict=True)]
    assert patches.dtype == torch.uint8
    assert patches.is_contiguous()
    np.testing.assert_array_equal(patches.numpy(), np.stack(expected))


def test_no_patches_are_an_empty_batch() -> None:
    none = np.empty(0, np.int64)
    assert cut(split(), none, (none, none), none.astype(bool), (9, 10)).shape == (0, 9, 10, 3)


@pytest.mark.parametrize("mapped", [False, True])
def test_a_patch_beyond_its_picture_is_refused(tmp_path: Path, mapped: bool) -> None:
    data = on_disk(tmp_path, split()) if mapped else split()
    one, inside = np.array([0]), np.array([0])
    with pytest.raises(IndexError):
        cut(data, one, (np.array([4]), inside), np.array([False]), (9, 10))  # 12 - 9 = 3 is the last
    with pytest.raises(IndexError):
        cut(data, one, (inside, np.array([6])), np.array([False]), (9, 10))
    with pytest.raises(IndexError):
        cut(data, np.array([50]), (inside, inside), np.array([False]), (9, 10))


@pytest.mark.parametrize("part", [slice(7, 31), slice(None, None, 3), slice(40, 4, -2)])
def test_a_part_of_a_split_is_read_at_its_own_place_in_the_file(tmp_path: Path, part: slice) -> None:
    whole = on_disk(tmp_path, split())
    some = Split(whole.images[part], whole.labels[part])
    ids = np.arange(len(some))
    patches = cut(some, ids, (ids * 0 + 2, ids * 0 + 1), ids < 0, (9, 10))
    np.testing.assert_array_equal(patches.numpy(), np.array(whole.images)[part][:, 2:11, 1:11])


def test_columns_taken_out_of_pictures_are_pictures_too(tmp_path: Path) -> None:
    whole = on_disk(tmp_path, split())
    ids = np.arange(50)
    patches = cut(Split(whole.images[:, :, 3:], whole.labels), ids, (ids * 0, ids * 0), ids < 0, (9, 10))
    np.testing.assert_array_equal(patches.numpy(), np.array(whole.images)[:, :9, 3:13])


def test_the_pictures_stay_as_they_were() -> None:
    data = split()
    before = data.images.copy()
    everything = np.arange(50)
    cut(data, everything, (everything * 0, everything * 0), everything >= 0, (12, 15))
    np.testing.assert_array_equal(data.images, before)


def test_a_loader_thread_wakes_no_threads_of_torch() -> None:
    """Torch would start as many as it is set to, in each thread that calls it with enough to do."""
    data, ids = split(20, (230, 230)), np.arange(20)
    counts: list[int] = []

    def work() -> None:
        before = _threads()
        cut(data, ids, (ids * 0, ids * 0), ids >= 0, (224, 224))
        counts.append(_threads() - before)
        torch.zeros(300, 300, 3, dtype=torch.uint8).flip(1)  # what a whole picture at a time would do
        counts.append(_threads() - before)

    threads = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    finally:
        torch.set_num_threads(threads)
    assert counts[0] <= 0  # fewer where those of another test end
    assert counts[1] > 0  # or this test could not fail


def _threads() -> int:
    tasks = Path("/proc/self/task")
    if not tasks.is_dir():
        pytest.skip("needs Linux's /proc to count the threads that are not Python's")
    return sum(1 for _ in tasks.iterdir())


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (split(0), "0 pictures"),
        (Split(split(5).images, split(4).labels), "5 pictures and 4 labels"),
        (split(size=(8, 15)), "8 x 15 pixels for a net that takes 9 x 10"),
        (split(size=(12, 9)), "12 x 9 pixels for a net that takes 9 x 10"),
        (split(colours=1), "1 colours for a net that takes 3"),
    ],
)
def test_pictures_that_do_not_fit_are_refused(data: Split, words: str) -> None:
    with pytest.raises(DataError, match=words):
        require_fit(data, (9, 10), 3)


def test_a_file_that_is_cut_short_is_an_error_and_no_crash(tmp_path: Path) -> None:
    data, ids = on_disk(tmp_path, split()), np.arange(50)
    file = tmp_path / "train-images.npy"
    os.truncate(file, file.stat().st_size // 2)
    with pytest.raises(DataError, match=r"train-images\.npy: the file has become shorter"):
        cut(data, ids, (ids * 0, ids * 0), ids < 0, (9, 10))
    file.unlink()
    with pytest.raises(DataError, match="cannot be read"):
        cut(data, ids, (ids * 0, ids * 0), ids < 0, (9, 10))
