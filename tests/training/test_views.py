"""Test views beside patches written out one by one, and beside what `infer` makes of the same pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from netspec_runtime.errors import DataError
from netspec_runtime.training.recipe import ViewCount
from netspec_runtime.training.views import evaluation_batches
from netspec_runtime.training.views import test_crops as crops_of
from tests.training.pictures import on_disk, slow_crop, slow_reflection, split


def ten_views(image: NDArray[np.uint8], crop: tuple[int, int]) -> list[NDArray[np.uint8]]:
    """By hand, for pictures of 12 x 15 and 9 x 10 patches: 3 rows and 5 columns over."""
    top_left, top_right = slow_crop(image, (0, 0), crop), slow_crop(image, (0, 5), crop)
    bottom_left, bottom_right = slow_crop(image, (3, 0), crop), slow_crop(image, (3, 5), crop)
    centre = slow_crop(image, (1, 2), crop)
    five = [top_left, top_right, bottom_left, bottom_right, centre]
    return five + [slow_reflection(view) for view in five]


def test_ten_views_in_the_order_of_the_paper() -> None:
    data = split(4)
    views = crops_of(torch.from_numpy(data.images), (9, 10), 10)
    assert views.shape == (10, 4, 9, 10, 3)
    for number, image in enumerate(data.images):
        np.testing.assert_array_equal(views[:, number].numpy(), np.stack(ten_views(image, (9, 10))))


def test_one_view_is_the_centre() -> None:
    data = split(4)
    views = crops_of(torch.from_numpy(data.images), (9, 10), 1)
    assert views.shape == (1, 4, 9, 10, 3)
    for number, image in enumerate(data.images):
        np.testing.assert_array_equal(views[0, number].numpy(), ten_views(image, (9, 10))[4])


@pytest.mark.parametrize("count", [1, 10])
@pytest.mark.parametrize("colours", [1, 3])
def test_batches_hold_the_views_of_all_pictures_once(tmp_path: Path, count: ViewCount, colours: int) -> None:
    data = on_disk(tmp_path, split(23, colours=colours))
    for workers in (0, 2):
        found = list(evaluation_batches(data, (9, 10), count, 5, workers=workers))
        assert [len(batch.labels) for batch in found] == [5, 5, 5, 5, 3]
        np.testing.assert_array_equal(np.concatenate([batch.ids for batch in found]), np.arange(23))
        for batch in found:
            pictures = torch.from_numpy(data.images[batch.ids])
            assert torch.equal(batch.images, crops_of(pictures, (9, 10), count))
            np.testing.assert_array_equal(batch.labels.numpy(), data.labels[batch.ids])


def test_processes_take_ranges_of_their_own() -> None:
    data = split(23)
    ranges = [(0, 8), (8, 16), (16, 24)]  # the last is cut to what there is
    found = [batch.ids for start, stop in ranges for batch in evaluation_batches(data, (9, 10), 1, 3, start, stop)]
    assert np.concatenate(found).tolist() == list(range(23))
    assert list(evaluation_batches(data, (9, 10), 1, 3, 23, 30)) == []


def test_pictures_smaller_than_the_crop_are_refused() -> None:
    with pytest.raises(DataError, match="12 x 15"):
        next(iter(evaluation_batches(split(), (9, 16), 10, 4)))
