"""The results of an experiment as a table in Markdown and as JSON. It compares nothing and draws nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

from netspec.experiment.compare import Finding, Variant, best_of, last_errors
from netspec.experiment.model import Experiment, Measure
from netspec.experiment.outcome import Outcome

FORMAT: Final = 1
_VERDICTS: Final = {
    "agrees": "the direction agrees",
    "disagrees": "the direction DISAGREES",
    "equal": "no difference",
}
_RIGHT: Final = (2, 3, 4, 5, 6)  # columns of numbers


def as_markdown(experiment: Experiment, found: Sequence[Variant], said: Sequence[Finding]) -> str:
    """A table of all variants, then what the paper says beside what came out; aligned, so that it reads as text."""
    measure = experiment.measure
    blocks = [f"# {experiment.name}", experiment.about, _table(_rows(found, measure))]
    if experiment.paper is not None:
        paper = experiment.paper
        blocks += [f"The paper ({paper.where}): {paper.says.rstrip('.')}.{_amount(experiment)}"]
        blocks += ["\n".join(map(_item, said))] if said else []
    blocks += [_note(measure)]
    return "\n\n".join(blocks) + "\n"


def _item(finding: Finding) -> str:
    verdict = "" if finding.verdict == "undecided" else f": {_VERDICTS[finding.verdict]}"
    return f"- {finding.sentence}{verdict}."


def as_json(experiment: Experiment, found: Sequence[Variant], said: Sequence[Finding], data: str | None) -> str:
    """All numbers, with the folder and the spec's hash of each run."""
    best = {(v.run, v.variant) for v in best_of(found, experiment.measure).values()}
    document: dict[str, Any] = {
        "format": FORMAT,
        "experiment": experiment.name,
        "about": experiment.about,
        "data_set": data,
        "measure": _measure(experiment.measure),
        "paper": None if experiment.paper is None else asdict(experiment.paper),
        "findings": [asdict(finding) for finding in said],
        "runs": [_run(o, (v.run, v.variant) in best) for v in found for o in v.outcomes],
    }
    return json.dumps(document, indent=1, allow_nan=False) + "\n"


def _measure(measure: Measure) -> dict[str, Any]:
    if measure.epochs_to is not None:
        return {"epochs_to": measure.epochs_to, "of": measure.of}
    return {"best": measure.best} if measure.best else {"last": measure.last}


def _run(outcome: Outcome, best: bool) -> dict[str, Any]:
    spec, trial = outcome.trial.compiled.spec, outcome.trial
    return {
        "run": trial.run,
        "variant": trial.variant,
        "seed": spec.seed,
        "best": best,
        "state": outcome.state,
        "value": outcome.value,
        "epochs": outcome.count,
        "epochs_planned": spec.train.epochs,
        "minutes": round(outcome.minutes, 3),
        "train_errors": outcome.curve("train"),
        "test_errors": outcome.curve("test"),
        "folder": None if outcome.folder is None else str(outcome.folder),
        "net": spec.name,
        "spec_sha256": trial.hash,
    }


def _rows(found: Sequence[Variant], measure: Measure) -> list[tuple[str, ...]]:
    best = best_of(found, measure)
    several = len(found) > len(best)
    rows: list[tuple[str, ...]] = [
        ("run", "tried", _heading(measure), "epochs", "minutes", "training error", "test error", "")
    ]
    for v in found:
        train, test = last_errors(v)
        mark = "best" if several and best[v.run] is v and v.value is not None else ""
        minutes = sum(outcome.minutes for outcome in v.outcomes)
        numbers = (_epochs(v), f"{minutes:.1f}" if minutes else "", _share(train), _share(test))
        rows.append((v.run, v.variant, measured(v, measure), *numbers, ", ".join(filter(None, (mark, _state(v))))))
    return rows


def _epochs(variant: Variant) -> str:
    """That all of its runs have done which have any: those whose errors and minutes stand beside."""
    return str(min((outcome.count for outcome in variant.outcomes if outcome.epochs), default=0))


def _state(variant: Variant) -> str:
    """Of a variant that has open ends; empty for a finished one."""
    states = [outcome.state for outcome in variant.outcomes]
    idle = states.count("not run")
    some = 0 < idle < len(states)
    open_ends = {outcome.state for outcome in variant.outcomes if not outcome.settled} - {"not run" if some else ""}
    seeds = [f"{len(states) - idle} of {len(states)} seeds"] * some
    return ", ".join([*seeds, *["diverged"] * ("diverged" in states), *sorted(open_ends)])


def measured(variant: Variant, measure: Measure, unit: str = "") -> str:
    """The measure in words, with the ``unit`` of what is counted; honest where there is none."""
    if variant.value is None:
        if measure.epochs_to is None or not variant.epochs:
            return "-"
        return f"not within {variant.epochs}{unit}{'' if variant.settled else ' yet'}"
    return _number(variant.value, measure) + unit + _range(variant, measure)


def _range(variant: Variant, measure: Measure) -> str:
    """Of several seeds."""
    values = [outcome.value for outcome in variant.outcomes if outcome.value is not None]
    if len(values) < 2:
        return ""
    return f" ({_number(min(values), measure)} to {_number(max(values), measure)}, {len(values)} seeds)"


def _number(value: float, measure: Measure) -> str:
    return f"{value:g}" if measure.epochs_to is not None else f"{value:.2%}"


def _share(error: float | None) -> str:
    return "" if error is None else f"{error:.2%}"


def _heading(measure: Measure) -> str:
    whose = {"train": "training", "test": "test"}[measure.split]
    if measure.epochs_to is not None:
        return f"epochs to {measure.epochs_to:.0%} {whose} error"
    return f"{'least' if measure.best else 'last'} {whose} error"


def _amount(experiment: Experiment) -> str:
    paper = experiment.paper
    if paper is None or (paper.ratio is None and paper.by is None):
        return ""
    ratio = f" Its ratio: {paper.ratio:g}." if paper.ratio is not None else ""
    return ratio + (f" Its difference: {paper.by:.1%}." if paper.by is not None else "")


def _note(measure: Measure) -> str:
    """How the columns are to be read."""
    last = "The errors in the table are those of the last epoch done; training errors are counted while it learns"
    return f"{last}." if measure.split == "test" else f"{last}, each picture before the step that it is part of."


def _table(rows: Sequence[tuple[str, ...]]) -> str:
    """Markdown with cells as wide as their column."""
    kept = [n for n in range(len(rows[0])) if any(row[n] for row in rows[1:])]
    widths = {n: max(3, *(len(row[n]) for row in rows)) for n in kept}
    lines = [_line([_cell(row[n], n, widths[n]) for n in kept]) for row in rows]
    rule = _line([f"{'-' * (widths[n] - 1)}:" if n in _RIGHT else "-" * widths[n] for n in kept])
    return "\n".join([lines[0], rule, *lines[1:]])


def _cell(text: str, column: int, width: int) -> str:
    text = text.replace("|", "\\|")
    return text.rjust(width) if column in _RIGHT else text.ljust(width)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
