"""A net that is not the paper's: the ledger fails, and says why in terms of the spec."""

from __future__ import annotations

import pytest

from netspec.diagnostics import SpecError
from tests.ledger.ledgers import compiled, failures, reasons, report

FLOORS = ("layers.conv1.round=floor", *(f"layers.pool{n}.round=floor" for n in (1, 2, 5)))

MUTATIONS = {
    "two filters fewer in conv1": (("layers.conv1.filters=94",), "conv1-filters", "`conv1` says `filters: 94`"),
    "so conv2's kernels": (
        ("layers.conv1.filters=94",),
        "kernels",
        "a filter of `conv2` reads 47 of the 94 channels of `pool1`",
    ),
    "two filters fewer in conv3": (("layers.conv3.filters=382",), "parameters", "`conv3`: 880,510, not 885,120"),
    "conv2 ungrouped": (("layers.conv2.groups=1",), "own-gpu", "`conv2` says `groups: 1`"),
    "so its parameters": (("layers.conv2.groups=1",), "layer-parameters", "`conv2` has 256x96x5x5 weights"),
    "and the traffic": (("layers.conv2.groups=1",), "cross", "`conv2` 69,984"),
    "conv3 grouped": (
        ("layers.conv3.groups=2",),
        "conv3-reads-all",
        "on gpu 0 `conv3` reads channels 0 to 127 of `pool2`, from gpu 0",
    ),
    "conv1 floored": (
        FLOORS[:1],
        "conv1-shape",
        "`conv1` is 96x54x54, not 96x55x55: floor((224 + 0 + 0 - 11) / 4) + 1 = 54",
    ),
    "input 227": (("input.size=227", "data.crop=227"), "input-size", "the spec says `input.size: 227`"),
    "so the crop": (("input.size=227", "data.crop=227"), "crop-size", "the spec says `data.crop: 227`"),
    "and the patches": (("input.size=227", "data.crop=227"), "augmentation", "(256 - 227) x (256 - 227)"),
    "fc8 with 4096": (("layers.fc8.outputs=4096", "classes=4096"), "parameters", "`fc8` has 4096x4096 weights"),
    "so the softmax": (("layers.fc8.outputs=4096", "classes=4096"), "softmax-1000", "`fc8` says `outputs: 4096`"),
    "all on one device": (("layers.conv1.gpu=0",), "own-gpu", "the spec places every layer on one device"),
    "an even window": (("layers.rnorm1.size=4",), "lrn-size", "`rnorm1` says `size: 4`"),
    "inverted dropout": (("layers.drop6.scale=train",), "dropout-test", "`drop6` says `scale: train`"),
    "no ReLU in conv4": (("layers.conv4.neuron=null",), "layer3-order", "`conv4` (conv)"),
    "another momentum": (("train.momentum=0.8",), "update", "the spec says `train.momentum: 0.8`"),
    "shifted windows": (("layers.conv1.pad=2", "layers.conv1.round=floor"), "conv-pads", "`conv1` says `pad: 2`"),
    "windows moved up and left": (("layers.conv2.pad=[4, 4, 0, 0]",), "conv-pads", "`conv2` says `pad: 4, 4, 0, 0`"),
    "dilated": (("layers.conv2.dilation=2", "layers.conv2.pad=4"), "conv-dilation", "`conv2` says `dilation: 2`"),
    "no softmax": (
        ("layers.probs={type: neuron, inputs: fc8, neuron: logistic}",),
        "softmax-last",
        "`probs` (logistic)",
    ),
    "no mean": (("data.mean=none",), "mean", "the spec says `data.mean: none`"),
    "constant rate": (("train.lr=0.01",), "rate-times", "`train.lr: 0.01`"),
}


@pytest.mark.parametrize(("assignments", "row", "why"), MUTATIONS.values(), ids=MUTATIONS.keys())
def test_a_wrong_net_fails_and_says_why(assignments: tuple[str, ...], row: str, why: str) -> None:
    checked = report("alexnet", "paper", *assignments)
    assert checked.failed
    assert why in reasons(checked, row)


