"""Names: what a layer may not be called is just what torch's modules and the generated files use."""

from __future__ import annotations

import ast
import builtins
import keyword
import re

import pytest

from netspec.backends.torch import emit_module
from netspec.backends.torch.check import check_generated
from netspec.pipeline import compile_spec
from netspec.spec import load_text, names
from netspec.spec.names import RESERVED, class_name, layer_name_problem

# every helper of templates/netspec_templates/torch/helpers, on one device and on two
EVERY_HELPER = """
netspec: 1
name: every-helper
input: {size: 32}
layers:
  blur1: {type: blur, inputs: data, size: 3, stdev: 1}
  resize1: {type: resize, inputs: blur1, scale: 1.25}
  yuv1: {type: rgb2yuv, inputs: resize1}
  lab1: {type: rgb2lab, inputs: yuv1}
  conv1: {type: conv, inputs: lab1, filters: 8, size: 3, shared_biases: false, neuron: "drelu[2]", gpu: [0, 1]}
  norm1: {type: rnorm, inputs: conv1, size: 5}
  norm2: {type: rnorm, inputs: norm1, size: 3, across: space}
  norm3: {type: cnorm, inputs: norm2, size: 3}
  norm4: {type: rnorm, inputs: norm3, size: 3, blocked: true}
  conv2: {type: conv, inputs: norm4, filters: 8, size: 1, connections: [3, 1, 7, 0]}
  up1: {type: deconv, inputs: conv2, filters: 8, size: 2, init_w: bilinear}
  affine1: {type: affine, inputs: up1}
  pool1: {type: pool, inputs: affine1, pool: maxabs, size: 3, stride: 2}
  pool2: {type: pool, inputs: pool1, pool: avg, size: 3, stride: 2, pad: [1, 0, 0, 1], count: padded}
  local1: {type: local, inputs: pool2, filters: 8, size: 3, pad: 1}
  drop1: {type: dropout, inputs: local1}
  drop2: {type: dropout, inputs: drop1, scale: train}
  cmpool1: {type: cmpool, inputs: drop2, size: 3, start: -2}
  bn1: {type: batchnorm, inputs: cmpool1}
  fc1: {type: fc, inputs: bn1, outputs: 10}
  fc2: {type: fc, inputs: bn1, outputs: 10, share_weights: fc1}
  fc3: {type: fc, inputs: fc2, outputs: 10, groups: 2, gpu: 0}
  sum1: {type: eltsum, inputs: [fc1, fc3]}
  probs: {type: softmax, inputs: sum1}
"""


@pytest.fixture(scope="module")
def generated() -> str:
    compiled = compile_spec(load_text(EVERY_HELPER))
    return emit_module(compiled.spec, compiled.merged, compiled.placed)


def test_no_layer_can_hide_an_attribute_of_a_module() -> None:
    from torch import nn

    public = {name for name in dir(nn.Module()) if not name.startswith("_")}
    assert public - RESERVED == set()


def test_no_layer_can_hide_a_name_that_the_generated_file_reads(generated: str) -> None:
    helpers, nets = definitions(generated)
    forwards = [
        n for net in nets for n in net.body if isinstance(n, ast.FunctionDef) and n.name in ("forward", "logits")
    ]
    nodes = [n for f in forwards for n in ast.walk(f) if isinstance(n, ast.Name)]
    made = {n.id for n in nodes if isinstance(n.ctx, ast.Store)} | {a.arg for f in forwards for a in f.args.args}
    read = {n.id for n in nodes if isinstance(n.ctx, ast.Load)}
    assert {f.name for f in forwards} == {"forward", "logits"}
    assert helpers - RESERVED == set()
    assert (read - made) - RESERVED == set()
    assert read & set(dir(builtins)) <= RESERVED


