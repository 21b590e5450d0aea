"""What came out beside what the paper says: who is best, in which words, and what cannot be said."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from netspec.experiment.compare import Finding, best_of, findings
from netspec.experiment.outcome import State
from tests.experiment.made import EXPERIMENT, loaded, tried

BY_EPOCHS = EXPERIMENT.replace("{best: test}", "{epochs_to: 0.25}").replace(", try: {train.lr: [0.0005, 0.001]}", "")
BY_ERROR = EXPERIMENT.replace(", try: {train.lr: [0.0005, 0.001]}", "")

FAST = [(0.4, 0.4), (0.2, 0.3)]
SLOW = [(0.6, 0.6), (0.5, 0.5), (0.4, 0.4), (0.3, 0.4), (0.3, 0.4), (0.24, 0.4)]
NEVER = [(0.6, 0.6)] * 6
SHORT = [(0.6, 0.6)]


def found(
    folder: Path, text: str, errors: Sequence[Sequence[tuple[float, float | None]]], states: Sequence[State] = ()
) -> Finding:
    experiment, trials = loaded(folder, text)
    (finding,) = findings(experiment.paper, experiment.measure, tried(experiment, trials, errors, states), 400)
    return finding


@pytest.mark.parametrize(
    ("deep", "flat", "verdict", "ratio", "sentence"),
    [
        (FAST, SLOW, "agrees", 3.0, "flat / deep: 6 / 2 epochs, 3 times as many"),
        (SLOW, FAST, "disagrees", 1 / 3, "flat / deep: 2 / 6 epochs, 0.33 times as many"),
        (FAST, FAST, "equal", 1.0, "flat / deep: 2 / 2 epochs"),
        (
            FAST,
            NEVER,
            "agrees",
            3.0,
            "flat / deep: flat has not reached 25% in 6 epochs, deep did in 2: more than 3 times as many",
        ),
        (FAST, SHORT, "undecided", None, "flat / deep: flat has not reached 25% in 1 epochs, deep did in 2"),
        (NEVER, FAST, "disagrees", None, "flat / deep: deep has not reached 25% in 6 epochs, flat did in 2"),
        (SHORT, FAST, "undecided", None, "flat / deep: deep has not reached 25% in 1 epochs, flat did in 2"),
        (NEVER, NEVER, "undecided", None, "flat / deep: neither has reached 25%, so nothing can be said"),
        (FAST, [], "undecided", None, "flat / deep: no epoch of flat is done, deep did in 2"),
        ([], FAST, "undecided", None, "flat / deep: no epoch of deep is done, flat did in 2"),
        (NEVER, [], "undecided", None, "flat / deep: no epoch of flat is done, so nothing can be said"),
        ([], [], "undecided", None, "flat / deep: no epoch of deep and flat is done, so nothing can be said"),
    ],
)
def test_epochs_are_compared(
    tmp_path: Path,
    deep: list[tuple[float, float]],
    flat: list[tuple[float, float]],
    verdict: str,
    ratio: float | None,
    sentence: str,
) -> None:
    finding = found(tmp_path, BY_EPOCHS, [deep, flat])
    assert (finding.verdict, finding.ratio, finding.sentence) == (verdict, ratio, sentence)
    assert finding.at_least == ("more than" in sentence)


def test_the_shortest_variant_says_how_much_is_known(tmp_path: Path) -> None:
    text = EXPERIMENT.replace("{best: test}", "{epochs_to: 0.25}")
    assert found(tmp_path, text, [FAST, NEVER, SLOW[:4]]).ratio == 2.0
    assert found(tmp_path, text, [FAST, NEVER, SHORT]).verdict == "undecided"


def test_errors_are_compared_with_what_chance_does(tmp_path: Path) -> None:
    clear = found(tmp_path, BY_ERROR, [[(0.1, 0.2)], [(0.1, 0.4)]])
    assert (clear.verdict, clear.sentence) == ("agrees", "flat - deep: 40.00% - 20.00%, 20.00% more")
    assert clear.difference == pytest.approx(0.2)
    close = found(tmp_path, BY_ERROR, [[(0.1, 0.22)], [(0.1, 0.2)]])
    # 2 sqrt((.22 .78 + .2 .8) / 400)
    assert close.sentence == "flat - deep: 20.00% - 22.00%, 2.00% less, within chance on 400 pictures (5.76%)"
    assert close.verdict == "disagrees"


def test_nothing_is_said_of_runs_that_go_on(tmp_path: Path) -> None:
    finding = found(tmp_path, BY_ERROR, [[(0.1, 0.2)], [(0.1, 0.4)]], ("finished", "unfinished"))
    assert finding.verdict == "undecided"
    assert found(tmp_path, BY_ERROR, [[], [(0.1, 0.4)]]).verdict == "undecided"


@pytest.mark.parametrize(
    ("text", "deep", "flat", "states", "sentence"),
    [
        (BY_ERROR, [(0.1, 0.2)], [], "fd", "deep and flat: flat diverged, so nothing can be said"),
        (BY_ERROR, [], [], "dd", "deep and flat: deep diverged and flat diverged, so nothing can be said"),
        (BY_ERROR, [(0.1, None)], [], "fd", "deep and flat: deep has no test error and flat diverged, so nothing can"),
        (BY_ERROR, [(0.1, 0.2)], [], "ud", "deep and flat: nothing can be said before their runs are finished"),
        (BY_EPOCHS, FAST, [], "fd", "flat / deep: flat diverged in its first epoch, deep reached 25% in 2"),
        (BY_EPOCHS, SHORT, FAST, "df", "flat / deep: deep diverged after 1 epochs, flat reached 25% in 2"),
        (BY_EPOCHS, NEVER, [], "fd", "flat / deep: neither has reached 25%, flat diverged, so nothing can be said"),
    ],
)
def test_a_run_that_diverged_is_not_waited_for(
    tmp_path: Path,
    text: str,
    deep: list[tuple[float, float | None]],
    flat: list[tuple[float, float | None]],
    states: str,
    sentence: str,
) -> None:
    names: dict[str, State] = {"f": "finished", "d": "diverged", "u": "unfinished"}
    finding = found(tmp_path, text, [deep, flat], [names[state] for state in states])
    assert finding.verdict == "undecided"
    assert finding.sentence.startswith(sentence)


def test_a_variant_that_diverged_does_not_hide_how_far_the_others_came(tmp_path: Path) -> None:
    """It will never reach the error."""
    text = EXPERIMENT.replace("{best: test}", "{epochs_to: 0.25}")
    finding = found(tmp_path, text, [FAST, NEVER, []], ("finished", "finished", "diverged"))
    assert (finding.verdict, finding.ratio) == ("agrees", 3.0)


def test_the_best_variant_has_the_least_measure_and_else_the_least_error_so_far(tmp_path: Path) -> None:
    experiment, trials = loaded(tmp_path)
    errors = [[(0.1, 0.3)], [(0.1, 0.5), (0.1, 0.4)], [(0.1, 0.35), (0.1, 0.45)]]
    best = best_of(tried(experiment, trials, errors), experiment.measure)
    assert {run: v.variant for run, v in best.items()} == {"deep": "", "flat": "lr=0.001"}
    experiment, trials = loaded(tmp_path, EXPERIMENT.replace("{best: test}", "{epochs_to: 0.05}"))
    best = best_of(tried(experiment, trials, [[], [(0.3, 0.1)], [(0.2, 0.5)]]), experiment.measure)
    assert best["flat"].variant == "lr=0.001"


def test_seeds_count_by_their_mean_and_only_together(tmp_path: Path) -> None:
    from netspec.experiment.compare import variants
    from netspec.experiment.trials import make_trials
    from tests.experiment.made import outcome

    experiment, _ = loaded(tmp_path, BY_EPOCHS)
    trials = make_trials(experiment, tmp_path, seeds=2)
    deep, flat = variants([outcome(experiment, t, e) for t, e in zip(trials, [FAST, SLOW, FAST, NEVER], strict=True)])
    assert (deep.value, flat.value) == (4.0, None)
