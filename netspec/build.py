"""Build: everything that a spec becomes, in one folder. It prints nothing."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from netspec.labels import read_labels
from netspec.output import OutputFolder
from netspec.pipeline import Compiled
from netspec.seen import Seen
from netspec.spec.dump import dump, spec_hash
from netspec.spec.names import module_name
from netspec_runtime.errors import DataError

if TYPE_CHECKING:
    from netspec.backends.onnx.file import Array
    from netspec.ir.lowering import LrnForm
    from netspec.ledger import LedgerReport
    from netspec.proof.parity import Parity

LrnChoice = Literal["auto", "native", "fast"]
MEASURED_LRN: LrnForm = "fast"  # benchmarks/inference.py: .6 of the time of `native` in onnxruntime on a CPU


@dataclass(frozen=True)
class BuildOptions:
    """What `netspec build` was asked for. ``spec`` is the layer file; its labels file lies beside it.

    ``weights`` is a safetensors file, or the folder of a run that has ended: then its best weights are taken, and
    ``seen``, the mean and the classes of the data that they learned from, is read from its model.
    """

    out: Path
    spec: Path
    lrn: LrnChoice = "auto"
    weights: Path | None = None
    labels: Path | None = None
    check: bool = True
    split: bool = False
    force: bool = False
    seen: Seen | None = None


@dataclass(frozen=True)
class Built:
    """The files written, in order, and what the proof said (None with --no-check).

    ``measured``: whether the model subtracts what the spec says, and not a colour that stands in for the data's mean.
    """

    files: tuple[Path, ...]
    model: Path
    parity: Parity | None
    measured: bool


def check_inputs(compiled: Compiled, options: BuildOptions) -> BuildOptions:
    """The options with what a run has seen, where ``weights`` is one: for `build_files`, which need not open it again.

    Raises what that would for the weights and labels that it reads, before any work, and DataError for a folder that
    holds data or a run, unless options say ``force``.
    """
    from netspec.weights import check_tensors, tensors_of

    found = _of_run(compiled, options)
    if found.weights is not None:
        check_tensors(compiled.typed, str(found.weights), tensors_of(found.weights))
    _labels(compiled, found)
    if not options.force:
        _require_no_other(options.out)
    return found


def _require_no_other(out: Path) -> None:
    """Raise DataError for a folder that is another command's, where nobody looks for a build: data, or a run."""
    from netspec_runtime.data.open import is_prepared
    from netspec_runtime.run_marks import is_run

    holds = "prepared data" if is_prepared(out) else "a run" if is_run(out) else ""
    if holds:
        raise DataError(str(out), f"it holds {holds}", "choose another folder with --out, or add --force")


def build_files(compiled: Compiled, ledger: LedgerReport | None, options: BuildOptions) -> Built:
    """Write the module, the ONNX file(s), the proof, the drawing and the report. Raises DataError, SpecError."""
    name = compiled.spec.name
    options = _of_run(compiled, options)
    labels = _labels(compiled, options)
    folder = _open_folder(compiled, options)
    model = _write_model(compiled, folder, labels, options)  # first: it refuses a net too large for one file
    folder.discard(*_later(compiled))
    files = [folder.write(f"{name}.yaml", dump(compiled.spec)), _write_module(compiled, folder), model]
    files += _write_split(compiled, folder, labels, options) if options.split else ()
    parity = None
    if options.check:
        from netspec.proof.prove import prove

        parity = prove(compiled, model, options.seen)
        files.append(folder.write("parity.json", parity.as_json()))
    files += _write_report(compiled, folder, ledger, parity)
    measured = options.seen is not None or compiled.spec.data.mean not in ("image", "color")
    return Built(tuple(files), model, parity, measured)


