"""A layer file to a Spec: all errors of a run, each once; defaults; warnings."""

from __future__ import annotations

import pytest

from netspec.diagnostics import Diagnostic, SpecError
from netspec.diagnostics.diagnostic import MOST_FINDINGS
from netspec.layers.conv import Conv
from netspec.spec import load_text

HEAD = "netspec: 1\nname: test\ninput: {size: 32}\n"
FC = "  fc1: {type: fc, inputs: data, outputs: 10}\n"


def found(text: str) -> list[Diagnostic]:
    with pytest.raises(SpecError) as error:
        load_text(text)
    return list(error.value.diagnostics)


def codes(text: str) -> list[tuple[str, str]]:
    """(code, text at the place) of each finding."""
    return [(d.code, d.span.text) for d in found(text)]


def test_errors_everywhere_come_in_one_run_in_the_order_of_the_text() -> None:
    text = (
        "netspec: 2\nname: 1a\ninput: {size: 0}\nabuot: x\n"
        "layers:\n  c: {type: conv, inputs: data, filters: x, size: 3, strid: 1}\n  class: {type: fcc}\n"
    )
    assert codes(text) == [
        *[("NS204", "0"), ("NS201", "abuot"), ("NS203", "x")],
        *[("NS201", "strid"), ("NS208", "class"), ("NS206", "fcc")],
    ]


def test_a_misspelt_required_key_is_not_missing_too() -> None:
    assert codes(f"{HEAD}layers:\n  c: {{type: conv, input: data, filtres: 8, kernel_size: 3}}\n") == [
        *[("NS201", "input"), ("NS201", "filtres"), ("NS201", "kernel_size")],
    ]


def test_a_misspelt_type_key_is_not_missing_too() -> None:
    assert codes(f"{HEAD}layers:\n  c: {{tpye: fc, inputs: data, outputs: 3}}\n") == [("NS201", "tpye")]


def test_misspelt_layers_are_not_missing_too() -> None:
    assert codes(f"{HEAD}layer:\n{FC}") == [("NS201", "layer")]


def test_defaults_are_used_where_the_layer_says_nothing() -> None:
    layers = "  c: {type: conv, inputs: data, filters: 4, pad: 2}\n"
    text = f"{HEAD}defaults: {{conv: {{size: 3, pad: 1}}}}\nlayers:\n{layers}"
    layer = load_text(text).layers["c"]
    assert isinstance(layer, Conv)
    assert (layer.size, layer.pad) == ((3, 3), (2, 2, 2, 2))


def test_an_error_in_defaults_is_reported_once_in_the_defaults() -> None:
    text = f"{HEAD}defaults: {{fc: {{lr_w: x}}}}\nlayers:\n{FC}{FC.replace('fc1', 'fc2')}"
    assert codes(text) == [("NS203", "x")]


def test_defaults_are_checked_without_a_layer_of_the_type() -> None:
    text = f"{HEAD}defaults: {{conv: {{sise: 3, pad: -1}}, pol: {{}}, rnorm: 3}}\nlayers:\n{FC}"
    assert codes(text) == [("NS201", "sise"), ("NS204", "-1"), ("NS206", "pol"), ("NS203", "3")]


def test_required_keys_may_come_from_defaults() -> None:
    text = f"{HEAD}defaults: {{fc: {{outputs: 10}}}}\nlayers: {{fc1: {{type: fc, inputs: data}}}}\n"
    assert "fc1" in load_text(text).layers


def test_an_input_written_as_one_word_is_pointed_at() -> None:
    spec = load_text(f"{HEAD}layers:\n{FC}")
    assert spec.spans.value("layers", "fc1", "inputs", 0).text == "data"


def test_no_more_findings_than_a_person_reads() -> None:
    layers = "".join(f"  l{n}: {{type: fcc}}\n" for n in range(500))
    findings = found(f"{HEAD}layers:\n{layers}")
    assert len(findings) == MOST_FINDINGS + 1
    assert findings[-1].code == "NS112"


def test_warnings_do_not_stop_a_spec() -> None:
    spec = load_text(f"{HEAD}defaults: {{pool: {{stride: 2}}}}\nlayers:\n{FC}")
    assert [(w.code, w.severity, w.span.text) for w in spec.warnings] == [("NS218", "warning", "pool")]


def test_a_default_that_one_layer_uses_is_no_warning() -> None:
    layers = "  a: {type: fc, inputs: data, outputs: 3, bias: true}\n  b: {type: fc, inputs: a, outputs: 3}\n"
    assert load_text(f"{HEAD}defaults: {{fc: {{bias: false}}}}\nlayers:\n{layers}").warnings == ()
