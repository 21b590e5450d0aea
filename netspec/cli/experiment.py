"""`netspec experiment`: trains the nets of an experiment, draws and tabulates them. It reads flags and prints."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from netspec.cli.arguments import DATA_CACHE, DRAWN, refuse_idle
from netspec.cli.download import DataSet
from netspec.cli.prepare import preparing
from netspec_runtime.errors import DataError
from netspec_runtime.terminal import complain

if TYPE_CHECKING:
    from netspec.experiment.execute import Placement, Task
    from netspec.experiment.folders import Made
    from netspec.experiment.model import Experiment, Measure
    from netspec.experiment.trials import Trial
    from netspec_runtime.data.prepared import PreparedData


def experiment(
    context: typer.Context,
    name: Annotated[
        str | None, typer.Argument(metavar="NAME|FILE", help="A built-in experiment, or a file of your own.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Prepared data, or anything that `prepare` reads.")
    ] = None,
    runs: Annotated[Path, typer.Option(metavar="DIR", help="Where runs are kept.")] = Path("runs"),
    epochs: Annotated[int | None, typer.Option(min=1, help="Train so long in place of what the file says.")] = None,
    seeds: Annotated[int, typer.Option(min=1, max=100, help="Train each net with so many seeds.")] = 1,
    only: Annotated[
        list[str] | None, typer.Option(metavar="RUN", help="Train only this run; repeatable. The table has all.")
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, max=64, help="Runs at once; they share the processor's threads.")] = 1,
    devices: Annotated[
        list[str] | None,
        typer.Option(metavar="LIST", help="As for `train`; repeated, the runs at once take them in turns."),
    ] = None,
    report_only: Annotated[
        bool,
        typer.Option("--report-only", help="Train nothing; tabulate what is there of the same --epochs and --seeds."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON in place of the table.")] = False,
    list_all: Annotated[bool, typer.Option("--list", help="List the built-in experiments.")] = False,
) -> None:
    """Train the nets of an experiment, draw their curves in one plot, and put the results beside what the paper says.

    Runs that are there are not made again, whatever command made them; what was interrupted goes on. Ctrl-C finishes
    the step and saves. Results are written to RUNS/experiments/NAME/.
    """
    if list_all or name is None:
        refuse_idle(context, "with --list" if list_all else "without NAME", but=("list_all", "as_json"))
        _list(as_json=as_json)
        return
    from netspec.experiment.execute import Placement
    from netspec.experiment.folders import EXPERIMENTS
    from netspec.experiment.load import find_experiment, load_experiment
    from netspec.experiment.trials import make_trials

    path = find_experiment(name)
    loaded = load_experiment(path)
    trials = make_trials(loaded, path.parent, epochs, seeds)
    wanted = _only(trials, only or [], loaded)
    pictures = _open_data(loaded, wanted, data, report_only)
    home = runs / EXPERIMENTS / loaded.name
    code = 0
    if not report_only and pictures is not None:
        placement = Placement.of(jobs, tuple(devices or ["auto"]))
        code = _train(loaded.measure, wanted, home, runs, pictures, placement)
    _report(loaded, trials, runs, home, pictures, report_only=report_only, as_json=as_json)
    if code:
        complain("stopped; the same command goes on from here")
        raise typer.Exit(code)


def _list(*, as_json: bool) -> None:
    from netspec.experiment.load import load_experiment, shipped_experiments

    found = [load_experiment(path) for path in shipped_experiments().values()]
    if as_json:
        typer.echo(json.dumps([{"name": e.name, "data": e.data, "about": e.about} for e in found], indent=2))
        return
    width, data = max(len(e.name) for e in found), max(len(e.data) for e in found)
    for one in found:
        typer.echo(f"{one.name:<{width}}  {one.data:<{data}}  {one.about}")


def _only(trials: tuple[Trial, ...], names: list[str], loaded: Experiment) -> tuple[Trial, ...]:
    from netspec.diagnostics import did_you_mean

    known = [run.name for run in loaded.runs]
    for name in names:
        if name not in known:
            advice = did_you_mean(name, known, "the runs are")
            raise typer.BadParameter(f"{loaded.name} has no run {name}; {advice}", param_hint="--only")
    return tuple(trial for trial in trials if not names or trial.run in names)


def _open_data(
    loaded: Experiment, trials: tuple[Trial, ...], source: Path | None, report_only: bool
) -> PreparedData | None:
    """The pictures, prepared on the way where they are raw; None where runs alone say what they were trained on.

    Raises DataError where they do not fit a net that is to be trained.
    """
    from netspec.train import require_fit

    if source is None and report_only:
        return None
    data = _drawn(loaded) if source is None else _prepared(loaded, trials, source)
    _check_classes(loaded, trials, source or data.path, data.classes)
    for trial in () if report_only else trials:
        require_fit(trial.compiled, data)
    return data


def _drawn(loaded: Experiment) -> PreparedData:
    """The pictures of an experiment that is meant for those that netspec draws. Raises BadParameter for another."""
    from netspec_runtime.data.shapes import ensure_shapes

    if loaded.data != DRAWN:
        raise typer.BadParameter(f"{loaded.name} needs pictures: {loaded.data}{_how(loaded)}", param_hint="--data")
    return ensure_shapes(DATA_CACHE / DRAWN)


def _prepared(loaded: Experiment, trials: tuple[Trial, ...], source: Path) -> PreparedData:
    """The pictures that the user gives. Raises DataError for raw ones of other classes, before one is decoded."""
    from netspec.train import prepare_options
    from netspec_runtime.data.prepare import ensure_prepared

    options = prepare_options(trials[0].compiled, None)
    with preparing() as progress:
        return ensure_prepared(
            source, DATA_CACHE, options, progress, lambda found: _check_classes(loaded, trials, source, found.classes)
        )


def _how(loaded: Experiment) -> str:
    """How to get the pictures, where netspec knows."""
    if loaded.data not in [known.value for known in DataSet]:
        return ""
    return f", as `netspec prepare --download {loaded.data} -o {DATA_CACHE / loaded.data}` makes them"


def _check_classes(loaded: Experiment, trials: Iterable[Trial], source: Path, classes: tuple[str, ...]) -> None:
    """Raise DataError for data of other classes than the nets', whose specs are not the user's to set."""
    from netspec.fit import require_classes

    try:
        for trial in trials:
            require_classes(trial.compiled, str(source), classes)
    except DataError as error:
        raise DataError(error.where, error.reason, f"{loaded.name} is made for: {loaded.data}") from None


def _train(
    measure: Measure,
    trials: tuple[Trial, ...],
    home: Path,
    runs: Path,
    pictures: PreparedData,
    placement: Placement,
) -> int:
    """Make or finish all runs; the exit code of who stopped it before that, or 0. Raises TrainingFailed."""
    from netspec.experiment.execute import execute
    from netspec.experiment.folders import discard, made_runs, match
    from netspec.experiment.outcome import unsettled
    from netspec_runtime.training.interrupt import Interrupt

    def left(made: Mapping[str, Made]) -> list[Trial]:
        return [t for t in trials if t.label not in made or unsettled(t, made[t.label], measure)]

    made = match(trials, made_runs(runs), pictures.digest)
    tasks = _tasks(left(made), made, home)
    teller = _Teller(tasks, placement.jobs > 1)
    with Interrupt() as interrupt:
        try:
            execute(tasks, pictures.path, placement, lambda: interrupt.wanted, teller)
        finally:
            discard(task.folder for task in tasks if task.label not in teller.begun)
    if not interrupt.exit_code:
        return 0
    return interrupt.exit_code if left(match(trials, made_runs(runs), pictures.digest)) else 0


class _Teller:
    """Says on stderr how it goes. A run alone says more itself; of ``several`` at once each has a log."""

    def __init__(self, tasks: tuple[Task, ...], several: bool) -> None:
        from netspec.experiment.news import News

        self._tasks, self._several, self._news = tasks, several, News()
        self.begun: set[str] = set()

    def began(self, task: Task) -> None:
        from netspec.experiment.execute import LOG

        self.begun.add(task.label)
        where = f"; its log is {task.folder / LOG}" if self._several else ""
        complain(f"{task.label} ({self._tasks.index(task) + 1} of {len(self._tasks)}): {task.folder}{where}")

    def running(self, tasks: list[Task]) -> None:
        for line in self._news.of(tasks) if self._several else ():
            complain(line)

    def ended(self, task: Task, code: int) -> None:
        from netspec.experiment.execute import DIVERGED_CODE
        from netspec.experiment.outcome import mark_diverged

        if code == DIVERGED_CODE:
            mark_diverged(task.folder)
        last = self._news.last(task) if self._several else ""
        for line in filter(None, (last, f"{task.label}: {f'ended with exit code {code}' if code else 'done'}")):
            complain(line)


def _tasks(trials: Iterable[Trial], made: Mapping[str, Made], home: Path) -> tuple[Task, ...]:
    """What is still to be trained, each net once, in its folder."""
    from netspec.experiment.execute import Task
    from netspec.experiment.folders import open_trial

    tasks = []
    for trial in {trial.hash: trial for trial in trials}.values():
        known = made.get(trial.label)
        place = open_trial(trial, home).path if known is None else known.path
        tasks.append(Task(trial.label, place, trial.until))
    return tuple(tasks)


def _report(
    loaded: Experiment,
    trials: tuple[Trial, ...],
    runs: Path,
    home: Path,
    pictures: PreparedData | None,
    *,
    report_only: bool,
    as_json: bool,
) -> None:
    """Write the table, the numbers and the plot, and print one of the first two.

    Raises DataError where a ``report_only`` has no run: an empty table would replace that of runs with other epochs.
    """
    from netspec.experiment.compare import findings, variants
    from netspec.experiment.folders import made_runs, match
    from netspec.experiment.outcome import outcomes
    from netspec.experiment.plot import draw_experiment
    from netspec.experiment.report import as_json as numbers
    from netspec.experiment.report import as_markdown
    from netspec_runtime.files import write_file

    made = match(trials, made_runs(runs), pictures.digest if pictures else None)
    measured = outcomes(trials, made, loaded.measure)
    if report_only and all(outcome.state == "not run" for outcome in measured):
        options = f"{'--data, ' if pictures else ''}--epochs and --seeds"
        reason = f"no run of {loaded.name} with these {options} is in this folder"
        raise DataError(str(runs), reason, "give those that its runs were made with, or say where they are with --runs")
    found = variants(measured)
    test = pictures.splits.get("test") if pictures else None
    said = findings(loaded.paper, loaded.measure, found, len(test) if test is not None else None)
    data = pictures.digest if pictures else next((run.data for run in made.values() if run.data), None)
    table, document = as_markdown(loaded, found, said), numbers(loaded, found, said, data)
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(str(home), f"cannot make the folder: {error.strerror}", "choose another with --runs") from None
    write_file(home / "results.md", [table.encode()])
    write_file(home / "results.json", [document.encode()])
    write_file(home / f"{loaded.name}.svg", [draw_experiment(loaded, found)])
    typer.echo(document if as_json else table, nl=False)
    complain(f"wrote results.md, results.json and {loaded.name}.svg in {home}/")