def test_no_layer_can_hide_what_the_generated_classes_define(generated: str) -> None:
    for net in definitions(generated)[1]:
        methods = {node.name for node in net.body if isinstance(node, ast.FunctionDef)} - {"__init__"}
        constants = {
            t.id for node in net.body if isinstance(node, ast.Assign) for t in node.targets if isinstance(t, ast.Name)
        }
        assert (methods | constants) - RESERVED == set()


def test_nothing_is_reserved_that_the_generated_file_does_not_have(generated: str) -> None:
    words = set(re.findall(r"\w+", generated))
    assert [name for name in names._GENERATED.split() if name not in words and name != "float"] == []


def definitions(generated: str) -> tuple[set[str], list[ast.ClassDef]]:
    """The names of the helpers, and the classes of the net."""
    body = ast.parse(generated).body
    nets = [n for n in body if isinstance(n, ast.ClassDef) and n.name in ("EveryHelper", "EveryHelperSplit")]
    return {n.name for n in body if isinstance(n, ast.ClassDef | ast.FunctionDef)} - {n.name for n in nets}, nets


def test_the_net_of_this_test_uses_every_helper(generated: str) -> None:
    from importlib.resources import files

    helpers = [f.name.removesuffix(".py") for f in (files("netspec_templates") / "torch" / "helpers").iterdir()]
    assert [h for h in helpers if h.isidentifier() and not h.startswith("_") and h not in generated] == []


@pytest.mark.parametrize(
    "name",
    ["__import__", "_x", "1a", "", "a-b", "a.b", "a b", "é", "\u0441onv", "a\n", "a" * 65, "a/b", "a'", "{{a}}", "ﬁ"],
)
def test_what_is_no_name(name: str) -> None:
    problem = layer_name_problem(name)
    assert problem is not None
    assert problem[0] == "NS207"


@pytest.mark.parametrize(
    "name",
    ["forward", "self", "torch", "nn", "F", "class", "None", "match", "gpu0", "gpu12", "ROWS", "training", "type"],
)
def test_a_name_that_is_taken(name: str) -> None:
    problem = layer_name_problem(name)
    assert problem is not None
    assert problem[0] == "NS208"


@pytest.mark.parametrize("name", ["conv1", "Conv", "gpu", "x" * 64, "fc8_imagenet", "weights", "lambda_"])
def test_a_good_name(name: str) -> None:
    assert layer_name_problem(name) is None


def test_a_lookalike_is_named_with_the_letter_that_was_meant() -> None:
    problem = layer_name_problem("сonv1")  # noqa: RUF001 - Cyrillic on purpose
    assert problem is not None
    assert problem[2] == "it holds U+0441 (CYRILLIC SMALL LETTER ES), which is not ASCII: write `conv1`"


@pytest.mark.parametrize("name", [*keyword.kwlist, *keyword.softkwlist])
def test_a_word_of_python_is_no_name(name: str) -> None:
    assert layer_name_problem(name) is not None


@pytest.mark.parametrize(
    ("net", "cls"),
    [("alexnet", "Alexnet"), ("alexnet-2012", "Alexnet2012"), ("a_b-c", "ABC"), ("none", "NoneNet"), ("f", "FNet")],
)
def test_class_names(net: str, cls: str) -> None:
    assert class_name(net) == cls


@pytest.mark.parametrize("net", ["none", "true", "tensor", "f", "localConv2d", "untiedConv2d", "x-"])
def test_a_net_of_any_name_gives_a_module_that_runs(net: str) -> None:
    spec = load_text(
        f'netspec: 1\nname: "{net}"\ninput: {{size: 8}}\nlayers:\n  fc1: {{type: fc, inputs: data, outputs: 2}}\n'
    )
    compiled = compile_spec(spec)
    text = emit_module(spec, compiled.merged, compiled.placed)
    check_generated(text)
    module: dict[str, object] = {"__name__": "generated"}
    exec(compile(text, "generated.py", "exec"), module)  # noqa: S102 - the generated file is what is tested
    assert class_name(net) in module
