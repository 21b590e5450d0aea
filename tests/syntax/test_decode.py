"""Decoding: any tree against any class of the language is a value or findings, and each misfit has its own place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netspec.diagnostics import Findings
from netspec.layers import LAYER_TYPES
from netspec.layers.windowed import ConvInput
from netspec.source import Source, Span
from netspec.spec.model import DataSpec, Header, InputSpec, RateSpec, TrainSpec
from netspec.syntax.decode import INVALID, Decoder, keys_of
from netspec.syntax.keys import key
from netspec.syntax.reader import read_tree
from netspec.syntax.spans import SpanTable
from netspec.syntax.tree import Entry, Mapping, Scalar, Sequence, Tree

CLASSES = (Header, InputSpec, DataSpec, TrainSpec, RateSpec, ConvInput, *LAYER_TYPES.values())
KEYS = sorted({name for cls in CLASSES for name in keys_of(cls)})
WORDS = [
    "relu",
    "tanh[1, 2]",
    "brelu[]",
    "normal[0.1]",
    "[",
    "max",
    "global",
    "plateau",
    "null",
    "~",
    "yes",
    "true",
    "",
]
PLACE = Span(Source("x", "x"), 0, 0, 0, 1)

_scalars = st.builds(
    Scalar,
    st.sampled_from(WORDS) | st.integers(-5, 1 << 40).map(str) | st.floats().map(repr) | st.text(max_size=8),
    st.booleans(),
    st.just(PLACE),
)


def _mappings(values: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    keys = st.sampled_from(KEYS) | st.text(max_size=5)
    return st.dictionaries(keys, values, max_size=6).map(
        lambda d: Mapping(tuple(Entry(Scalar(k, True, PLACE), v) for k, v in d.items()), PLACE)
    )


def _lists(values: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    return st.lists(values, max_size=4).map(lambda items: Sequence(tuple(items), PLACE))


TREES: st.SearchStrategy[Tree] = st.recursive(_scalars, lambda inner: _lists(inner) | _mappings(inner), max_leaves=15)


@given(st.sampled_from(CLASSES), TREES | _mappings(TREES))
def test_any_tree_is_a_value_or_findings(cls: type[Any], tree: Tree) -> None:
    findings = Findings(most=1000)
    value = Decoder(SpanTable(PLACE.source), findings).decode(tree, cls, ())
    assert isinstance(value, cls) or (value is INVALID and findings.errors)
    assert all(d.message and len(d.message) < 400 for d in findings.items)


@dataclass(frozen=True)
class Example:
    """A class with one key of each kind."""

    count: int = key("A count.", least=1, most=9)
    share: float = key("A share.", default=0.5, least=0, most=1)
    title: str = key("A title.", default="")
    flag: bool = key("A flag.", default=False)
    mode: Literal["floor", "ceil"] = key("A mode.", default="floor")
    names: tuple[str, ...] = key("Names.", default=())
    when: Literal["never"] | tuple[int, ...] = key("When.", default="never")
    limit: int | None = key("A limit.", default=None)


def decoded(text: str) -> tuple[object, list[tuple[str, str, str]]]:
    """The value, and (code, text at the place, help) of each finding."""
    source = Source("x", text)
    findings = Findings()
    value = Decoder(SpanTable(source), findings).decode(read_tree(source), Example, ())
    return value, [(d.code, d.span.text, d.help) for d in findings.items]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{count: 3}", Example(count=3)),
        ("{count: 0x3, share: 1e-4, flag: true}", Example(count=3, share=1e-4, flag=True)),
        ("{count: 3, share: 1, title: no}", Example(count=3, share=1.0, title="no")),
        ('{count: 3, title: "3", mode: ceil}', Example(count=3, title="3", mode="ceil")),
        ("{count: 3, names: [a, b], when: [1, 2]}", Example(count=3, names=("a", "b"), when=(1, 2))),
        ("{count: 3, limit: null, when: never}", Example(count=3)),
        ("{count: 3, limit: ~}", Example(count=3)),
        ("{count: 3, limit: 7}", Example(count=3, limit=7)),
    ],
)
def test_values(text: str, expected: Example) -> None:
    assert decoded(text) == (expected, [])


@pytest.mark.parametrize(
    ("text", "findings"),
    [
        ("{count: 3.0}", [("NS203", "3.0", "write it as `3`")]),
        ('{count: "3"}', [("NS203", '"3"', "remove the quotes")]),
        ("{count: }", [("NS203", "", "write a value, or remove the key for the default")]),
        ("{count: 10}", [("NS204", "10", "")]),
        ("{count: 1, share: -0.1}", [("NS204", "-0.1", "")]),
        ("{count: 1, title: 7}", [("NS203", "7", 'quote it: "7"')]),
        ("{count: 1, flag: yes}", [("NS203", "yes", "YAML 1.2 knows `true` and `false` only")]),
        ("{count: 1, mode: cell}", [("NS205", "cell", "did you mean `ceil`?")]),
        ("{count: 1, names: a}", [("NS203", "a", "`names`: names.")]),
        ("{count: 1, names: [a, [b]]}", [("NS203", "[b]", "")]),
        ("{count: 1, when: nevr}", [("NS205", "nevr", "did you mean `never`?")]),
        ("{count: 1, when: 7}", [("NS205", "7", "`when`: when.")]),
        ("{count: 1, when: [1, x]}", [("NS203", "x", "")]),
        ("{coutn: 1}", [("NS201", "coutn", "did you mean `count`?")]),
        ("{}", [("NS202", "{", "`count`: a count.")]),
        ("{count: a, share: b}", [("NS203", "a", ""), ("NS203", "b", "")]),
    ],
)
def test_each_misfit_has_its_code_its_place_and_its_help(text: str, findings: list[tuple[str, str, str]]) -> None:
    assert decoded(text) == (INVALID, findings)
