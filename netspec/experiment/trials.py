"""The nets of an experiment, each with one choice of values and one seed, compiled. It trains none of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from pathlib import Path

from netspec.diagnostics import Diagnostic, SpecError, did_you_mean
from netspec.experiment.model import Choice, Experiment, Run, Setting
from netspec.labels import with_labels
from netspec.pipeline import Compiled, compile_spec
from netspec.source import Source, Span
from netspec.spec import Spec
from netspec.spec.dump import spec_hash
from netspec.spec.load import load_tree
from netspec.spec.overrides import put
from netspec.spec.removal import remove_layer
from netspec.spec.shipped import shipped_folder, shipped_specs
from netspec.syntax.reader import read_source, read_tree
from netspec.syntax.tree import Scalar, Sequence, Tree


@dataclass(frozen=True)
class Trial:
    """One net to train. ``variant`` is what was chosen of `try`, such as `lr=0.002`; empty where nothing is tried.

    ``number`` counts the seeds from 0; ``until`` is the training error that ends it early. The net has its labels in
    its spec, as `netspec train` puts them there, whose runs are looked for by its hash.
    """

    run: str
    variant: str
    number: int
    compiled: Compiled
    until: float | None

    @cached_property
    def hash(self) -> str:
        """The spec's identity."""
        return spec_hash(self.compiled.spec)

    @property
    def label(self) -> str:
        """As a person calls it."""
        seed = f"seed {self.compiled.spec.seed}" if self.number else ""
        return ", ".join(part for part in (self.run, self.variant, seed) if part)

    @property
    def slug(self) -> str:
        """As its folder is called."""
        seed = f"seed{self.compiled.spec.seed}" if self.number else ""
        parts = (self.run, re.sub(r"[^A-Za-z0-9.]+", "-", self.variant).strip("-"), seed)
        return "-".join(part for part in parts if part)


def make_trials(experiment: Experiment, folder: Path, epochs: int | None = None, seeds: int = 1) -> tuple[Trial, ...]:
    """Every net of an experiment, whose file lies in ``folder``, in the order of the file.

    ``epochs`` replaces what the specs say. Of ``seeds`` the first is the spec's own, the others follow it. Raises
    SpecError with what is wrong in any of them, DataError for a labels file that cannot be read.
    """
    measure = experiment.measure
    until = measure.epochs_to if measure.of == "train" else None
    trials: list[Trial] = []
    wrong: list[Diagnostic] = []
    for run in experiment.runs:
        for chosen in _choices(run.choices):
            try:
                path, name = _find(experiment, run, folder)
                spec = _spec(experiment, run, chosen, read_source(path, name))
                spec = spec if epochs is None else replace(spec, train=replace(spec.train, epochs=epochs))
                for number in range(seeds):
                    made = with_labels(compile_spec(replace(spec, seed=spec.seed + number)), path.parent)
                    trials.append(Trial(run.name, _variant(chosen), number, made, until))
            except SpecError as error:
                wrong += [_in_run(d, run, experiment) for d in error.diagnostics]
    if wrong:
        raise SpecError(dict.fromkeys(wrong))
    return tuple(trials)


def _choices(choices: tuple[Choice, ...]) -> Iterator[tuple[Setting, ...]]:
    """Each combination of the values to choose from; one empty one where there are none."""
    for values in product(*(choice.values for choice in choices)):
        yield tuple(Setting(choice.path, value) for choice, value in zip(choices, values, strict=True))


def _spec(experiment: Experiment, run: Run, chosen: tuple[Setting, ...], source: Source) -> Spec:
    """The net of a run: what is set goes into its tree, then layers go out, then it is read as any other."""
    tree = read_tree(source)
    for setting in (*experiment.settings, *run.settings, *chosen):
        tree = put(tree, setting.path, setting.value)
    for number, layer in enumerate(run.without):
        tree = remove_layer(tree, layer, experiment.spans.value("runs", run.name, "without", number))
    return load_tree(source, tree)


def _find(experiment: Experiment, run: Run, folder: Path) -> tuple[Path, str]:
    """The layer file of a run, and what messages call it."""
    name = str(run.spec or experiment.spec)
    shipped = shipped_specs()
    if (folder / name).is_file() and folder != shipped_folder() / "experiments":
        return folder / name, str(folder / name)
    if name in shipped:
        return shipped[name], f"specs/{name}.yaml"
    place = experiment.spans.value(*(("runs", run.name, "spec") if run.spec else ("spec",)))
    help = did_you_mean(name, shipped) or "a built-in spec, or a file beside the experiment"
    raise SpecError([Diagnostic("NS702", f"there is no spec `{name}`", place, help=help)])


def _variant(chosen: tuple[Setting, ...]) -> str:
    return ", ".join(f"{s.path.text.rpartition('.')[2]}={_shown(s.value)}" for s in chosen)


def _shown(value: Tree) -> str:
    """A value on one line."""
    if isinstance(value, Scalar):
        return value.text
    if isinstance(value, Sequence):
        return f"[{', '.join(map(_shown, value.items))}]"
    return "{" + ", ".join(f"{entry.key.text}: {_shown(entry.value)}" for entry in value.entries) + "}"


def _in_run(diagnostic: Diagnostic, run: Run, experiment: Experiment) -> Diagnostic:
    """What is wrong with a net, with the run that made it so where the place does not say it."""
    place: Span = experiment.spans.keys["runs", run.name]
    if diagnostic.span.source is place.source:
        return diagnostic
    made = [f"without `{name}`" for name in run.without]
    changed = f", {' and '.join(made)}" if made else ""
    return replace(diagnostic, notes=(*diagnostic.notes, f"in the run `{run.name}` of {place.where}{changed}"))
