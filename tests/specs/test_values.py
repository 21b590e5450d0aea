"""The generated modules compute what plain torch functions say: the same numbers on the same random weights."""

from __future__ import annotations

import pytest
from torch import Tensor

from netspec.pipeline import Compiled
from tests.specs.generated import compiled, logits, picture, random_weights, relative
from tests.specs.plain import PLAIN

BIG = ("alexnet", "alexnet-2012", "alexnet-bvlc", "caffenet")


@pytest.fixture(scope="module")
def big() -> list[Tensor]:
    """Weights for all the nets whose tensors have AlexNet's shapes, in its order."""
    return list(random_weights(compiled("alexnet")).values())


def named(net: Compiled, tensors: list[Tensor]) -> dict[str, Tensor]:
    return dict(zip((p.name for p in net.typed.parameters), tensors, strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("name", BIG)
def test_an_alexnet_computes_what_plain_torch_does(big: list[Tensor], name: str) -> None:
    net = compiled(name)
    weights = named(net, big)
    assert relative(logits(net, weights), PLAIN[name](weights, picture(net))) <= 1e-4


@pytest.mark.parametrize("name", [name for name in PLAIN if name not in BIG])
def test_a_small_net_computes_what_plain_torch_does(name: str) -> None:
    net = compiled(name)
    weights = random_weights(net)
    assert relative(logits(net, weights), PLAIN[name](weights, picture(net))) <= 1e-4


@pytest.mark.slow
@pytest.mark.parametrize(("name", "other"), [("alexnet", "alexnet-2012"), ("caffenet", "alexnet-bvlc")])
def test_the_comparison_tells_nets_apart(big: list[Tensor], name: str, other: str) -> None:
    """Two nets that differ in where the norms stand, and in their constants, are far outside the tolerance."""
    net, second = compiled(name), compiled(other)
    assert relative(PLAIN[other](named(second, big), picture(net)), PLAIN[name](named(net, big), picture(net))) > 1e-2
