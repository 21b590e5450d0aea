"""Hostile specs: what they say is text and stays text, names never clash, sizes are bounded (promises R1, R3)."""

from __future__ import annotations

import ast
import json

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from netspec.backends.torch import emit_module
from netspec.backends.torch.check import check_generated
from netspec.diagnostics import SpecError
from netspec.diagnostics.text import render
from netspec.pipeline import Compiled, compile_spec
from netspec.spec import load_text
from netspec.spec.load import MAX_LAYERS
from netspec.spec.names import class_name

BODY = "netspec: 1\nname: test\ninput: {size: 8}\nlayers:\n  fc1: {type: fc, inputs: data, outputs: 3}\n"
STRINGS = [
    '"""',
    "'''",
    '"""\nimport os\nos.system("true")\n"""',
    "\\",
    '\\"""',
    "{{ 7 * 7 }}",
    "{% raw %}{% import os %}",
    "{# comment #}",
    "${jndi:x}",
    "# coding: utf-7",
    "\\N{BULLET}",
    "%s %(name)s {0} {name.__class__}",
    "a\n\nb\n",
    "é 日本 🙈",
    "x" * 15_000,
    "</script><script>alert(1)</script>",
    "; rm -rf ~",
    "",
]


def module_of(spec_text: str) -> str:
    compiled = compile_spec(load_text(spec_text))
    return emit_module(compiled.spec, compiled.merged, compiled.placed)


def refused(spec_text: str) -> set[str]:
    """The codes that the compiler finds; rendering them shows nothing that a terminal obeys."""
    try:
        compile_spec(load_text(spec_text))
    except SpecError as error:
        shown = render(error.diagnostics)
        assert all(line.isprintable() for line in shown.split("\n"))
        return {d.code for d in error.diagnostics}
    return set()


def without_docstring(text: str) -> str:
    tree = ast.parse(text)
    return ast.dump(ast.Module(tree.body[1:], []))


@pytest.mark.parametrize("key", ["about", "licence", "ledger", "labels"])
@pytest.mark.parametrize("text", STRINGS, ids=range(len(STRINGS)))
def test_a_text_of_a_spec_changes_nothing_but_the_docstring(key: str, text: str) -> None:
    spec = f"{key}: {json.dumps(text, ensure_ascii=False)}\n{BODY}"
    assert without_docstring(module_of(spec)) == without_docstring(module_of(BODY))


def test_a_template_in_a_text_is_not_filled_in() -> None:
    assert "{{ 7 * 7 }}" in module_of(f'about: "{{{{ 7 * 7 }}}}"\n{BODY}')


@given(
    st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")), max_size=60)
)
def test_any_text_stays_in_the_docstring(text: str) -> None:
    spec = f"about: {json.dumps(text, ensure_ascii=False)}\nlabels: [{json.dumps(text, ensure_ascii=False)}]\n{BODY}"
    assert without_docstring(module_of(spec)) == without_docstring(module_of(BODY))


@given(st.text(max_size=20))
def test_any_name_is_refused_or_a_name(name: str) -> None:
    quoted = json.dumps(name)
    spec = f"netspec: 1\nname: test\ninput: {{size: 8}}\nlayers:\n  {quoted}: {{type: fc, inputs: data, outputs: 3}}\n"
    codes = refused(spec)
    if codes:
        assert codes <= {"NS102", "NS104", "NS207", "NS208", "NS317"}
    else:
        check_generated(module_of(spec))
        assert name.isidentifier()
        assert name.isascii()


@pytest.mark.parametrize(
    "name",
    [
        "__import__",
        "__class__",
        "forward",
        "self",
        "torch",
        "nn",
        "exec",
        "os",
        "\u0441onv1",
        "conv1\n",
        "a;b",
        "a b",
        "lambda",
    ],
)
def test_a_hostile_name_is_an_error_or_harmless(name: str) -> None:
    spec = BODY.replace("fc1", json.dumps(name))
    codes = refused(spec)
    if name in ("exec", "os"):
        check_generated(module_of(spec))
    else:
        assert codes
    assert codes <= {"NS102", "NS207", "NS208"}


CLASHES = """
netspec: 1
name: clash
input: {{size: 8}}
layers:
  conv1: {{type: conv, inputs: data, filters: 8, size: 3, gpu: [0, 1]}}
  {name}: {{type: conv, inputs: conv1, filters: 8, size: 3}}
  fc1: {{type: fc, inputs: [{name}, data], outputs: 4, gpu: 1}}
  probs: {{type: softmax, inputs: fc1}}
"""


