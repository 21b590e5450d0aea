"""The curves of all runs of an experiment in one SVG. It reads no files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from netspec.experiment.compare import Variant, best_of
from netspec.experiment.model import Experiment, Measure
from netspec.experiment.report import measured

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLOURS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")  # Okabe and Ito's
_FAINT: Final = 0.3


def draw_experiment(experiment: Experiment, found: Sequence[Variant]) -> bytes:
    """Errors by epoch, those that are measured: a colour for each run, its best variant solid, the others faint.

    Each curve is a group whose id is its run's folder name. The same results give the same bytes.
    """
    from netspec_runtime.training.curves import draw_svg

    measure = experiment.measure

    def draw(figure: Figure, axes: Axes) -> None:
        _curves(axes, found, measure)
        if measure.epochs_to is not None:
            axes.axhline(measure.epochs_to, color="#888888", linestyle="--", linewidth=1, gid="threshold")
        axes.set_xlim(left=0)
        if axes.get_legend_handles_labels()[0]:
            figure.legend(loc="outside right upper", frameon=False, fontsize=9)

    whose = {"train": "training", "test": "test"}[measure.split]
    return draw_svg(f"{experiment.name}: {whose} error by epoch", draw)


def _curves(axes: Axes, found: Sequence[Variant], measure: Measure) -> None:
    from netspec_runtime.training.curves import draw_errors

    best = best_of(found, measure)
    colours = {run: _COLOURS[n % len(_COLOURS)] for n, run in enumerate(best)}
    for variant in sorted(found, key=lambda v: best[v.run] is v):  # the best ones above the others
        solid = best[variant.run] is variant
        for number, outcome in enumerate(variant.outcomes):
            points = outcome.curve(measure.split)
            if points:
                draw_errors(
                    axes,
                    points,
                    color=colours[variant.run],
                    alpha=1 if solid else _FAINT,
                    linewidth=1.8 if solid else 1.2,
                    label=None if number else _label(variant, measure),
                    gid=outcome.trial.slug,
                )


def _label(variant: Variant, measure: Measure) -> str:
    unit = "" if measure.epochs_to is None else " epochs"
    return f"{variant.label}: {measured(variant, measure, unit)}"
