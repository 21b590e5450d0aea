"""The curves of a run as SVG: train and test error by epoch. It reads no files and shows no windows."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from netspec_runtime.training.metrics import EpochRecord

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_TRAIN: Final = "#1f77b4"
_TEST: Final = "#d62728"
_GREY: Final = "#888888"
_DOTS: Final = 40  # so many epochs have a dot each; one epoch has nothing else

# What matplotlib would read from a user's own file is set here; the salt makes ids of the same curves the same.
_STYLE: Final[Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # the one that matplotlib brings with it
    "font.size": 10,
    "svg.fonttype": "path",
    "svg.hashsalt": "netspec",
    "path.simplify": False,  # each epoch is a point
    "text.parse_math": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def draw_curves(epochs: Sequence[EpochRecord], title: str) -> bytes:
    """Top-1 (and, where they differ, top-5) errors in percent over epochs, with the changes of the rate marked.

    The same records give the same bytes. There may be one epoch, or none.
    """

    def draw(figure: Figure, axes: Axes) -> None:
        _draw(axes, epochs)
        if epochs:
            figure.legend(loc="outside right upper", frameon=False, title=f"epoch {epochs[-1].epoch}", alignment="left")

    return draw_svg(title, draw)


def draw_svg(title: str, draw: Callable[[Figure, Axes], None]) -> bytes:
    """An SVG of errors over epochs that ``draw`` draws: the same bytes on any machine, whatever its matplotlib says."""
    with _quiet():
        return _figure(title, draw)


def draw_errors(axes: Axes, points: Sequence[tuple[int, float]], **style: Any) -> None:
    """A line through the (epoch, error) of each epoch; there is at least one."""
    dots = "o" if len(points) <= _DOTS else None
    axes.plot(*zip(*points, strict=True), marker=dots, markersize=3, **style)


def _figure(title: str, draw: Callable[[Figure, Axes], None]) -> bytes:
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        figure = Figure(figsize=(7.2, 4.2), layout="constrained")
        FigureCanvasSVG(figure)
        axes = figure.add_subplot()
        draw(figure, axes)
        _dress(axes)
        axes.set_title(title, loc="left", fontsize=11)
        out = io.BytesIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None, "Title": title})
    return out.getvalue()


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what matplotlib logs where a machine has no cache of fonts yet, or no home that it can write to."""
    logger = logging.getLogger("matplotlib")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def _dress(axes: Axes) -> None:
    """The axes' names, their numbers, the grid."""
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    axes.set_xlabel("epoch")
    axes.set_ylabel("error")
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_ylim(bottom=0)
    axes.grid(axis="y", color="#e5e5e5", linewidth=0.8)
    axes.set_axisbelow(True)


def _draw(axes: Axes, epochs: Sequence[EpochRecord]) -> None:
    _mark_rates(axes, epochs)
    _line(axes, epochs, "train_top1_error", "train, top-1", _TRAIN, "-")
    _line(axes, epochs, "test_top1_error", "test, top-1", _TEST, "-")
    if any(record.train_top5_error > 0 or record.test_top5_error for record in epochs):
        _line(axes, epochs, "train_top5_error", "train, top-5", _TRAIN, "--")
        _line(axes, epochs, "test_top5_error", "test, top-5", _TEST, "--")
    if len(epochs) <= 1:  # around a single dot there is no range to take
        middle = epochs[0].epoch if epochs else 1
        axes.set_xlim(middle - 1, middle + 1)


def _line(axes: Axes, epochs: Sequence[EpochRecord], field: str, label: str, color: str, style: str) -> None:
    points = [(record.epoch, getattr(record, field)) for record in epochs if getattr(record, field) is not None]
    if points:
        draw_errors(axes, points, color=color, linestyle=style, label=f"{label}: {points[-1][1]:.1%}")


def _mark_rates(axes: Axes, epochs: Sequence[EpochRecord]) -> None:
    """A dotted line before each epoch that ends with another rate, named; none where there are steps all the time."""
    changes = [(now.epoch, now.lr) for before, now in pairwise(epochs) if now.lr != before.lr]
    if len(changes) > len(epochs) // 3:  # a rate that falls all the time has no steps to mark
        return
    for epoch, rate in changes:
        axes.axvline(epoch - 0.5, color=_GREY, linewidth=0.8, linestyle=":")
        axes.annotate(
            f"rate {rate:.2g}",
            (epoch - 0.5, 1),
            (2, -2),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            color=_GREY,
            fontsize=8,
            rotation=90,
            va="top",
        )
