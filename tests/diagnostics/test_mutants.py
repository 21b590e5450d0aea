"""Mutated layer files end in diagnostics or in a net, never in an exception. `mutate.py` makes them, and times them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.diagnostics.mutate import mutant, verdict

SOME = 300
ALL = 20_000


def test_some_mutants_end_in_diagnostics_or_a_net(tmp_path: Path) -> None:
    ends = {verdict(mutant(seed), tmp_path / "mutant.yaml") for seed in range(SOME)}
    assert "ok" in ends
    assert len(ends) >= 15, "the mutants reach too few rules to mean anything"


@pytest.mark.soak
@pytest.mark.parametrize("start", range(0, ALL, 1000))
def test_twenty_thousand_mutants_end_in_diagnostics_or_a_net(tmp_path: Path, start: int) -> None:
    ends = {verdict(mutant(seed), tmp_path / "mutant.yaml") for seed in range(start, start + 1000)}
    assert "ok" in ends
