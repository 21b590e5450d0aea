"""Damaged nets and weights, imported whole: a net, a diagnostic or one line comes of them, and nothing else."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from netspec.diagnostics import SpecError
from netspec.diagnostics.text import render
from netspec.importers.caffe.net import CaffeOptions, read_caffe
from netspec.pipeline import compile_spec
from netspec.source import Source
from netspec_runtime.errors import DataError
from tests.importers.caffe.mutants import MIDDLE, OLDEST, SMALL, bytes_mutant, text_mutant
from tests.importers.caffe.nets import small
from tests.importers.caffe.nets.text import conv_relu, deploy_input, fc
from tests.importers.caffe.opencv import random_blobs, write_caffemodel
from tests.importers.caffe.test_layers_against_opencv import CASES, INPUT

SOME, ALL = 300, 20_000
LAYERS = tuple(f'name: "small"\n{INPUT}{case.text}' for case in CASES.values())
TEXTS = (SMALL, OLDEST, MIDDLE, *LAYERS, small.lenet_train_test(), small.lenet_oldest(), small.cifar10_full())
TWO = deploy_input(1, 3, 8, 8) + conv_relu("conv1", "data", 6, 3) + fc("fc2", "conv1", 5)


def verdict(text: str | None, options: CaffeOptions, weights: Path | None = None) -> str:
    """``ok``, the first code, or ``data``; what came out compiles, what was said can be shown."""
    try:
        imported = read_caffe(None if text is None else Source("net.prototxt", text), options, weights)
        compile_spec(imported.spec)
    except SpecError as error:
        render(error.diagnostics)
        return error.diagnostics[0].code
    except DataError as error:
        return "data" if str(error).isprintable() else "data that cannot be shown"
    return "ok"


def check_texts(seeds: range) -> None:
    strict, loose = CaffeOptions(size=32), CaffeOptions(size=32, lenient=True, rgb=True)
    found = Counter(verdict(text_mutant(seed, TEXTS), options) for seed in seeds for options in (strict, loose))
    assert found["ok"] > len(seeds) / 10, found
    assert len(found) > 8, found


def check_weights(seeds: range, folder: Path) -> None:
    blobs = random_blobs({"conv1": [(6, 3, 3, 3), (6,)], "fc2": [(5, 216), (5,)]})
    path = write_caffemodel(folder / "w.caffemodel", blobs)
    whole, mutant = path.read_bytes(), folder / "mutant.caffemodel"
    found: Counter[str] = Counter()
    for seed in seeds:
        mutant.write_bytes(bytes_mutant(whole, seed))
        found[verdict(TWO, CaffeOptions(fold_batchnorm=True), mutant)] += 1
        found[verdict(None, CaffeOptions(), mutant)] += 1
    assert {"ok", "data"} <= set(found), found
    assert "data that cannot be shown" not in found


def test_damaged_nets() -> None:
    check_texts(range(SOME))


def test_damaged_weights(tmp_path: Path) -> None:
    check_weights(range(SOME), tmp_path)


@pytest.mark.soak
def test_many_damaged_nets() -> None:
    check_texts(range(SOME, ALL))


@pytest.mark.soak
def test_many_damaged_weights(tmp_path: Path) -> None:
    check_weights(range(SOME, ALL), tmp_path)
