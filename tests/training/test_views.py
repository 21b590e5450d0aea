"""Test views beside patches written out one by one; test_pixels.py has them beside those of `infer`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from netspec_runtime.preprocess import ViewCount
from netspec_runtime.training.views import View, cut_view, views_of
from tests.training.pictures import on_disk, slow_crop, slow_reflection, split

CENTRE = 4


def ten_views(image: NDArray[np.uint8], crop: tuple[int, int]) -> list[NDArray[np.uint8]]:
    """By hand, for pictures of 12 x 15 and 9 x 10 patches: 3 rows and 5 columns over."""
    top_left, top_right = slow_crop(image, (0, 0), crop), slow_crop(image, (0, 5), crop)
    bottom_left, bottom_right = slow_crop(image, (3, 0), crop), slow_crop(image, (3, 5), crop)
    centre = slow_crop(image, (1, 2), crop)
    five = [top_left, top_right, bottom_left, bottom_right, centre]
    return five + [slow_reflection(view) for view in five]


@pytest.mark.parametrize("colours", [1, 3])
@pytest.mark.parametrize("count", [1, 10])
def test_views_in_the_order_of_the_paper(tmp_path: Path, count: ViewCount, colours: int) -> None:
    data, ids = on_disk(tmp_path, split(8, colours=colours)), np.array([5, 0, 7, 5])
    views = views_of((12, 15), (9, 10), count)
    assert len(views) == count
    for number, view in enumerate(views):
        found = cut_view(data, ids, view, (9, 10)).numpy()
        wanted = number if count == 10 else CENTRE
        np.testing.assert_array_equal(found, np.stack([ten_views(data.images[i], (9, 10))[wanted] for i in ids]))


def test_pictures_as_large_as_the_input_have_two_views_five_times() -> None:
    views = views_of((9, 10), (9, 10), 10)
    assert views == (View(0, 0, mirrored=False),) * 5 + (View(0, 0, mirrored=True),) * 5
