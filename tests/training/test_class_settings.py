"""With which `--set` a net tells another number of classes apart: as the data are refused, and as `prepare` says."""

from __future__ import annotations

import pytest

from netspec.fit import class_settings, require_classes
from netspec.pipeline import compile_spec
from netspec.spec.load import load_text
from netspec_runtime.errors import DataError

HEAD = "netspec: 1\nname: small\ninput: {channels: 3, size: 8}\n"
BODY = "layers:\n  conv1: {type: conv, inputs: data, filters: 6, size: 3}\n"
POOLED = "  pool2: {type: pool, inputs: conv1, pool: avg, size: global}\n"
GROUPED = BODY.replace("size: 3", "size: 1, groups: 3")


def last(kind: str, of: str, keys: str = "") -> str:
    return f"  {kind}: {{type: {kind}, inputs: {of}{keys}}}\n"


SQUEEZE = BODY + POOLED + last("softmax", "pool2")
DRESSED = (
    BODY
    + last("batchnorm", "conv1")
    + POOLED.replace("conv1", "batchnorm")
    + last("neuron", "pool2", ", neuron: relu")
    + last("dropout", "neuron", ", rate: 0.5").replace("dropout:", "drop:")
    + last("flatten", "drop")
    + last("reshape", "flatten", ", shape: -1")
    + last("softmax", "reshape")
)
FC = (
    BODY
    + last("fc", "conv1", ", outputs: 6")
    + last("dropout", "fc", ", rate: 0.5").replace("dropout:", "drop:")
    + last("softmax", "drop")
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (SQUEEZE, ("layers.conv1.filters=9",)),
        (BODY + POOLED, ("layers.conv1.filters=9",)),
        ("classes: 6\n" + SQUEEZE, ("classes=9", "layers.conv1.filters=9")),
        ("classes: 6\nlabels: [a, b, c, d, e, f]\n" + SQUEEZE, ("classes=9", "layers.conv1.filters=9", "'labels=[]'")),
        (DRESSED, ("layers.conv1.filters=9",)),
        (FC, ("layers.fc.outputs=9",)),
        (GROUPED + POOLED, ("layers.conv1.filters=9",)),
        (SQUEEZE.replace("type: conv", "type: local"), ("layers.conv1.filters=9",)),
    ],
)
def test_the_layer_that_says_how_many_classes(text: str, found: tuple[str, ...]) -> None:
    """What is named does it."""
    compiled = compile_spec(load_text(HEAD + text))
    assert class_settings(compiled, 9) == found
    changed = compile_spec(load_text(HEAD + text, [setting.strip("'") for setting in found]))
    assert changed.classes == 9
    with pytest.raises(DataError, match=f"add --set {found[0]}"):
        require_classes(compiled, "pics", tuple("abcdefghi"))


@pytest.mark.parametrize(
    "text",
    [
        BODY + last("flatten", "conv1"),  # 36 pixels of each filter
        BODY + POOLED + last("reshape", "pool2", ", shape: [6]"),
        BODY + POOLED + last("slice", "pool2", ", channels: 3"),
        BODY + POOLED + last("concat", "[pool2, pool2]"),
        BODY.replace("size: 3", "size: 3, gpu: [0, 1]") + POOLED,  # 9 are odd
        "layers:\n" + last("pool", "data", ", pool: avg, size: global"),
    ],
)
def test_where_no_one_number_says_how_many(text: str) -> None:
    compiled = compile_spec(load_text(HEAD + text))
    assert class_settings(compiled, 9) == ()
    with pytest.raises(DataError, match="use other data, or a spec whose last layer has as many outputs"):
        require_classes(compiled, "pics", tuple("abcdefghi"))
