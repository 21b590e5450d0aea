"""Every parameter file of the samples with its definition: the start of the recipe, by hand from the files."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from netspec.diagnostics import SpecError
from netspec.source import Source, Span
from netspec.spec.model import RateSpec
from netspec.syntax.reader import read_source
from tests.importers.cuda_convnet.rates_of import Read, read

# Definitions of other names, as reference/cuda-convnet.md 7 pairs them; that of 107 is not among the samples, and 120
# has layers of the same names and inputs.
DEFINITIONS = {
    "107": "120",
    "145-2010": "145",
    "154": "153",
    "165": "153",
    "169": "153",
    "170": "153",
    "178": "153",
    "170-4gpu": "153-4gpu",
}
FROZEN = (0.0, 0.0)


def params_of(shared: Path, name: str) -> Path:
    (params,) = (shared / "data" / "cuda-convnet").rglob(f"layer-params-{name}.cfg")
    return params


def definition_of(shared: Path, name: str) -> Path:
    return params_of(shared, name).with_name(f"layers-{DEFINITIONS.get(name, name)}.cfg")


def sample(shared: Path, name: str) -> Read:
    return read(read_source(definition_of(shared, name)), read_source(params_of(shared, name)))


def dexp(start: float, divide: float, levels: int) -> RateSpec:
    return RateSpec(start=start, divide=divide, curve="dexp", levels=levels)


def exp(start: float, divide: float) -> RateSpec:
    return RateSpec(start=start, divide=divide, curve="exp")


RECIPES: list[tuple[str, float | RateSpec, float | RateSpec, float]] = [
    ("18pct", 0.001, 0.002, 0.004),
    ("80sec", 0.001, 0.002, 0.004),
    ("conv-local-13pct", 0.001, 0.002, 0.004),
    ("example", 0.001, 0.002, 0.0),
    ("107", 0.01, 0.002, 0.0005),
    ("120", 1e-5, 0.02, 0.0005),
    ("137-tree", 0.001, 0.02, 0.0005),
    ("145", 1e-5, 0.02, 0.0005),
    ("145-2010", 1e-5, 0.002, 0.0005),
    ("145-half", 1e-5, 0.02, 0.0005),
    ("146-2012-2011", 1e-5, 0.02, 0.0005),
    ("147", 1e-5, 0.002, 0.0005),
    ("148", 1e-5, 0.02, 0.0005),
    ("150", 1e-5, 0.02, 0.0005),
    ("154", exp(0.01, 1000.0), exp(0.02, 1000.0), 0.0005),
    ("165", dexp(0.01, 500.0, 4), dexp(0.02, 10.0, 2), 0.0005),
    ("169", dexp(0.01, 500.0, 4), dexp(0.02, 10.0, 2), 0.0005),
    ("170", dexp(0.01, 250.0, 4), dexp(0.02, 10.0, 2), 0.0005),
    ("170-4gpu", 0.00008, 0.02, 0.0005),
    ("178", dexp(0.01, 250.0, 4), dexp(0.02, 10.0, 2), 0.0005),
    ("98-16kinit", 1e-5, 0.002, 0.0005),
    ("flickr-102", 1e-5, 0.02, 0.0005),
    ("cifar10-11pct", 0.001, 0.002, 0.0),
    ("imagenet-1gpu", dexp(0.01, 250.0, 4), dexp(0.02, 10.0, 2), 0.0005),
    ("imagenet-2gpu-data", dexp(0.02, 250.0, 4), dexp(0.04, 10.0, 2), 0.0005),
    ("imagenet-2gpu-model", dexp(0.02, 250.0, 4), dexp(0.04, 25.0, 2), 0.0005),
    ("imagenet-4gpu-data", dexp(0.04, 250.0, 4), dexp(0.08, 10.0, 2), 0.0005),
    ("imagenet-4gpu-data-model", dexp(0.01, 250.0, 4), dexp(0.02, 10.0, 2), 0.0005),
]


@pytest.mark.parametrize(("name", "lr", "lr_b", "decay"), RECIPES)
def test_the_recipe_of_a_sample(
    shared: Path, name: str, lr: float | RateSpec, lr_b: float | RateSpec, decay: float
) -> None:
    train = sample(shared, name).spec.train
    assert (train.batch, train.momentum, train.decay) == (128, 0.9, decay)
    assert (train.lr, train.lr_b) == (lr, lr_b)


def test_every_sample_is_in_the_list(shared: Path) -> None:
    files = (shared / "data" / "cuda-convnet").rglob("layer-params-*.cfg")
    assert {path.stem.removeprefix("layer-params-") for path in files} == {name for name, *_ in RECIPES}


def test_damaged_files_are_read_or_refused_with_a_line(shared: Path) -> None:
    """Some characters of the first layers are lost, or become others."""
    random = Random(4)
    definition, text = read_source(definition_of(shared, "170")), read_source(params_of(shared, "170")).text
    outcomes = []
    for _ in range(150):
        letters = list(text)
        for _ in range(random.randint(1, 2)):
            place = random.randrange(1500)
            letters[place] = random.choice(("", "=", "[", "]", ";", ",", "9", random.choice(text)))
        outcomes.append(_where_refused(definition, Source("params.cfg", "".join(letters))))
    assert outcomes.count([]) > 15
    wrong = [place for places in outcomes for place in places]
    assert len(wrong) > 100
    assert all(place.source.name in (definition.name, "params.cfg") for place in wrong)
    assert all(place.line < len(place.source.lines) for place in wrong)


def _where_refused(definition: Source, params: Source) -> list[Span]:
    try:
        read(definition, params)
    except SpecError as error:
        return [diagnostic.span for diagnostic in error.diagnostics]
    return []


def test_the_published_net_ends_with_its_first_layer_frozen(shared: Path) -> None:
    done = sample(shared, "145")
    assert done.factors() == {"conv1a_here": FROZEN, "conv1b_here": FROZEN}
    assert {remark.kind for remark in done.remarks} == {"meaning"}


def test_fine_tuning_with_faster_biases(shared: Path) -> None:
    faster = {f"conv6{tower}_here": (1.0, 1.1) for tower in "ab"}
    frozen = {f"conv1{tower}_here": FROZEN for tower in "ab"}
    assert sample(shared, "146-2012-2011").factors() == faster | frozen


def test_replicas_with_rates_of_the_larger_batch(shared: Path) -> None:
    done = sample(shared, "imagenet-4gpu-data-model")
    assert done.factors() == {f"conv{number}_here": (4.0, 4.0) for number in range(1, 6)}
    assert len(done.said("updatePeriod")) == 9


def test_the_bounds_of_107_are_dropped_with_their_lines(shared: Path) -> None:
    lines = [text.split()[:2] for text in sample(shared, "107").said("wcNormMin")]
    assert lines == [["dropped", "9"], ["dropped", "20"], ["dropped", "30"], ["dropped", "40"]]
