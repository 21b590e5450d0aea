"""A run is not gone on with by another spec, and what differs is said before pictures are looked for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from netspec.pipeline import compile_spec
from netspec.runs import require_same_spec
from netspec.spec.dump import dump
from netspec.spec.load import load_text
from netspec_runtime.errors import DataError
from netspec_runtime.training.run import RunFolder
from tests.experiment.made import NET


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """A run with a checkpoint."""
    folder = RunFolder(tmp_path / "runs" / "tiny", "tiny")
    folder.checkpoints.mkdir(parents=True)
    (folder.checkpoints / "step-00000000.json").touch()
    folder.write(folder.spec.name, dump(load_text(NET)))
    return folder


def refusal(run: RunFolder, text: str) -> str:
    with pytest.raises(DataError) as refused:
        require_same_spec(run, compile_spec(load_text(text)))
    found = re.search(r"were made with another spec \((.*)\); --resume .*/runs/tiny alone goes on", str(refused.value))
    assert found is not None, refused.value
    return found[1]


def test_the_same_in_other_words_is_the_same(run: RunFolder) -> None:
    require_same_spec(run, compile_spec(load_text(NET.replace("epochs: 12", "epochs: 12, momentum: 0.9"))))


def test_keys_that_differ_are_named(run: RunFolder) -> None:
    assert refusal(run, NET.replace("epochs: 12", "epochs: 4")) == "train.epochs: 4 here, 12 there"
    lr = "{start: 0.01, divide: 10, when: [3, 5, 7, 9, 10, 11]}"
    said = refusal(run, NET.replace("lr: 0.0005", f"lr: {lr}").replace("filters: 8", "filters: 9"))
    assert said.startswith("train.lr: {start: 0.01")
    assert said.endswith("... here, 0.0005 there; layers.conv2.filters: 9 here, 8 there")


def test_of_another_net_the_first_keys_are_named(run: RunFolder) -> None:
    other = NET.replace("name: tiny", "name: other").replace("conv2", "conv5").replace("10", "3")
    assert refusal(run, other) == (
        "name: other here, tiny there; classes: 3 here, 10 there; layers.fc3.inputs: conv5 here, conv2 there; "
        "and 3 more"
    )


def test_layers_in_another_order(run: RunFolder) -> None:
    conv2 = next(line for line in NET.splitlines(keepends=True) if "conv2:" in line)
    assert refusal(run, NET.replace(conv2, "").replace("data: {", f"{conv2}data: {{")) == "its layers in another order"


def test_a_run_without_a_checkpoint_begins_anew(run: RunFolder) -> None:
    (run.checkpoints / "step-00000000.json").unlink()
    require_same_spec(run, compile_spec(load_text(NET.replace("epochs: 12", "epochs: 4"))))
