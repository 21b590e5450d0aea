"""A YAML file to an Experiment: finds, reads, decodes, refuses what cannot be compared. It compiles no specs."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import Final, cast

from netspec.diagnostics import Diagnostic, Findings, SpecError, did_you_mean
from netspec.experiment.model import LANGUAGE, Choice, Experiment, ExperimentHeader, Run, RunHeader, Setting
from netspec.source import Source, Span, whole
from netspec.spec.shipped import shipped_folder
from netspec.syntax.decode import Decoder
from netspec.syntax.phrases import found
from netspec.syntax.reader import read_source, read_tree
from netspec.syntax.scalars import shorten
from netspec.syntax.spans import Path as Keys
from netspec.syntax.spans import SpanTable
from netspec.syntax.tree import Entry, Mapping, Sequence, Tree

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", re.ASCII)  # of experiments and runs: they name folders
_NAME_HELP: Final = "ASCII letters, digits, `-` and `_`, at most 64: it names a folder"


def shipped_experiments() -> dict[str, Path]:
    """The built-in experiments by name."""
    return {path.stem: path for path in sorted((shipped_folder() / "experiments").glob("*.yaml"))}


def find_experiment(argument: str) -> Path:
    """The file that a command's NAME means: a path, or else a built-in experiment. Raises SpecError."""
    path, shipped = Path(argument), shipped_experiments()
    if path.is_file() or argument in shipped:
        return path if path.is_file() else shipped[argument]
    help = did_you_mean(argument, shipped) or "see `netspec experiment --list`"
    message = f"there is no experiment `{argument}`, and no such file"
    raise SpecError([Diagnostic("NS101", message, whole(Source(argument, "")), help=help)])


def load_experiment(path: Path, name: str | None = None) -> Experiment:
    """The experiment in a file. Raises SpecError with all that is wrong with it.

    ``name`` is what messages call the file: by default its path, for a built-in one one that is the same everywhere.
    """
    built_in = path.parent == shipped_folder() / "experiments"
    return load_experiment_source(read_source(path, name or (f"specs/experiments/{path.name}" if built_in else None)))


def load_experiment_source(source: Source) -> Experiment:
    """The experiment in a source. Raises SpecError."""
    findings = Findings()
    loaded = _Loader(Decoder(SpanTable(source), findings)).load(read_tree(source))
    findings.stop_on_errors()
    return cast(Experiment, loaded)  # what was refused has findings


