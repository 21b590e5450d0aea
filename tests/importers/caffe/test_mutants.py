"""Damaged Caffe files end in a net, a diagnostic or one line, never in another exception. `mutants.py` makes them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from netspec.diagnostics import SpecError
from netspec.diagnostics.text import render
from netspec.importers.caffe.caffemodel import read_caffemodel, read_mean
from netspec.importers.caffe.prototxt import is_solver, read_prototxt
from netspec.importers.caffe.solver import apply_solver
from netspec.importers.caffe.upgrade import upgraded
from netspec.importers.draft import Draft
from netspec.importers.remark import Remarks
from netspec.source import Source
from netspec_runtime.errors import DataError
from tests.importers.caffe.google import message_class
from tests.importers.caffe.mutants import bytes_mutant, text_mutant
from tests.importers.caffe.test_solver import ALEXNET

SOME = 400
ALL = 20_000
STRETCH = 2_000


def verdict(run: Callable[[], object]) -> str:
    """``ok``, the first code, or ``data``; what it says can be shown."""
    try:
        run()
    except SpecError as error:
        render(error.diagnostics)
        return error.diagnostics[0].code
    except DataError as error:
        return "data" if str(error).isprintable() else "data that cannot be shown"
    return "ok"


def net_verdict(seed: int) -> str:
    source = Source("mutant.prototxt", text_mutant(seed))
    is_solver(source)
    return verdict(lambda: upgraded(read_prototxt(source, remarks := Remarks()), remarks))


def solver_verdict(seed: int) -> str:
    text = text_mutant(seed, (ALEXNET,))

    def run() -> None:
        remarks = Remarks()
        solver = read_prototxt(Source("mutant.prototxt", text), remarks, "SolverParameter")
        apply_solver(Draft(Source("net.prototxt", "")), solver, 256, remarks)

    return verdict(run)


def model() -> bytes:
    """A small file of weights: mostly structure, where damage can be seen."""
    net = message_class("NetParameter")(name="small")
    for number in range(3):
        layer = net.layer.add(name=f"conv{number}", type="Convolution", bottom=["a"], top=["b"])
        layer.convolution_param.kernel_size.append(3)
        layer.param.add(lr_mult=2)
        for shape in ((2, 1, 3, 3), (2,)):
            blob = layer.blobs.add()
            blob.shape.dim.extend(shape)
            blob.data.extend([0.5] * int(np.prod(shape)))
    return bytes(net.SerializeToString())


def old_model() -> bytes:
    """The same in an older form, its numbers one by one."""
    net = message_class("NetParameter", packed=False)()
    for number in range(3):
        layer = net.layers.add(name=f"conv{number}", type=4, blobs_lr=[1, 2])
        blob = layer.blobs.add(num=1, channels=1, height=2, width=3)
        blob.double_data.extend([1, 2, 3, 4, 5, 6])
    return bytes(net.SerializeToString())


def model_verdict(path: Path, seed: int) -> str:
    path.write_bytes(bytes_mutant((model, old_model)[seed % 2](), seed))
    mean = verdict(lambda: read_mean(path))
    assert mean in ("ok", "data")
    return verdict(lambda: read_caffemodel(path, Remarks()))


def test_some_damaged_nets() -> None:
    ends = Counter(map(net_verdict, range(SOME)))
    assert ends.keys() >= {"ok", "NS801", "NS802", "NS808"}, ends


def test_some_damaged_solvers() -> None:
    ends = Counter(map(solver_verdict, range(SOME)))
    assert ends.keys() >= {"ok", "NS801", "NS802", "NS808"}, ends


def test_some_damaged_models(tmp_path: Path) -> None:
    ends = Counter(model_verdict(tmp_path / "mutant.caffemodel", seed) for seed in range(SOME))
    assert ends.keys() >= {"ok", "data"}, ends
    assert ends["data"] > SOME // 4


@pytest.mark.soak
@pytest.mark.parametrize("start", range(0, ALL, STRETCH))
def test_twenty_thousand_damaged_texts(start: int) -> None:
    seeds = range(start, start + STRETCH)
    assert {"ok", "NS801"} <= {*map(net_verdict, seeds)}
    assert {"ok", "NS801"} <= {*map(solver_verdict, seeds)}


@pytest.mark.soak
@pytest.mark.parametrize("start", range(0, ALL, STRETCH))
def test_twenty_thousand_damaged_models(tmp_path: Path, start: int) -> None:
    path = tmp_path / "mutant.caffemodel"
    assert {"ok", "data"} <= {model_verdict(path, seed) for seed in range(start, start + STRETCH)}
