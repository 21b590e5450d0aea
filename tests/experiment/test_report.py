"""The table, the numbers and the plot of an experiment say what its runs measured, and no more."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree as ET

from netspec.experiment.compare import findings
from netspec.experiment.outcome import State
from netspec.experiment.plot import draw_experiment
from netspec.experiment.report import as_json, as_markdown
from netspec.experiment.trials import make_trials
from tests.experiment.made import EXPERIMENT, loaded, tried

ERRORS = [
    [(0.4, 0.5), (0.2, 0.3)],
    [(0.6, 0.7), (0.5, 0.6), (0.4, 0.6)],
    [(0.6, 0.7), (0.5, 0.55)],
]
EPOCHS = EXPERIMENT.replace("{best: test}", "{epochs_to: 0.25}")
SVG = "{http://www.w3.org/2000/svg}"


def cells(table: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line[:1] == "|"]


def test_the_table_of_errors(tmp_path: Path) -> None:
    experiment, trials = loaded(tmp_path)
    found = tried(experiment, trials, ERRORS, ("finished", "finished", "unfinished"))
    said = findings(experiment.paper, experiment.measure, found, None)
    text = as_markdown(experiment, found, said)
    assert (
        cells(text)
        == [
            ["run", "tried", "least test error", "epochs", "minutes", "training error", "test error", ""],
            [
                "----",
                "---------",
                "---------------:",
                "-----:",
                "------:",
                "-------------:",
                "---------:",
                "----------",
            ],
            ["deep", "", "30.00%", "2", "2.0", "20.00%", "30.00%", "best"],
            ["flat", "lr=0.0005", "60.00%", "3", "3.0", "40.00%", "60.00%", ""],
            ["flat", "lr=0.001", "55.00%", "2", "2.0", "50.00%", "55.00%", "best, unfinished"],
        ]
        or text
    )
    assert "The paper (7): Depth matters. Its difference: 2.0%." in text


def test_the_table_of_epochs_is_honest_about_what_was_not_reached(tmp_path: Path) -> None:
    experiment, trials = loaded(tmp_path, EPOCHS)
    found = tried(experiment, trials, ERRORS, ("finished", "finished", "unfinished"))
    text = as_markdown(experiment, found, findings(experiment.paper, experiment.measure, found, None))
    rows = cells(text)
    assert [row[2] for row in rows] == [
        "epochs to 25% training error",
        rows[1][2],
        "2",
        "not within 3",
        "not within 2 yet",
    ]
    assert "- flat / deep: flat has not reached 25% in 2 epochs, deep did in 2" in text


def test_the_table_of_nothing(tmp_path: Path) -> None:
    experiment, trials = loaded(tmp_path)
    found = tried(experiment, trials, [[], [], []], ("not run",) * 3)
    rows = cells(as_markdown(experiment, found, ()))
    assert [row[2:] for row in rows[2:]] == [["-", "0", "not run"]] * 3


def test_the_table_of_seeds_of_which_some_have_not_run(tmp_path: Path) -> None:
    """The epochs are those of the seeds whose errors stand beside them."""
    experiment, _ = loaded(tmp_path)
    trials = make_trials(experiment, tmp_path, seeds=2)
    errors = [ERRORS[0], [], [], ERRORS[1], [], []]
    states: tuple[State, ...] = ("finished", "not run", "not run", "unfinished", "not run", "not run")
    rows = cells(as_markdown(experiment, tried(experiment, trials, errors, states), ()))
    assert [row[2:] for row in rows[2:]] == [
        ["-", "2", "2.0", "20.00%", "30.00%", "1 of 2 seeds"],
        ["-", "3", "3.0", "40.00%", "60.00%", "1 of 2 seeds, unfinished"],
        ["-", "0", "", "", "", "not run"],
    ]


def test_columns_are_aligned(tmp_path: Path) -> None:
    experiment, trials = loaded(tmp_path)
    text = as_markdown(experiment, tried(experiment, trials, ERRORS), ())
    lines = [line for line in text.splitlines() if line[:1] == "|"]
    assert len({tuple(n for n, c in enumerate(line) if c == "|") for line in lines}) == 1


def test_the_numbers_are_all_there(tmp_path: Path) -> None:
    experiment, trials = loaded(tmp_path)
    found = tried(experiment, trials, ERRORS)
    said = findings(experiment.paper, experiment.measure, found, None)
    document = json.loads(as_json(experiment, found, said, "abc"))
    assert [(r["run"], r["variant"], r["best"], r["value"]) for r in document["runs"]] == [
        ("deep", "", True, 0.3),
        ("flat", "lr=0.0005", False, 0.6),
        ("flat", "lr=0.001", True, 0.55),
    ]
    assert document["runs"][0]["train_errors"] == [[1, 0.4], [2, 0.2]]
    assert document["runs"][0]["spec_sha256"] == trials[0].hash
    assert document["findings"][0]["verdict"] == "agrees"
    assert document["measure"] == {"best": "test"}
    assert document["data_set"] == "abc"


def curve(svg: bytes, name: str) -> tuple[list[float], str]:
    """Heights of a curve's points on the page, and its style."""
    (group,) = (g for g in ET.fromstring(svg).iter(f"{SVG}g") if g.get("id") == name)  # noqa: S314 - our own text
    path = next(group.iter(f"{SVG}path"))
    numbers = [float(n) for n in re.findall(r"-?[\d.]+", path.get("d", ""))]
    return numbers[1::2], path.get("style", "")


