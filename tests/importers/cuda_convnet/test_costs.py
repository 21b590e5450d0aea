"""What costs become: outputs of the net, and what is said of them."""

from __future__ import annotations

import pytest

from tests.importers.cuda_convnet.small import FC, imported, texts, topics


@pytest.mark.parametrize("cost", ["crossent", "crossent2", "bce", "dce", "rflickr", "msm", "gsum2"])
def test_every_other_cost_judges_its_last_input(cost: str) -> None:
    done = imported(FC + f"fc2: fc inputs=fc1 outputs=3 initW=0.1\nc: cost.{cost} inputs=labels,fc1\n")
    assert done.spec.outputs == ("fc1", "fc2")
    (text,) = [r.text for r in done.remarks if r.topic == "cost"]
    assert "not what `train` trains" in text


@pytest.mark.parametrize("cost", ["sum2", "tica channels=1 sizeX=2"])
def test_costs_of_one_input(cost: str) -> None:
    name, _, options = cost.partition(" ")
    done = imported(FC + f"c: cost.{name} inputs=fc1 {options}\n")
    assert topics(done, "dropped") == [("labels", "labels"), ("cost", "c")]


@pytest.mark.parametrize("cost", ["logreg", "crossent"])
def test_a_cost_of_a_softmax_that_judges_none(cost: str) -> None:
    done = imported(FC + f"soft: softmax inputs=fc1\nc: cost.{cost} inputs=labels,soft\n")
    assert texts(done, "softmax") == []
    done = imported(FC + f"c: cost.{cost} inputs=labels,fc1\n")
    (text,) = texts(done, "softmax")
    assert text.startswith("`fc1` is no softmax: the original refuses such a file")
    assert done.spec.outputs == ()
