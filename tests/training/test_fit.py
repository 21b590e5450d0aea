"""What `netspec train` refuses before a run has a folder; as a user meets it: tests/e2e/test_wrong_use.py."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from netspec.pipeline import Compiled, compile_spec
from netspec.spec.load import load_text
from netspec.train import require_fit
from netspec_runtime.data.prepared import UNLABELLED, PreparedData, Split, Statistics
from netspec_runtime.errors import DataError

SPEC = """
netspec: 1
name: small
input: {{channels: 3, size: {side}}}
classes: 2
layers:
  pool1: {{type: pool, inputs: data, pool: max, size: {pool}, stride: {pool}}}
  fc2: {{type: fc, inputs: pool1, outputs: 2}}
  probs: {{type: softmax, inputs: fc2}}
data: {{mean: {mean}}}
"""


def compiled(side: int, mean: str = "image") -> Compiled:
    return compile_spec(load_text(SPEC.format(side=side, pool=side // 4, mean=mean)))


def data(side: int) -> PreparedData:
    """Four black pictures that take no memory."""
    images = np.broadcast_to(np.zeros(1, np.uint8), (4, side, side, 3))
    mean = np.zeros((side, side, 3), np.float32)
    statistics = Statistics(mean, np.zeros(3), np.zeros(3), np.eye(3))
    return PreparedData(Path("data"), ("a", "b"), {"train": Split(images, np.arange(4) % 2)}, statistics, "digest")


def test_a_mean_image_that_no_model_carries() -> None:
    """Refused before the training, not when its model is written."""
    require_fit(compiled(1672), data(1672))
    with pytest.raises(DataError, match=r"data: its mean_image has more than [\d,]+ bytes, .*; write `mean: color`"):
        require_fit(compiled(1676), data(1676))
    require_fit(compiled(1676, "color"), data(1676))


def normed(layer: str, batch: int) -> Compiled:
    """The net with batch normalisation behind this layer."""
    text = SPEC.format(side=8, pool=2, mean="color").replace(f"inputs: {layer}", "inputs: norm3")
    norm = f"  norm3: {{type: batchnorm, inputs: {layer}}}\n"
    return compile_spec(load_text(text.replace("  probs", f"{norm}  probs") + f"train: {{batch: {batch}}}\n"))


@pytest.mark.parametrize(("pictures", "batch", "fix"), [(4, 1, "write a larger `train.batch`"), (1, 8, "use more")])
def test_batch_normalisation_of_one_number(pictures: int, batch: int, fix: str) -> None:
    """It has no spread, and torch would refuse it in the first step; maps have many numbers each."""
    whole = data(8).splits["train"]
    few = replace(data(8), splits={"train": Split(whole.images[:pictures], whole.labels[:pictures])})
    with pytest.raises(DataError, match=rf"data: each batch has one picture, and .* \(norm3\) needs more; {fix}"):
        require_fit(normed("fc2", batch), few)
    require_fit(normed("pool1", batch), few)
    require_fit(normed("fc2", 2), data(8))


def test_pictures_without_labels() -> None:
    good = data(8)
    require_fit(compiled(8), good)
    split = replace(good.splits["train"], labels=np.array([0, 1, UNLABELLED, 1]))
    with pytest.raises(DataError, match="data: 1 of its 4 training pictures have no label; take them out"):
        require_fit(compiled(8), replace(good, splits={"train": split}))
    with pytest.raises(DataError, match="its pictures have no labels; put the pictures of each class into a folder"):
        require_fit(compiled(8), replace(good, classes=()))
    with pytest.raises(DataError, match="there are no training pictures"):
        require_fit(compiled(8), replace(good, splits={"test": good.splits["train"]}))


def test_pictures_of_another_size_than_the_spec_prepares() -> None:
    """Larger ones than the input too: `eval` would not take the run's own data."""
    fix = "prepare their source with `netspec prepare --spec`"
    with pytest.raises(DataError) as large:
        require_fit(compiled(8), data(12))
    assert str(large.value) == (
        f"data: the pictures are prepared as 12 x 12 x 3, and it takes 8 x 8 x 3; {fix}, or add --set data.resize=12"
    )
    resized = SPEC.replace("{mean}", "{mean}, resize: 12").format(side=8, pool=2, mean="image")
    require_fit(compile_spec(load_text(resized)), data(12))
    with pytest.raises(DataError, match=f"6 x 6 x 3, and it takes 8 x 8 x 3; {fix}$"):
        require_fit(compiled(8), data(6))


@pytest.mark.parametrize(("labels", "moved"), [("a, b", None), ("x, y", None), ("b, a", 0), ("y, a", 1)])
def test_labels_that_stand_elsewhere_in_the_data(labels: str, moved: int | None) -> None:
    """Other names may mean the same classes; a name that both know may not mean two."""
    text = SPEC.format(side=8, pool=2, mean="image").replace("classes: 2", f"classes: 2\nlabels: [{labels}]")
    named = compile_spec(load_text(text))
    if moved is None:
        require_fit(named, data(8))
        return
    wrong = f"data: class {moved} is {'ab'[moved]} here and {labels.split(', ')[moved]} in the spec's labels"
    with pytest.raises(DataError, match=f"{wrong}; order the spec's labels as the data's classes"):
        require_fit(named, data(8))