def test_the_plot_has_every_curve_the_threshold_and_faint_losers(tmp_path: Path) -> None:
    experiment, trials = loaded(tmp_path, EPOCHS)
    svg = draw_experiment(experiment, tried(experiment, trials, ERRORS))
    (level, _), _ = curve(svg, "threshold")
    deep, style = curve(svg, "deep")
    zero = deep[0] + (deep[1] - deep[0]) * 2  # errors .4 and .2, so 0 is as far again
    height = (zero - level) / 0.25
    heights = {name: curve(svg, name)[0] for name in ("deep", "flat-lr-0.0005", "flat-lr-0.001")}
    errors = {name: [round((zero - y) / height, 3) for y in ys] for name, ys in heights.items()}
    assert errors == {"deep": [0.4, 0.2], "flat-lr-0.0005": [0.6, 0.5, 0.4], "flat-lr-0.001": [0.6, 0.5]}
    faint = {name for name in heights if "opacity: 0.3" in curve(svg, name)[1]}
    assert faint == {"flat-lr-0.001"}
    colours = [re.findall(r"stroke: (#\w+)", curve(svg, name)[1])[0] for name in heights]
    assert colours[1] == colours[2] != colours[0] == re.findall(r"stroke: (#\w+)", style)[0]


def test_the_legend_counts_epochs(tmp_path: Path) -> None:
    experiment, _ = loaded(tmp_path, EPOCHS)
    reached, fast, short = [(0.4, 0.4), (0.2, 0.3)], [(0.2, 0.3)], [(0.6, 0.5), (0.5, 0.5)]
    states: list[State] = ["finished", "finished", "finished", "finished", "unfinished", "unfinished"]
    trials = make_trials(experiment, tmp_path, seeds=2)
    svg = draw_experiment(experiment, tried(experiment, trials, [reached, fast, short, short, short, short], states))
    assert b"deep: 1.5 epochs (1 to 2, 2 seeds)" in svg
    assert b"flat, lr=0.0005: not within 2 epochs " in svg
    assert b"flat, lr=0.001: not within 2 epochs yet " in svg


def test_the_same_results_give_the_same_bytes_and_none_give_a_plot_too(tmp_path: Path) -> None:
    experiment, trials = loaded(tmp_path)
    found = tried(experiment, trials, ERRORS)
    assert draw_experiment(experiment, found) == draw_experiment(experiment, found)
    nothing = draw_experiment(experiment, tried(experiment, trials, [[], [], []], ("not run",) * 3))
    assert b"<svg" in nothing
