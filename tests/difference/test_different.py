"""Nets that differ: exactly what differs is told, whichever of the two comes first."""

from __future__ import annotations

import pytest

from netspec.difference import Scope
from tests.difference.nets import Told, cases, compute_alike, difference, spec, told

DIFFERENCES = {case.name: case for case in cases("differences.txt")}
ONE = "c: {type: conv, inputs: data, filters: 4, size: 3}"


@pytest.mark.parametrize("name", DIFFERENCES)
def test_what_differs_is_told(name: str) -> None:
    case = DIFFERENCES[name]
    a, b = spec(case.a), spec(case.b)
    assert told(difference(a, b)) == list(case.rows)
    assert sorted(map(_turned, told(difference(b, a)))) == sorted(case.rows)
    assert not compute_alike(a, b)


def _turned(row: Told) -> Told:
    layers, what, a, b = row
    return " / ".join(reversed(layers.split(" / "))), what, b, a


HEADS: dict[str, tuple[str, str, list[Told]]] = {
    "the input": (
        "input: {size: 8}",
        "input: {size: [8, 9], name: picture}",
        [("", "input.size", "8", "8, 9")],
    ),
    "how a picture is cut": (
        "input: {size: 8}\ndata: {mirror: true, resize: 9, test_views: 10}",
        "input: {size: 8}\ndata: {crop: 8}",
        [
            ("", "data.resize", "9", "stretched"),
            ("", "data.mirror", "true", "false"),
            ("", "data.test_views", "10", "1"),
        ],
    ),
    "the order of colours, not their means": (
        "input: {size: 8}\ndata: {mean: [1, 2, 3], std: [4, 5, 6]}",
        "input: {size: 8}\ndata: {mean: [3, 2, 1], std: [6, 5, 4], channels: bgr}",
        [("", "data.channels", "rgb", "bgr")],
    ),
    "the means of colours": (
        "input: {size: 8}\ndata: {mean: [1, 2, 3], std: [4, 5, 6]}",
        "input: {size: 8}\ndata: {mean: color, mean_color: [1, 2, 3]}",
        [("", "data.mean", "R 1, G 2, B 3", "color"), ("", "data.std", "R 4, G 5, B 6", "none")],
    ),
    "what stands in for a mean": (
        "input: {size: 8}\ndata: {mean: image, mean_color: [1, 2, 3]}",
        "input: {size: 8}\ndata: {mean: image, mean_color: [1, 2, 3], channels: bgr}",
        [
            ("", "data.channels", "rgb", "bgr"),
            ("", "data.mean_color", "R 1, G 2, B 3", "R 3, G 2, B 1"),
        ],
    ),
    "colour noise": (
        "input: {size: 8}\ndata: {color_pca: 0.1}",
        "input: {size: 8}\ndata: {color_pca: 0.2, color_pca_of: std}",
        [("", "data.color_pca", "0.1", "0.2"), ("", "data.color_pca_of", "eigenvalue", "std")],
    ),
}


@pytest.mark.parametrize("name", HEADS)
def test_how_a_picture_becomes_the_input(name: str) -> None:
    head_a, head_b, expected = HEADS[name]
    a, b = spec(ONE, head_a), spec(ONE.replace("data", "picture") if "picture" in head_b else ONE, head_b)
    assert told(difference(a, b)) == expected


def test_outputs() -> None:
    layers = f"{ONE}\nd: {{type: fc, inputs: c, outputs: 2}}"
    a, b = spec(layers), spec(layers, "input: {size: 8}\noutputs: [d, c]")
    assert told(difference(a, b)) == [("", "outputs", "d", "d, c")]


