"""Names of merged layers, and how few groups say what they read. No net is merged here."""

from __future__ import annotations

import pytest

from netspec.importers.towers.naming import stem
from netspec.importers.towers.selection import Selection, is_even, select


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("conv1a", "conv1b"), "conv1"),
        (("fc2048ba", "fc2048bb"), "fc2048b"),
        (("conv1", "conv1b"), "conv1"),
        (("conv_left", "conv_right"), "conv"),
        (("a_conv1", "b_conv1"), "conv1"),
        (("conv1a_x", "conv1b_x"), "conv1_x"),
        (("north", "south"), "north"),
        (("up", "down"), "up"),
        (("1a", "1b"), "1a"),
        (("ifa", "ifb"), "ifa"),  # `if` is no name
        (("one",), "one"),
    ],
)
def test_a_merged_layer_is_called_by_what_its_parts_have_in_common(names: tuple[str, ...], expected: str) -> None:
    assert stem(names) == expected


@pytest.mark.parametrize(
    ("parts", "channels", "expected"),
    [
        (((0, 1), (2, 3)), 4, Selection(2, None, ((0, 1), (0, 1)))),
        (((0, 1), (1, 0)), 2, Selection(1, None, ((0, 1), (1, 0)))),
        (((2, 3, 0, 1),), 4, Selection(1, None, ((2, 3, 0, 1),))),
        (((0, 1), (1, 0), (2, 3), (2, 3)), 4, Selection(2, None, ((0, 1), (1, 0), (0, 1), (0, 1)))),
        (((2, 0), (1, 3)), 4, Selection(2, (2, 0, 1, 3), ((0, 1), (0, 1)))),
        (((0, 2), (2, 0), (1, 3), (1, 3)), 4, Selection(2, (0, 2, 1, 3), ((0, 1), (1, 0), (0, 1), (0, 1)))),
    ],
)
def test_groups_are_the_fewest_that_say_what_is_read(
    parts: tuple[tuple[int, ...], ...], channels: int, expected: Selection
) -> None:
    assert select(parts, channels) == expected


def test_channels_are_read_evenly_or_not() -> None:
    assert is_even([(0, 1), (1, 0)], 2)
    assert not is_even([(0, 1), (0,)], 2)
    assert not is_even([(0, 1)], 3)
