"""onnxruntime on our file against onnxruntime on torch.onnx.export of a plain hand-written module, same weights."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime  # type: ignore[import-untyped]
import torch
from numpy.typing import NDArray

from benchmarks.in_turn import in_turn, show
from benchmarks.plain_alexnet import export
from netspec.backends.onnx.model import merged_graph, write_merged
from netspec.ir.lowering import LrnForm
from netspec.pipeline import compile_file
from netspec.spec.shipped import find_spec
from netspec.weights import fill_initial
from netspec_runtime.weights import map_weights

Array = NDArray[np.float32]
ROUNDS = {1: 41, 8: 15, 64: 7}
FORMS: tuple[LrnForm, ...] = ("fast", "native")


def main() -> None:
    """Print the ratios at batch 1, 8 and 64, and how far the answers are apart."""
    with tempfile.TemporaryDirectory() as folder:
        files = _files(Path(folder))
        sessions = {name: onnxruntime.InferenceSession(path) for name, path in files.items()}
    for batch, rounds in ROUNDS.items():
        images = np.random.default_rng(0).standard_normal((batch, 3, 224, 224)).astype(np.float32) * 60
        sides = {name: _runner(session, images) for name, session in sessions.items()}
        answers = [run() for run in sides.values()]
        apart = max(float(np.abs(answer - answers[0]).max()) for answer in answers)
        show(f"AlexNet forward, batch {batch} (answers differ by {apart:.0e})", in_turn(sides, rounds))


def _files(folder: Path) -> dict[str, str]:
    compiled = compile_file(find_spec("alexnet"))
    ours = {}
    for form in FORMS:
        path = folder / f"{form}.onnx"
        graph = merged_graph(compiled.spec, compiled.merged, form, ())
        write_merged(path, graph, lambda arrays: fill_initial(compiled.typed, compiled.spec.seed, arrays))
        ours[f"netspec, --lrn {form}"] = str(path)
    exported = str(folder / "exported.onnx")
    weights = map_weights(folder / f"{FORMS[0]}.onnx")
    export(exported, {p.name: torch.from_numpy(weights[p.name]) for p in compiled.typed.parameters})
    return {"torch.onnx.export": exported, **ours}


def _runner(session: onnxruntime.InferenceSession, images: Array) -> Callable[[], Array]:
    def run() -> Array:
        answer: Array = session.run(None, {"data": images})[0]
        return answer

    return run


if __name__ == "__main__":
    main()
