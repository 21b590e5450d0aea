"""The curves are those of the records, the same bytes anywhere, readable with no epoch, one, or hundreds."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from netspec_runtime.training.curves import draw_curves
from netspec_runtime.training.metrics import EpochRecord
from tests.training.records import epochs

Points = Sequence[tuple[float, float]]

TEST_COLOUR, TRAIN_COLOUR = "#d62728", "#1f77b4"
ELSEWHERE = """
import sys
from tests.training.records import epochs
from netspec_runtime.training.curves import draw_curves
sys.stdout.buffer.write(draw_curves(epochs(15), "net"))
"""


def lines(svg: bytes, colour: str) -> list[list[tuple[float, float]]]:
    """The points of each curve of this colour, without those of the legend."""
    found = []
    for path in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}path"):  # noqa: S314 - our own text
        if path.get("clip-path") and f"stroke: {colour}" in path.get("style", ""):
            numbers = [float(n) for n in re.findall(r"-?[\d.]+", path.get("d", ""))]
            found.append(list(zip(numbers[::2], numbers[1::2], strict=True)))
    return found


def comments(svg: bytes) -> list[str]:
    """Words are outlines; matplotlib writes each into a comment too."""
    return re.findall(r"<!-- (.*?) -->", svg.decode())


@pytest.mark.parametrize("count", [2, 15, 90, 200])
def test_the_points_are_the_errors(count: int) -> None:
    records = epochs(count)
    svg = draw_curves(records, "net")
    top1, top5 = lines(svg, TEST_COLOUR)
    trained = lines(svg, TRAIN_COLOUR)[0]
    expect_linear([(r.epoch, r.test_top1_error or 0) for r in records], top1)
    both: list[tuple[float, float]] = [(r.epoch, r.test_top1_error or 0) for r in records]
    both += [(r.epoch, r.train_top1_error) for r in records]
    expect_linear(both, top1 + trained)  # on one scale
    expect_linear([(r.epoch, r.test_top5_error or 0) for r in records], top5)


def expect_linear(values: Points, places: Points) -> None:
    """Values and places on the page differ by a scale and an offset in each direction; upwards is less in SVG."""
    assert len(values) == len(places)
    for axis, sign in ((0, 1), (1, -1)):
        (v0, p0), (v1, p1) = ((f((v[axis], p[axis]) for v, p in zip(values, places, strict=True))) for f in (min, max))
        scale = (p1 - p0) / (v1 - v0)
        assert scale * sign > 0
        for value, place in zip(values, places, strict=True):
            assert place[axis] == pytest.approx(p0 + (value[axis] - v0) * scale, abs=0.01)


def test_the_legend_has_the_last_errors_and_rates_are_marked() -> None:
    said = comments(draw_curves(epochs(15), "a_net $x^2$"))
    assert "a_net $x^2$" in said
    assert "epoch 15" in said
    last = epochs(15)[-1]
    assert f"test, top-1: {last.test_top1_error:.1%}" in said
    assert f"train, top-5: {last.train_top5_error:.1%}" in said
    assert [text for text in said if text.startswith("rate")] == ["rate 0.001", "rate 0.0001", "rate 1e-05"]


@pytest.mark.parametrize("count", [3, 6, 40])
def test_a_rate_that_always_falls_is_not_marked(count: int) -> None:
    records = [replace(record, lr=0.1 / record.epoch) for record in epochs(count)]
    assert [text for text in comments(draw_curves(records, "net")) if text.startswith("rate")] == []


@pytest.mark.parametrize("count", [0, 1])
def test_there_may_be_no_epoch_or_one(count: int) -> None:
    svg = draw_curves(epochs(count), "net")
    ET.fromstring(svg)  # noqa: S314 - our own text
    assert len(re.findall(f"<use [^>]*fill: {TEST_COLOUR}", svg.decode())) >= count  # its dot


def test_where_nothing_is_tested_or_top5_is_always_right_there_is_no_such_curve() -> None:
    records: list[EpochRecord] = [
        replace(r, test_loss=None, test_top1_error=None, test_top5_error=None) for r in epochs(5, top5=False)
    ]
    svg = draw_curves(records, "net")
    assert (len(lines(svg, TRAIN_COLOUR)), len(lines(svg, TEST_COLOUR))) == (1, 0)


@pytest.mark.slow
def test_the_same_bytes_without_a_home_and_with_other_settings(tmp_path: Path, root: Path) -> None:
    (tmp_path / "matplotlibrc").write_text("lines.linewidth: 20\nfont.size: 30\naxes.facecolor: red\nsvg.hashsalt: x\n")
    variables = {
        **os.environ,
        "HOME": "/proc/none",  # nobody can write there
        "XDG_CONFIG_HOME": "/proc/none",
        "XDG_CACHE_HOME": "/proc/none",
        "MATPLOTLIBRC": str(tmp_path),
        "SOURCE_DATE_EPOCH": "5",
        "PYTHONWARNINGS": "error",
    }
    done = subprocess.run((sys.executable, "-c", ELSEWHERE), cwd=root, env=variables, capture_output=True, check=False)
    assert done.stderr.decode() == ""
    assert done.stdout == draw_curves(epochs(15), "net")
    assert b"20" not in re.findall(rb"stroke-width: ([\d.]+)", done.stdout)
