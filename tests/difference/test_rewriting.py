"""Names, order, devices and written defaults are no differences: in the shipped specs, and in random nets."""

from __future__ import annotations

import pytest

from netspec.difference import Scope
from netspec.spec.shipped import shipped_specs
from tests.difference.nets import difference
from tests.difference.rewriting import REWRITINGS
from tests.property.graphs import RandomNet

TRAINED = Scope(train=True)


@pytest.mark.parametrize("name", shipped_specs())
def test_shipped_specs_are_themselves(name: str) -> None:
    text = shipped_specs()[name].read_text(encoding="utf-8")
    assert difference(text, text, Scope(train=True, placement=True)).equal


@pytest.mark.slow
@pytest.mark.parametrize("rewriting", REWRITINGS)
@pytest.mark.parametrize("name", shipped_specs())
def test_shipped_specs_in_another_file(name: str, rewriting: str) -> None:
    text = shipped_specs()[name].read_text(encoding="utf-8")
    other = REWRITINGS[rewriting](text)
    assert other != text
    assert difference(text, other, TRAINED).rows == ()
    assert difference(other, text, TRAINED).equal


@pytest.mark.slow
@pytest.mark.parametrize("rewriting", REWRITINGS)
@pytest.mark.parametrize("seed", range(3000, 3040))
def test_random_nets_in_another_file(seed: int, rewriting: str) -> None:
    text = RandomNet.seeded(seed).text()
    assert difference(text, REWRITINGS[rewriting](text), TRAINED).equal, text


@pytest.mark.soak
@pytest.mark.parametrize("first", range(20_000, 24_000, 100))
def test_random_nets_in_another_file_at_large(first: int) -> None:
    for seed in range(first, first + 100):
        text = RandomNet.seeded(seed).text()
        for rewrite in REWRITINGS.values():
            assert difference(text, rewrite(text), TRAINED).equal, text
