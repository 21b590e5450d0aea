"""A built file, read by its graph alone and built again, computes the same; shipped specs come back layer by layer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from netspec.backends.onnx.model import merged_graph, write_merged
from netspec.importers.onnx_file.net import OnnxOptions, read_onnx
from netspec.importers.remark import Imported
from netspec.ir.lowering import LrnForm
from netspec.layers import LAYER_TYPES
from netspec.pipeline import Compiled, compile_file, compile_spec
from netspec.spec.load import load_text
from netspec.spec.shipped import shipped_specs
from netspec.weights import fill_initial
from tests.conformance.forms import Forms
from tests.importers.onnx_file.models import GRAPH_ONLY, apart, compiled, imported, rebuilt, run, without_metadata
from tests.property.graphs import RandomNet

CLOSE = 1e-5
NUDGE = np.float32(1 + 2.0**-20)  # eight roundings
FORMS: tuple[LrnForm, ...] = ("fast", "native")


def _built(net: Compiled, lrn: LrnForm, folder: Path) -> Path:
    """The file of a net, with a different number for each weight."""
    path = folder / "net.onnx"
    write_merged(path, merged_graph(net.spec, net.merged, lrn, ()), _fill)
    return path


def _fill(arrays: dict[str, np.ndarray]) -> None:
    for number, array in enumerate(arrays.values()):
        array.fill(number + 0.5)


def _vanishes(net: Compiled, name: str) -> bool:
    """A dropout that scales while training leaves nothing in a graph."""
    layer = net.spec.layers[name]
    return layer.type == "dropout" and getattr(layer, "scale", "") == "train"


@pytest.mark.slow
@pytest.mark.parametrize("lrn", FORMS)
@pytest.mark.parametrize("name", shipped_specs())
def test_shipped_specs_come_back(name: str, lrn: LrnForm, tmp_path: Path) -> None:
    """The same names, types, shapes, neurons, parameters and multiply-adds, and each weight where it was."""
    net = compile_file(shipped_specs()[name])
    found = read_onnx(_built(net, lrn, tmp_path), GRAPH_ONLY)
    again = compiled(found)
    wanted = [
        (n.name, n.layer.type, n.shape, n.layer.neuron, n.macs) for n in net.typed.nodes if not _vanishes(net, n.name)
    ]
    assert [(n.name, n.layer.type, n.shape, n.layer.neuron, n.macs) for n in again.typed.nodes] == wanted
    assert found.tensors is not None
    numbers = {p.name: (p.parameter.dims, n + 0.5) for n, p in enumerate(net.typed.parameters)}
    assert {name: (t.shape, float(t.reshape(-1)[0])) for name, t in found.tensors.items()} == numbers


def test_the_paper_s_alexnet_comes_back_word_for_word(tmp_path: Path) -> None:
    """But for devices, how weights start, and the data and training sections, which no graph has."""
    net = compile_file(shipped_specs()["alexnet"])
    found = read_onnx(_built(net, "fast", tmp_path), GRAPH_ONLY)
    for name, layer in found.spec.layers.items():
        wanted = net.spec.layers[name]
        learned = ("gpu", "init_w", "init_b", "lr_w", "lr_b", "decay")
        kept = {key: value for key, value in vars(wanted).items() if key not in learned}
        assert {key: value for key, value in vars(layer).items() if key not in learned} == kept


def _problem(seed: int, folder: Path, *, stripped: bool = False, lrn: LrnForm | None = None) -> str:
    """What is wrong with a random net that went through its graph; empty for nothing."""
    forms = Forms.of(RandomNet.seeded(seed).text())
    content = forms.onnx(forms.weights(seed), lrn or FORMS[seed % 2])
    content = without_metadata(content) if stripped else content
    found = imported(content, folder)
    batch = forms.inputs(seed)
    wanted, got, moved = run(content, batch), run(rebuilt(found, folder), batch), run(content, batch * NUDGE)
    if not stripped and compiled(found).typed.parameter_count != forms.net.typed.parameter_count:
        return "other parameters"
    return "" if _close(wanted, got, moved) else f"{apart(wanted, got):.1e} apart"


def _close(wanted: list[np.ndarray], got: list[np.ndarray], moved: list[np.ndarray]) -> bool:
    """Where one is no number the other is none either: some random nets take logarithms too far.

    ``moved`` is what a nudge of the input makes of ``wanted``: in steep nets, roundings in another order do as much.
    """
    if [a.size for a in wanted] != [b.size for b in got]:
        return False
    for one, other, nudged in zip(wanted, got, moved, strict=True):
        a, b, c = one.reshape(-1), other.reshape(-1), nudged.reshape(-1)
        good = np.isfinite(a)
        scale = max(1e-3, float(np.abs(a[good]).max())) if good.any() else 1.0
        steep = np.abs(a - c).max(where=good & np.isfinite(c), initial=0.0)
        if (good != np.isfinite(b)).any() or np.abs(a - b).max(where=good, initial=0.0) > max(CLOSE * scale, steep):
            return False
    return True


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(40))
def test_a_few_random_nets(seed: int, tmp_path: Path) -> None:
    assert not _problem(seed, tmp_path), RandomNet.seeded(seed).text()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(300, 320))
def test_without_the_names_that_netspec_gives(seed: int, tmp_path: Path) -> None:
    """Patterns are known by what they compute: other names and no metadata give other layers, not other numbers."""
    assert not _problem(seed, tmp_path, stripped=True), RandomNet.seeded(seed).text()


@pytest.mark.slow
@pytest.mark.parametrize("first", range(1000, 1300, 50))
def test_random_nets(first: int, tmp_path: Path) -> None:
    for seed in range(first, first + 50):
        assert not _problem(seed, tmp_path), f"seed {seed}\n{RandomNet.seeded(seed).text()}"


@pytest.mark.soak
@given(seed=st.integers(min_value=2**20, max_value=2**40))
@settings(phases=[Phase.explicit, Phase.reuse, Phase.generate])
def test_random_nets_at_large(seed: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    """In the form that keeps its digits: some of thousands of nets are beyond onnxruntime's own LRN."""
    folder = tmp_path_factory.mktemp("net")
    assert not _problem(seed, folder, lrn="fast"), RandomNet.seeded(seed).text()


