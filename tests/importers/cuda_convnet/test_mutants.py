"""Pairs with slips end in diagnostics or in a net that compiles, never in an exception."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.importers.cuda_convnet.mutants import mutant, originals, verdict

SOME = 200
ALL = 20_000


def test_some_mutants_end_in_diagnostics_or_a_net() -> None:
    known = originals(None)
    ends = {verdict(mutant(known, seed), lenient=seed % 2 == 0) for seed in range(SOME)}
    assert "net" in ends
    assert len(ends) >= 8, "the mutants reach too few rules to mean anything"


@pytest.mark.soak
@pytest.mark.parametrize("start", range(0, ALL, 2000))
def test_twenty_thousand_mutants_end_in_diagnostics_or_a_net(shared: Path, start: int) -> None:
    known = originals(shared / "data" / "cuda-convnet")
    ends = {verdict(mutant(known, seed), lenient=seed % 2 == 0) for seed in range(start, start + 2000)}
    assert "net" in ends
