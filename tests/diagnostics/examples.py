"""The files of specs/invalid: each is examined as a user's file would be, and its findings are rendered. No tests here.

A file whose fault is not in its own text says so in a comment `# tested with OPTIONS`:

    --set PATH=VALUE   examine it with this override
    --as latin-1       write it in this encoding first
    --pad N            with comments at its end up to N bytes
    --layers N         with N copies of its last line, numbered
    --missing          under a name that no file has
"""

from __future__ import annotations

import argparse
import re
import shlex
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from netspec.diagnostics import Diagnostic, SpecError
from netspec.diagnostics.text import render
from netspec.experiment.load import load_experiment
from netspec.experiment.trials import make_trials
from netspec.importers.files import sort_files
from netspec.importing import ImportOptions, import_net
from netspec.labels import read_labels
from netspec.ledger import check_ledger, failures, find_ledger, load_ledger
from netspec.pipeline import compile_file
from netspec.source import Source
from netspec.training import picture_recipe, training_recipe

FOLDER = Path(__file__).resolve().parents[2] / "specs" / "invalid"
_DIRECTIVE = "# tested with "


@dataclass(frozen=True)
class Options:
    """What a directive asks for."""

    assignments: tuple[str, ...]
    encoding: str
    pad: int
    layers: int
    missing: bool


def examples() -> list[Path]:
    """Every invalid file, in order of the codes."""
    return sorted(path for path in FOLDER.iterdir() if path.suffix != ".txt")


def findings(path: Path) -> tuple[Diagnostic, ...]:
    """What is wrong with an example, under its bare file name."""
    text = path.read_text(encoding="utf-8")
    options = _options(text)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / path.name
        if not options.missing:
            copy.write_bytes(_made(text, options))
        return _examine(copy, options)


def rendering(path: Path) -> str:
    """The expected rendering of an example, as it stands beside it."""
    return render(findings(path))


def _examine(path: Path, options: Options) -> tuple[Diagnostic, ...]:
    try:
        if path.suffix != ".yaml":
            import_net(sort_files([str(path)], {}), ImportOptions())
            return ()
        if path.exists() and b"\nledger: 1\n" in path.read_bytes() and b"\nnetspec:" not in path.read_bytes():
            load_ledger(path, path.name)
            return ()
        if path.exists() and re.search(rb"^experiment: \d", path.read_bytes(), re.MULTILINE):
            make_trials(load_experiment(path, path.name), path.parent)
            return ()
        compiled = compile_file(path, options.assignments, path.name)
        if compiled.spec.ledger:
            place = compiled.spec.spans.value("ledger")
            ledger = load_ledger(find_ledger(compiled.spec.ledger, path.parent, place))
            if failed := failures(check_ledger(ledger, compiled), place):
                return failed
        read_labels(compiled, path.parent, None)
        training_recipe(compiled)
        picture_recipe(compiled)
    except SpecError as error:
        return tuple(_without_folder(d, path) for d in error.diagnostics)
    return compiled.spec.warnings


def _without_folder(d: Diagnostic, path: Path) -> Diagnostic:
    """The example was copied to a folder whose name differs each time."""
    source = Source(d.span.source.name.removeprefix(f"{path.parent}/"), d.span.source.text)
    span = replace(d.span, source=source)
    return replace(d, message=d.message.replace(f"{path.parent}/", ""), span=span)


def _options(text: str) -> Options:
    parser = argparse.ArgumentParser()
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("--as", default="utf-8", dest="encoding")
    parser.add_argument("--pad", type=int, default=0)
    parser.add_argument("--layers", type=int, default=0)
    parser.add_argument("--missing", action="store_true")
    lines = [line.removeprefix(_DIRECTIVE) for line in text.splitlines() if line.startswith(_DIRECTIVE)]
    said = parser.parse_args(shlex.split(" ".join(lines)))
    return Options(tuple(said.set), said.encoding, said.pad, said.layers, said.missing)


def _made(text: str, options: Options) -> bytes:
    last = text.splitlines()[-1]
    for number in range(options.layers):
        text += last.replace("1:", f"1_{number}:") + "\n"
    data = text.encode(options.encoding)
    return data + b"#\n" * ((options.pad - len(data)) // 2)