SCHEDULES: dict[str, tuple[str, str, list[Told]]] = {
    "the recipe": (
        "train: {batch: 1, epochs: 2, momentum: 0.5, decay: 0}",
        "train: {batch: 2, epochs: 3, momentum: 0.6, decay: 1}",
        [
            ("c", "decay", "0", "1"),
            ("", "batch", "1", "2"),
            ("", "epochs", "2", "3"),
            ("", "momentum", "0.5", "0.6"),
        ],
    ),
    "when rates fall": (
        "train: {lr: {start: 0.1, when: [3, 4]}, lr_b: 0.2}",
        "train: {lr: {start: 0.1, when: plateau, divide: 2}, lr_b: {start: 0.2, curve: exp}}",
        [
            ("c", "rate of weights", "0.1, / 10 after 3, 4", "0.1, / 2 at 3 plateaus of 5 epochs"),
            ("c", "rate of biases", "0.2", "0.2, exp to / 10"),
        ],
    ),
    "a schedule times a layer's multiple, and times none": (
        "train: {lr: {start: 0.1, when: [3]}, lr_b: {start: 0.2, curve: linear}}",
        "train: {lr: {start: 0.2, when: [3]}, lr_b: {start: 0.4, curve: linear}}",
        [
            ("c", "rate of weights", "0.1, / 10 after 3", "0.2, / 10 after 3"),
            ("c", "rate of biases", "0.2, linear to / 10", "0.4, linear to / 10"),
        ],
    ),
    "how many levels": (
        "train: {lr: {start: 1, curve: dexp}, lr_b: 1}",
        "train: {lr: {start: 1, curve: dexp, levels: 5}, lr_b: 1}",
        [("c", "rate of weights", "1, dexp to / 10 in 4 levels", "1, dexp to / 10 in 5 levels")],
    ),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_training_when_asked(name: str) -> None:
    train_a, train_b, expected = SCHEDULES[name]
    a, b = (spec(ONE, f"input: {{size: 8}}\n{train}") for train in (train_a, train_b))
    assert told(difference(a, b)) == []
    assert told(difference(a, b, Scope(train=True))) == expected


def test_each_side_says_where_it_stands() -> None:
    head = "input: {size: 8}\ndefaults: {conv: {size: 3}}"
    (row,) = difference(spec(ONE.replace(", size: 3", ""), head), spec(ONE.replace("3", "2"))).rows
    assert [side.place for side in (row.a, row.b) if side] == ["a.yaml:4", "b.yaml:5"]
    assert row.a is not None
    assert (row.a.source, row.a.line) == ("a.yaml", 4)


def test_a_key_that_nobody_wrote_has_the_place_of_what_it_would_stand_in() -> None:
    (row,) = difference(
        spec(ONE, "input: {size: 8}\ndata: {}"), spec(ONE, "input: {size: 8}\ndata: {mirror: true}")
    ).rows
    assert [side.place for side in (row.a, row.b) if side] == ["a.yaml:4", "b.yaml:4"]
    (row,) = difference(spec(ONE), spec(ONE, "input: {size: 8}\ndata: {mirror: true}")).rows
    assert [side.place for side in (row.a, row.b) if side] == ["", "b.yaml:4"]


def test_sizes_follow_and_are_no_differences_of_their_own() -> None:
    a = f"{ONE}\np: {{type: pool, inputs: c, pool: max, size: 2, stride: 2}}\nf: {{type: fc, inputs: p, outputs: 3}}"
    found = difference(spec(a), spec(a.replace("filters: 4", "filters: 5")))
    assert told(found) == [("c", "filters", "4", "5")]
    sizes = [(row.a.layer, row.what, row.a.text, row.b.text) for row in found.sizes if row.a and row.b]
    assert sizes == [
        ("c", "output", "4x6x6", "5x6x6"),
        ("c", "parameters", "112", "140"),
        ("c", "MACs", "3,888", "4,860"),
        ("p", "output", "4x3x3", "5x3x3"),
        ("f", "parameters", "111", "138"),
        ("f", "MACs", "108", "135"),
    ]
    assert [(total.a, total.b) for total in found.totals] == [(223, 278), (3996, 4995)]
