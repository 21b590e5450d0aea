"""`--set`: values put in before decoding, checked like the file's own, with places in the argument."""

from __future__ import annotations

import pytest

from netspec.diagnostics import Diagnostic, SpecError
from netspec.layers.conv import Conv
from netspec.spec import Spec, load_text
from netspec.spec.model import RateSpec

TEXT = """netspec: 1
name: test
input: {size: 32}
layers:
  conv1: {type: conv, inputs: data, filters: 8, size: 3}
  fc1: {type: fc, inputs: conv1, outputs: 10}
"""


def with_set(*assignments: str) -> Spec:
    return load_text(TEXT, assignments)


def refused(*assignments: str) -> Diagnostic:
    """The only finding."""
    with pytest.raises(SpecError) as error:
        with_set(*assignments)
    assert len(error.value.diagnostics) == 1, error.value
    return error.value.diagnostics[0]


def conv1(spec: Spec) -> Conv:
    layer = spec.layers["conv1"]
    assert isinstance(layer, Conv)
    return layer


def test_a_value_is_replaced() -> None:
    assert conv1(with_set("layers.conv1.filters=64")).filters == 64


def test_a_key_is_added_and_lists_are_lists() -> None:
    assert conv1(with_set("layers.conv1.gpu=[0, 1]", "layers.conv1.neuron=tanh[1, 2]")).gpu == (0, 1)


def test_a_mapping_that_the_file_does_not_have_is_made() -> None:
    spec = with_set("train.batch=64", "train.lr.start=0.1", "train.lr.when=plateau")
    assert spec.train.batch == 64
    assert spec.train.lr == RateSpec(start=0.1, when="plateau")


def test_defaults_can_be_set_and_reach_the_layers() -> None:
    assert conv1(with_set("defaults.conv.pad=1")).pad == (1, 1, 1, 1)


def test_a_layer_can_be_added_as_a_whole() -> None:
    spec = with_set("layers.probs={type: softmax, inputs: fc1}")
    assert list(spec.layers) == ["conv1", "fc1", "probs"]


def test_the_last_of_two_wins() -> None:
    assert conv1(with_set("layers.conv1.filters=1", "layers.conv1.filters=2")).filters == 2


def test_nothing_behind_the_equals_sign_is_null() -> None:
    assert conv1(with_set("layers.conv1.gpu=0", "layers.conv1.gpu=")).gpu is None


@pytest.mark.parametrize(
    ("assignment", "code", "where", "help"),
    [
        ("layers.conv1.filters", "NS212", "--set:1:1", "write `--set layers.conv1.filters=64`"),
        ("=3", "NS212", "--set:1:1", "write `--set layers.conv1.filters=64`"),
        ("layers..filters=3", "NS212", "--set:1:1", "write `--set layers.conv1.filters=64`"),
        (".".join("a" * 100) + "=1", "NS212", "--set:1:1", "write `--set layers.conv1.filters=64`"),
        ("layers.cnov1.filters=3", "NS212", "--set:1:8", "did you mean `conv1`?"),
        ("layers.conv1.filters.x=3", "NS212", "--set:1:22", "set it as a whole"),
        ("layers.conv1.fliters=3", "NS201", "--set:1:14", "did you mean `filters`?"),
        ("layers.conv1.filters=3.0", "NS203", "--set:1:22", "write it as `3`"),
        ("layers.conv1.filters=0", "NS204", "--set:1:22", ""),
        ("tarin.batch=3", "NS201", "--set:1:1", "did you mean `train`?"),
        ("layers.conv1.size=[3, x]", "NS203", "--set:1:23", ""),
        ("layers.conv1.size=[3", "NS104", "--set:1:19", "add a `]`"),
        ("layers.conv1.size=&a 3", "NS106", "--set:1:19", ""),
        ("layers.conv1.size=\x07", "NS102", "--set:1:19", "delete it"),
    ],
)
def test_what_is_refused_points_into_the_argument(assignment: str, code: str, where: str, help: str) -> None:
    found = refused(assignment)
    assert (found.code, found.span.where) == (code, where)
    assert help in found.help