def _of_run(compiled: Compiled, options: BuildOptions) -> BuildOptions:
    """With a run's best weights and what they saw, where ``weights`` is its folder. Raises DataError."""
    if options.weights is None or not options.weights.is_dir():
        return options
    from netspec.weights import tensors_of, unlike
    from netspec_runtime.model_file import read_model
    from netspec_runtime.training.run import open_run

    run = open_run(options.weights)
    if not run.onnx.is_file():
        fix = f"end its training: netspec train --resume {run.path}"
        raise DataError(str(run.path), "there is no model.onnx in it, so no run that has ended", fix)
    others = unlike(compiled.typed, tensors_of(run.best))
    if others:
        more = f", and {len(others) - 1:,} more" if len(others) > 1 else ""
        reason = f"it is a run of another net (`{run.name}`): {others[0]}{more}"
        raise DataError(str(run.path), reason, f"build its own spec: {run.spec}")
    model = read_model(str(run.onnx))
    seen = Seen.of_card(model.card)
    if compiled.spec.data.mean == "image" and model.card.preprocessing.mean_image is None:
        raise DataError(str(run.path), "it was trained without a mean image", f"build its own spec: {run.spec}")
    if compiled.spec.data.mean == "image" and seen.mean_image.shape[:2] != compiled.spec.input.size:
        raise DataError(str(run.path), "its mean image has another size", f"build its own spec: {run.spec}")
    return replace(options, weights=run.best, seen=seen)


def _labels(compiled: Compiled, options: BuildOptions) -> tuple[str, ...]:
    """Those that the spec or the options give; else the data's classes, if there is one for each output."""
    labels = read_labels(compiled, options.spec.parent, options.labels)
    if labels or options.seen is None:
        return labels
    return options.seen.classes if len(options.seen.classes) == compiled.classes else ()


def _open_folder(compiled: Compiled, options: BuildOptions) -> OutputFolder:
    """The folder, ready for every file that a build of this net may write."""
    name = compiled.spec.name
    inputs = tuple(path for path in (options.spec, options.weights, options.labels) if path)
    folder = OutputFolder(options.out, spec_hash(compiled.spec), options.force, inputs)
    folder.open()
    folder.reserve(
        f"{name}.yaml", f"{module_name(name)}.py", f"{name}.onnx", "graph.svg", "report.html", *_later(compiled)
    )
    return folder


def _later(compiled: Compiled) -> list[str]:
    """Files that hold for the model's weights only, and that not every build writes."""
    from netspec.backends.onnx.split import part_name

    return ["parity.json", *(part_name(compiled.spec, device) for device in compiled.placed.devices)]


def _write_module(compiled: Compiled, folder: OutputFolder) -> Path:
    from netspec.backends.torch import emit_module

    name = f"{module_name(compiled.spec.name)}.py"
    return folder.write(name, emit_module(compiled.spec, compiled.merged, compiled.placed))


def _write_model(compiled: Compiled, folder: OutputFolder, labels: tuple[str, ...], options: BuildOptions) -> Path:
    from netspec.backends.onnx.model import merged_graph, write_merged

    graph = merged_graph(compiled.spec, compiled.merged, lrn_form(options.lrn), labels, options.seen)
    path = folder.path / f"{compiled.spec.name}.onnx"
    write_merged(path, graph, lambda arrays: _fill(compiled, arrays, options.weights), folder.install)
    return path


def _write_split(
    compiled: Compiled, folder: OutputFolder, labels: tuple[str, ...], options: BuildOptions
) -> list[Path]:
    """One file a device, with rows of the merged file's weights."""
    from netspec.backends.onnx.split import split_graphs, write_split

    merged = folder.path / f"{compiled.spec.name}.onnx"
    with merged.open("rb") as file:
        weights = hashlib.file_digest(file, "sha256").hexdigest()
    graphs = split_graphs(compiled.spec, compiled.placed, lrn_form(options.lrn), labels, weights, options.seen)
    for name, graph in graphs.items():
        write_split(folder.path / name, graph, merged, folder.install)
    return [folder.path / name for name in graphs]


def _fill(compiled: Compiled, arrays: dict[str, Array], weights: Path | None) -> None:
    from netspec.weights import fill_from_file, fill_initial

    if weights is None:
        fill_initial(compiled.typed, compiled.spec.seed, arrays)
    else:
        fill_from_file(compiled.typed, weights, arrays)


def _write_report(
    compiled: Compiled, folder: OutputFolder, ledger: LedgerReport | None, parity: Parity | None
) -> list[Path]:
    from netspec.report.html import render_report_html
    from netspec.report.svg import render_svg

    drawing = folder.write("graph.svg", render_svg(compiled.placed, compiled.spec.about))
    return [drawing, folder.write("report.html", render_report_html(compiled, ledger, parity))]


def lrn_form(choice: LrnChoice) -> LrnForm:
    """`auto` is the form that was measured to be fastest in onnxruntime."""
    return MEASURED_LRN if choice == "auto" else choice
