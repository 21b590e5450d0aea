"""Every registered layer type keeps every promise, on configurations drawn from its own fields. It knows no type."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest
from hypothesis import given, settings

from netspec.ir.layer import Layer
from netspec.ir.neuron import KINDS, Neuron
from netspec.layers import LAYER_TYPES
from netspec.syntax.decode import hints_of, keys_of
from netspec.syntax.keys import key_of
from netspec.syntax.words import WordError
from tests.conformance.layers import Case, decode_text, legal_cases, seeded_cases
from tests.conformance.rules import problems

TYPES = sorted(LAYER_TYPES)
NUMBERS = {
    0: ("",),
    1: ("[1.5]", "[0.25]", "[1]"),
    2: ("[1.5, -0.5]", "[1, 0]", "[1, 1]", "[1, -2]", "[3, 0]", "[-0.5, 2]"),
    3: ("[1, 1, 0]", "[1, 0.5, 2]", "[2, 1, -0.5]", "[3, -1, 0]", "[0.5, 1, 3]", "[-1, 0.5, 4]", "[0, 2, 1]"),
}


@pytest.mark.parametrize("kind", TYPES)
def test_a_few_nets_of_each_type(kind: str) -> None:
    cases = [case for case, _ in zip(seeded_cases(LAYER_TYPES[kind], 600), range(8), strict=False)]
    assert len(cases) == 8, f"only {len(cases)} legal `{kind}` layers were found: the strategy or the type is wrong"
    for case in cases:
        assert not problems(case.text()), case.text()


@pytest.mark.slow
@pytest.mark.parametrize("kind", TYPES)
def test_conformance(kind: str) -> None:
    """The more keys a type has, the more of its layers are tried."""
    cls = LAYER_TYPES[kind]

    @settings(max_examples=10 * len(keys_of(cls)))
    @given(legal_cases(cls))
    def keeps_every_promise(case: Case) -> None:
        assert not problems(case.text())

    keeps_every_promise()


@pytest.mark.soak
@pytest.mark.parametrize("kind", TYPES)
def test_conformance_at_large(kind: str) -> None:
    @given(legal_cases(LAYER_TYPES[kind]))
    def keeps_every_promise(case: Case) -> None:
        assert not problems(case.text())

    keeps_every_promise()


def _legal(word: str) -> bool:
    try:
        Neuron.parse(word)
    except WordError:
        return False
    return True


WORDS = [kind + numbers for kind in KINDS for numbers in NUMBERS[KINDS[kind].arguments] if _legal(kind + numbers)]


def test_there_are_words_of_every_neuron() -> None:
    assert {word.partition("[")[0] for word in WORDS} == set(KINDS)


@pytest.mark.parametrize("word", WORDS)
def test_every_neuron(word: str) -> None:
    """On several layers: each has its own expression for the neuron to stand around."""
    neuron = f"neuron: '{word}'"
    layers = f"""
  eltsum1: {{type: eltsum, inputs: [data, data], coefficients: [-2, 0.5], {neuron}}}
  fc1: {{type: fc, inputs: [eltsum1, data], outputs: 9, {neuron}}}
  neuron1: {{type: neuron, inputs: fc1, {neuron}}}
"""
    assert not problems(f"netspec: 1\nname: net\ninput: {{channels: 2, size: 4}}\nlayers:{layers}")


@pytest.mark.slow
@pytest.mark.parametrize("kind", TYPES)
def test_every_choice_of_every_key_is_tried(kind: str) -> None:
    """What the other tests draw from has every word, both truths, and more than one input where the type takes them."""
    cls = LAYER_TYPES[kind]
    cases = list(seeded_cases(cls, 4000))
    assert len(cases) >= 100, f"only {len(cases)} of 4,000 drawn `{kind}` layers are legal"
    for key, choice in _choices(cls):
        assert any(getattr(case.layer, key) == choice for case in cases), f"no legal `{kind}` has `{key}: {choice}`"
    most = cls.arity[1]
    counts = {len(case.shapes) for case in cases}
    assert counts >= set(range(cls.arity[0], (most or cls.arity[0] + 2) + 1))
    assert {case.layer.neuron.kind for case in cases if case.layer.neuron} == set(KINDS)


def _choices(cls: type[Layer]) -> Iterator[tuple[str, object]]:
    for name in keys_of(cls):
        for hint in _members(hints_of(cls)[name]):
            if hint is bool:
                yield from ((name, True), (name, False))
            if get_origin(hint) is Literal:
                yield from ((name, choice) for choice in get_args(hint))


def _members(hint: Any) -> tuple[Any, ...]:  # Any: an annotation
    return (hint,) if get_origin(hint) is Literal else (hint, *get_args(hint))


@pytest.mark.parametrize("kind", TYPES)
def test_there_is_an_invalid_example(kind: str, root: Path) -> None:
    texts = [path.read_text(encoding="utf-8", errors="replace") for path in (root / "specs" / "invalid").glob("*.yaml")]
    assert any(re.search(rf"\btype: {kind}\b", text) for text in texts)


@pytest.mark.parametrize("kind", TYPES)
def test_documentation(kind: str) -> None:
    """A docstring of its own, a document for each key, and an example that decodes."""
    cls = LAYER_TYPES[kind]
    assert cls.type == kind
    assert (vars(cls)["__doc__"] or "").strip(), f"{cls.__name__} has no docstring"
    documents = {name: key_of(item) for name, item in keys_of(cls).items()}
    undocumented = [name for name, info in documents.items() if not (info and info.doc.endswith("."))]
    assert not undocumented, f"keys of `{kind}` without a sentence: {undocumented}"
    assert len(decode_text(cls, cls.example).inputs) >= cls.arity[0]