class _Loader:
    def __init__(self, decoder: Decoder) -> None:
        self.decoder, self.spans = decoder, decoder.spans

    def load(self, tree: Tree) -> Experiment | None:
        header = self.decoder.dataclass(tree, ExperimentHeader, (), skip=("runs", "set"))
        if not isinstance(tree, Mapping):
            return None
        settings = self._settings(tree.get("set"), ())
        runs = self._runs(tree)
        if not isinstance(header, ExperimentHeader):
            return None
        values = {f.name: getattr(header, f.name) for f in fields(ExperimentHeader)}
        experiment = Experiment(**values, runs=runs, settings=settings, spans=self.spans)
        self._check(experiment)
        return experiment

    def _runs(self, tree: Mapping) -> tuple[Run, ...]:
        entry = tree.get("runs")
        if entry is None:
            self.decoder.refuse("NS202", tree.span.start, "an experiment needs the key `runs`", "`runs`: nets by name")
            return ()
        self.spans.record(("runs",), entry.key.span, entry.value.span)
        if not isinstance(entry.value, Mapping) or not entry.value.entries:
            help = "for instance `relu: {spec: cifar10-fig1-relu}`"
            self.decoder.refuse("NS203", entry.value.span, f"expected runs by name, found {found(entry.value)}", help)
            return ()
        runs = (self._run(item) for item in entry.value.entries)
        return tuple(run for run in runs if run is not None)

    def _run(self, entry: Entry) -> Run | None:
        name, tree, path = entry.key.text, entry.value, ("runs", entry.key.text)
        self.spans.record(path, entry.key.span, tree.span)
        self._name(name, entry.key.span)
        header = self.decoder.dataclass(tree, RunHeader, path, skip=("set", "try"))
        if not isinstance(header, RunHeader) or not isinstance(tree, Mapping):
            return None
        settings, choices = self._settings(tree.get("set"), path), self._choices(tree.get("try"), path)
        values = {f.name: getattr(header, f.name) for f in fields(RunHeader)}
        return Run(**values, name=name, settings=settings, choices=choices)

    def _settings(self, entry: Entry | None, above: Keys) -> tuple[Setting, ...]:
        return tuple(Setting(item.key, item.value) for item in self._entries(entry, above))

    def _choices(self, entry: Entry | None, above: Keys) -> tuple[Choice, ...]:
        choices = []
        for item in self._entries(entry, above):
            if isinstance(item.value, Sequence) and item.value.items:
                choices.append(Choice(item.key, item.value.items))
                continue
            message = f"`try` takes a list of values to choose from, found {found(item.value)}"
            self.decoder.refuse("NS203", item.value.span, message, "for instance `train.lr: [0.001, 0.002]`")
        return tuple(choices)

    def _entries(self, entry: Entry | None, above: Keys) -> tuple[Entry, ...]:
        """The keys of a spec below `set` or `try`."""
        if entry is None:
            return ()
        self.spans.record((*above, entry.key.text), entry.key.span, entry.value.span)
        if isinstance(entry.value, Mapping):
            for item in entry.value.entries:
                self.spans.record((*above, entry.key.text, item.key.text), item.key.span, item.value.span)
            return entry.value.entries
        message = f"expected values of a spec by their paths, found {found(entry.value)}"
        self.decoder.refuse("NS203", entry.value.span, message, "for instance `{train.epochs: 20}`")
        return ()

    def _check(self, experiment: Experiment) -> None:
        if experiment.experiment != LANGUAGE:
            message = f"version {experiment.experiment} of the experiments' language is not known"
            self._refuse("NS701", self.spans.value("experiment"), message, f"write `experiment: {LANGUAGE}`")
        self._name(experiment.name, self.spans.value("name"))
        self._check_measure(experiment)
        for run in experiment.runs:
            if run.spec is None and experiment.spec is None:
                help = "name one here, or for all runs at the top: `spec: cifar10-18pct`"
                self._refuse("NS702", self.spans.keys["runs", run.name], f"the run `{run.name}` has no `spec`", help)
            tried = {choice.path.text for choice in run.choices}
            for setting in run.settings:
                if setting.path.text in tried:
                    message = f"`{shorten(setting.path.text)}` is set, and tried with other values"
                    self._refuse("NS706", setting.path.span, message, "remove one of the two")
        self._check_paper(experiment)

    def _check_measure(self, experiment: Experiment) -> None:
        measure, place = experiment.measure, self.spans.value("measure")
        given = [name for name in ("epochs_to", "best", "last") if getattr(measure, name) is not None]
        if len(given) != 1:
            message = "nothing is measured" if not given else f"`{given[0]}` and `{given[1]}` are two measures"
            help = "one of `{epochs_to: 0.25, of: train}`, `{best: test}`, `{last: test}`"
            self._refuse("NS703", place, message, help)
        elif ("measure", "of") in self.spans.keys and given != ["epochs_to"]:
            message = f"`of` belongs to `epochs_to`; `{given[0]}` itself says whose error"
            self._refuse("NS703", self.spans.key("measure", "of"), message, "remove it")

    def _check_paper(self, experiment: Experiment) -> None:
        paper = experiment.paper
        if paper is None:
            return
        known = [run.name for run in experiment.runs]
        named = [(paper.better, ("better",)), *((name, ("than", n)) for n, name in enumerate(paper.than))]
        for name, path in named:
            if known and name not in known:
                place, help = self.spans.value("paper", *path), did_you_mean(name, known, "the runs are")
                self._refuse("NS704", place, f"there is no run `{shorten(name)}`", help)
        if paper.better in paper.than:
            message = f"`{shorten(paper.better)}` cannot be better than itself"
            self._refuse("NS704", self.spans.value("paper", "than"), message, "name another run")

    def _name(self, name: str, place: Span) -> None:
        if not _NAME.fullmatch(name):
            self._refuse("NS207", place, f"`{shorten(name)}` is no name for an experiment or a run", _NAME_HELP)

    def _refuse(self, code: str, place: Span, message: str, help: str) -> None:
        self.decoder.findings.add(Diagnostic(code, message, place, help=help))