@pytest.mark.slow
def test_most_layers_keep_their_type(tmp_path: Path) -> None:
    """What a graph cannot tell are layers that do nothing, and products that are a square; each type comes back."""
    kept = lost = 0
    seen: set[str] = set()
    for seed in range(60):
        forms = Forms.of(RandomNet.seeded(seed).text())
        found = imported(forms.onnx(forms.weights(), FORMS[seed % 2]), tmp_path)
        layers = {(n.name, n.layer.type) for n in forms.net.typed.nodes}
        again = {(name, layer.type) for name, layer in found.spec.layers.items()}
        kept, lost = kept + len(layers & again), lost + len(layers - again)
        seen |= {kind for _, kind in layers & again}
    assert seen == set(LAYER_TYPES)
    assert kept > 20 * lost


@pytest.mark.parametrize("stdev", [0.0702, 0.0753, 0.0912, 1.25])
def test_a_blur_comes_back_from_taps_of_few_digits(stdev: float, tmp_path: Path) -> None:
    """The outer tap of the first is six times the least number that float32 has."""
    layer = f"b: {{type: blur, inputs: data, size: 3, stdev: {stdev}}}"
    net = compile_spec(load_text(f"netspec: 1\nname: n\ninput: {{channels: 2, size: 6}}\nlayers:\n  {layer}\n"))
    found = read_onnx(_built(net, "fast", tmp_path), GRAPH_ONLY)
    assert found.spec.layers["b"] == net.spec.layers["b"]


def test_shared_weights_come_back(tmp_path: Path) -> None:
    forms = Forms.of(SHARED)
    found = imported(forms.onnx(forms.weights(), "fast"), tmp_path)
    layers = found.spec.layers
    assert getattr(layers["second"], "share_weights", None) == "first"
    assert getattr(layers["both"], "per_input")[1].share_weights == "first"  # noqa: B009 - of one type only
    assert found.tensors is not None
    assert "second.weight" not in found.tensors


@pytest.mark.parametrize("affine", [True, False])
def test_a_new_batch_norm_has_what_it_has(affine: bool, tmp_path: Path) -> None:
    """Scales that start at 1 are learned ones all the same."""
    text = f"{{type: batchnorm, inputs: data, affine: {str(affine).lower()}}}"
    net = compile_spec(load_text(f"netspec: 1\nname: new\ninput: {{size: 8}}\nlayers:\n  norm: {text}\n"))
    path = tmp_path / "new.onnx"
    write_merged(path, merged_graph(net.spec, net.merged, "fast", ()), lambda a: fill_initial(net.typed, 0, a))
    assert read_onnx(path, GRAPH_ONLY).spec.layers == net.spec.layers


SHARED = """
netspec: 1
name: shared
input: {channels: 4, size: 6}
layers:
  first:  {type: conv, inputs: data, filters: 4, size: 3, pad: 1}
  second: {type: conv, inputs: first, filters: 4, size: 3, pad: 1, share_weights: first, neuron: relu}
  both:   {type: conv, inputs: [first, second], filters: 4, size: 3, pad: 1, per_input: [{}, {share_weights: first}]}
"""


def test_places_are_lines_of_the_graph(tmp_path: Path) -> None:
    """Line n is the n-th operator of the file."""
    forms = Forms.of(SHARED)
    content = forms.onnx(forms.weights(), "fast")
    found = imported(content, tmp_path)
    operators = [node.op_type for node in onnx.ModelProto.FromString(content).graph.node]
    assert [(origin.type, origin.place.line) for origin in found.origins] == list(
        zip(operators, range(9), strict=False)
    )
    assert [origin.layer for origin in found.origins] == ["first", "second", "second", "both", "both", "both"]
    assert "Conv(first, first.weight, second.bias)" in found.origins[1].place.text


def _carried(name: str, folder: Path) -> tuple[Compiled, Imported]:
    net = compile_file(shipped_specs()[name])
    return net, read_onnx(_built(net, "fast", folder), OnnxOptions())


@pytest.mark.slow
@pytest.mark.parametrize("name", shipped_specs())
def test_the_spec_that_a_file_carries(name: str, tmp_path: Path) -> None:
    net, found = _carried(name, tmp_path)
    assert found.spec == net.spec
    assert [remark.topic for remark in found.remarks][:1] == ["spec"]
    assert found.tensors is not None
    assert [float(t.reshape(-1)[0]) for t in found.tensors.values()] == [n + 0.5 for n in range(len(found.tensors))]
    assert list(found.tensors) == [p.name for p in net.typed.parameters]