@pytest.mark.parametrize("filters", ["95", "383"])
def test_one_filter_fewer_is_no_net_at_all(filters: str) -> None:
    """An odd number of maps cannot be split over two devices: the spec itself is refused."""
    layer = "conv1" if filters == "95" else "conv3"
    with pytest.raises(SpecError) as error:
        compiled("alexnet", f"layers.{layer}.filters={filters}")
    assert {d.code for d in error.value.diagnostics} & {"NS306", "NS401"}


def test_floored_sizes_tell_the_whole_chain() -> None:
    assert reasons(report("alexnet", "paper", *FLOORS), "parameters").splitlines() == [
        "`fc6`: 26,218,496, not 37,752,832",
        "`fc6` has 4096x6400 weights and 4096 biases",
        "`fc6` reads 6,400 units, not 9,216: `pool5` is 256x5x5",
        "`pool5` is 256x5x5, not 256x6x6: floor((12 + 0 + 0 - 3) / 2) + 1 = 5",
        "`pool2` is 256x12x12, not 256x13x13: floor((26 + 0 + 0 - 3) / 2) + 1 = 12",
        "`pool1` is 96x26x26, not 96x27x27: floor((54 + 0 + 0 - 3) / 2) + 1 = 26",
        "`conv1` is 96x54x54, not 96x55x55: floor((224 + 0 + 0 - 11) / 4) + 1 = 54",
    ]


def test_ceil_pools_hide_a_floored_conv1_from_the_parameters_but_not_from_the_ledger() -> None:
    checked = report("alexnet", "paper", *FLOORS[:1])
    assert checked.row("parameters").verdict == "holds"
    assert {"conv1-shape", "fig2-neurons", "macs", "units"} <= failures(checked)


def test_a_227_input_changes_no_parameter_and_is_still_found() -> None:
    checked = report("alexnet", "paper", "input.size=227", "data.crop=227")
    assert failures(checked) == {"input-size", "crop-size", "fig2-input", "augmentation"}


def test_the_sources_alpha_is_no_failure() -> None:
    checked = report("alexnet", "paper", *(f"layers.rnorm{n}.alpha_over=size" for n in (1, 2)))
    row = checked.row("lrn-alpha")
    assert (row.verdict, row.found) == ("differs", "2e-05 each (as the source)")
    assert not checked.failed


def test_half_paper_half_source_is_a_failure() -> None:
    checked = report("alexnet", "paper", "layers.rnorm1.alpha_over=size")
    assert failures(checked) == {"lrn-alpha"}
    assert "`rnorm1`: 2e-05, not 0.0001" in reasons(checked, "lrn-alpha")


def test_a_failure_is_told_against_the_nearer_of_two_sources() -> None:
    checked = report("alexnet-2012", "paper", "layers.conv4.init_w=0.02")
    assert "`conv4`: 0.02, not 0.03" in reasons(checked, "initial-weights")
    assert "conv3" not in reasons(checked, "initial-weights")


def test_a_value_of_neither_is_a_failure() -> None:
    checked = report("alexnet", "paper", *(f"layers.rnorm{n}.alpha=3e-4" for n in (1, 2)))
    assert failures(checked) == {"lrn-alpha"}


def test_a_layer_that_is_not_there_is_named() -> None:
    checked = report("alexnet-no-lrn", "paper")
    assert "the spec has no layer `rnorm1`" in reasons(checked, "lrn-k")
    assert "the spec has no `rnorm` layer" in reasons(checked, "lrn-layers")


def test_the_printed_slip_itself_fails() -> None:
    """A net whose conv layers really stay below 1 % is not the paper's net, though it has what was printed."""
    checked = report("alexnet", "paper", "layers.conv3.filters=192", "layers.conv4.filters=192")
    assert "the spec has what was printed by mistake" in reasons(checked, "conv-share")