@pytest.mark.parametrize(
    "name",
    ["data_on0", "data_on1", "conv1_on0", "conv1_on1", "conv1_1_to0", "conv1_0_to1", "fc1_to0", "probs_0", "conv1_2"],
)
def test_a_layer_with_the_name_of_a_generated_value_computes_the_same(name: str) -> None:
    compiled = compile_spec(load_text(CLASHES.format(name=name)))
    merged, split = modules(compiled)
    x = torch.randn(2, 3, 8, 8)
    torch.testing.assert_close(split(x), merged(x))


@pytest.mark.parametrize("name", ["conv1_0", "conv1_1"])
def test_a_layer_with_the_name_of_a_part_is_refused(name: str) -> None:
    with pytest.raises(SpecError) as error:
        compile_spec(load_text(CLASHES.format(name=name)))
    assert {d.code for d in error.value.diagnostics} == {"NS405"}


def modules(compiled: Compiled) -> tuple[torch.nn.Module, torch.nn.Module]:
    """The merged and the split module with the same weights, on the CPU."""
    text = emit_module(compiled.spec, compiled.merged, compiled.placed)
    names: dict[str, type[torch.nn.Module]] = {}
    exec(compile(text, "generated.py", "exec"), names)  # noqa: S102 - the generated file is what is tested
    cls = class_name(compiled.spec.name)
    merged = names[cls]().eval()
    split = names[f"{cls}Split"](**{f"gpu{d}": "cpu" for d in compiled.placed.devices}).eval()
    split.load_merged(merged.state_dict())  # type: ignore[operator]  # a method of the generated class
    return merged, split


LARGE = [
    "  c: {type: conv, inputs: data, filters: 1048576, size: 1, gpu: [0, 1, 2, 3]}",
    "  c: {type: conv, inputs: data, filters: 1048576, size: 1024, stride: 1024, dilation: 16}",
    "  c: {type: fc, inputs: data, outputs: 1048576}",
    "  c: {type: pool, inputs: data, pool: max, size: 1024}",
    "  c: {type: local, inputs: data, filters: 1, size: 1}",
    "  c: {type: rnorm, inputs: data, size: 1024}",
    f"  c: {{type: concat, inputs: [{', '.join(['data'] * 256)}]}}",
    f"  c: {{type: crop, inputs: data, start: {'9' * 39}, size: {'9' * 39}}}",
    f"  c: {{type: conv, inputs: data, filters: 64, size: 1, gpu: [{', '.join(map(str, range(64)))}]}}",
]


@pytest.mark.parametrize("layer", LARGE)
@pytest.mark.parametrize("size", [1, 16384])
def test_sizes_that_are_legal_or_not_cost_the_compiler_nothing(layer: str, size: int) -> None:
    text = f"netspec: 1\nname: large\ninput: {{size: {size}, channels: 4}}\nlayers:\n{layer}\n"
    codes = refused(text)
    assert codes <= {"NS302", "NS312", "NS313"}
    if not codes:
        compiled = compile_spec(load_text(text))
        assert max(node.shape.units for node in compiled.typed.nodes) <= 1 << 31


def layers(count: int, line: str) -> str:
    body = "".join(f"  l{n}: {line.format(n=n, before=f'l{n - 1}' if n else 'data')}\n" for n in range(count))
    return f"netspec: 1\nname: many\ninput: {{size: 4, channels: 4}}\nlayers:\n{body}"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (layers(MAX_LAYERS + 1, "{{type: flip, inputs: data}}"), "NS111"),
        (layers(MAX_LAYERS, "{{type: flip, inputs: x{n}}}"), "NS301"),
        (layers(MAX_LAYERS, "{{type: flip, inputs: data}}"), "NS304"),
        (layers(MAX_LAYERS - 1, "{{type: eltsum, inputs: [{before}, l998, l997]}}"), "NS303"),
        (layers(900, "{{type: conv, inputs: {before}, filters: 4, size: 1, gpu: [3, 2, 1, 0]}}"), "NS406"),
        (layers(2, "{{type: concat, inputs: [" + ", ".join(["data"] * 257) + "]}}"), "NS111"),
    ],
)
def test_many_layers_inputs_and_devices_are_bounded(text: str, code: str) -> None:
    with pytest.raises(SpecError) as error:
        compile_spec(load_text(text))
    assert error.value.diagnostics[0].code == code


def test_a_deep_net_written_backwards_compiles_without_recursion() -> None:
    count = MAX_LAYERS - 1
    body = "".join(
        f"  l{n}: {{type: flip, inputs: {f'l{n + 1}' if n < count - 1 else 'data'}}}\n" for n in range(count)
    )
    compiled = compile_spec(load_text(f"netspec: 1\nname: deep\ninput: {{size: 4}}\nlayers:\n{body}"))
    assert compiled.typed.nodes[0].name == f"l{count - 1}"
