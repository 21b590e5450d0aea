"""The JSON schema: it is a schema, it takes what netspec takes, and it refuses what netspec refuses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from netspec.ir.neuron import Neuron
from netspec.ir.parameter import Init
from netspec.layers import LAYER_TYPES
from netspec.schema import schema_document
from netspec.schema.words import word_schema
from netspec.source import Source
from netspec.spec import load_text
from netspec.spec.shipped import shipped_specs
from netspec.syntax.reader import read_source, read_tree
from netspec.syntax.scalars import as_bool, as_float, as_int, is_null
from netspec.syntax.tree import Mapping, Scalar, Tree
from netspec.syntax.words import Word, WordError

HEAD = "netspec: 1\nname: net\ninput: {size: 8}\n"


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    return Draft202012Validator(schema_document())


def plain(tree: Tree) -> object:
    """What an editor's YAML 1.2 reader makes of a tree."""
    if isinstance(tree, Mapping):
        return {entry.key.text: plain(entry.value) for entry in tree.entries}
    if not isinstance(tree, Scalar):
        return [plain(item) for item in tree.items]
    if not tree.plain:
        return tree.text
    numbers = (as_bool(tree.text), as_int(tree.text), as_float(tree.text))
    return next((n for n in numbers if n is not None), None if is_null(tree.text) else tree.text)


def test_it_is_a_schema() -> None:
    Draft202012Validator.check_schema(schema_document())


def test_the_committed_file_is_up_to_date(root: Path) -> None:
    text = json.dumps(schema_document(), indent=2, ensure_ascii=False) + "\n"
    assert (root / "specs" / "netspec.schema.json").read_text(encoding="utf-8") == text, (
        "run: netspec schema > specs/netspec.schema.json"
    )


@pytest.mark.parametrize("path", shipped_specs().values(), ids=lambda path: path.stem)
def test_every_shipped_spec_is_valid(path: Path, validator: Draft202012Validator) -> None:
    assert [error.message for error in validator.iter_errors(plain(read_tree(read_source(path))))] == []


@pytest.mark.parametrize("name", LAYER_TYPES)
def test_every_example_is_valid(name: str, validator: Draft202012Validator) -> None:
    text = f"{HEAD}layers: {{it: {LAYER_TYPES[name].example}}}"
    assert [error.message for error in validator.iter_errors(plain(read_tree(Source("example", text))))] == []


WRONG = {
    "a misspelt top key": ("layer: {}\nlayers: {a: {type: fc, inputs: data, outputs: 2}}", "layer"),
    "a misspelt key": ("layers: {a: {type: conv, inputs: data, filter: 4, size: 3}}", "filter"),
    "a misspelt type": ("layers: {a: {type: convv, inputs: data, filters: 4, size: 3}}", "convv"),
    "a missing key": ("layers: {a: {type: conv, inputs: data, filters: 4}}", "size"),
    "another type's key": ("layers: {a: {type: fc, inputs: data, outputs: 2, stride: 2}}", "stride"),
    "below a bound": ("layers: {a: {type: conv, inputs: data, filters: 0, size: 3}}", "minimum"),
    "a word that is none": ("layers: {a: {type: fc, inputs: data, outputs: 2, neuron: reluu}}", "reluu"),
    "a word with too few numbers": ("layers: {a: {type: fc, inputs: data, outputs: 2, neuron: brelu}}", "brelu"),
    "text for a number": ("layers: {a: {type: fc, inputs: data, outputs: many}}", "many"),
    "three of four sides": ("layers: {a: {type: conv, inputs: data, filters: 4, size: 3, pad: [1, 1, 1]}}", "1, 1, 1"),
    "a word of Python": ("layers: {lambda: {type: fc, inputs: data, outputs: 2}}", "lambda"),
    "a name of torch": ("layers: {forward: {type: fc, inputs: data, outputs: 2}}", "forward"),
    "two inputs for one": ("layers: {a: {type: softmax, inputs: [data, data]}}", "data"),
    "no layers": ("layers: {}", "{}"),
    "seven views": ("data: {test_views: 7}\nlayers: {a: {type: fc, inputs: data, outputs: 2}}", "7"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_netspec_refuses_is_refused(case: str, validator: Draft202012Validator) -> None:
    text, word = WRONG[case]
    messages = list(_messages(validator, HEAD + text))
    assert messages, case
    assert any(word in message for message in messages), messages
    with pytest.raises(Exception, match="NS"):
        load_text(HEAD + text)


WORDS = (
    *("relu", "relu ", "relu[]", "relux", "tanh", "tanh[1]", "tanh[1.7, 0.67]", "linear", "linear[1,-2]", "brelu[6]"),
    *(
        "brelu[x]",
        "drelu",
        "log[1e-3]",
        "",
        "xavier",
        "he",
        "he[1]",
        "normal",
        "normal[0.01]",
        "uniform[.5]",
        "constant[-1]",
    ),
)


def test_defaults_may_give_required_keys(validator: Draft202012Validator) -> None:
    text = "defaults: {conv: {size: 3}}\nlayers: {a: {type: conv, inputs: data, filters: 4}}"
    assert list(_messages(validator, HEAD + text)) == []
    assert "a" in load_text(HEAD + text).layers
    assert list(_messages(validator, HEAD + text.replace("size", "sise"))) != []


@pytest.mark.parametrize("word", [Neuron, Init])
@pytest.mark.parametrize("text", WORDS)
def test_patterns_say_what_words_parse(word: type[Word], text: str) -> None:
    try:
        word.parse(text)
        expected = True
    except WordError:
        expected = False
    assert Draft202012Validator(word_schema(word)).is_valid(text) == expected


def _messages(validator: Draft202012Validator, text: str) -> Iterator[str]:
    for error in validator.iter_errors(plain(read_tree(Source("test", text)))):
        yield f"{error.message} {error.validator}"
