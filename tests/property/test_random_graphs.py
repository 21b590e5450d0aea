"""300 random legal nets on one to four devices compute the same merged, split and in onnxruntime."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from netspec.ir.lowering import LrnForm
from netspec.ir.neuron import KINDS
from netspec.layers import LAYER_TYPES
from tests.property.equality import differences, generated
from tests.property.graphs import RandomNet

TENS = range(0, 300, 10)


def _problems(seed: int) -> list[str]:
    lrn: LrnForm = "native" if seed % 2 else "fast"
    return differences(RandomNet.seeded(seed).text(), lrn)


@pytest.mark.parametrize("seed", range(1000, 1015))
def test_a_few_random_nets(seed: int) -> None:
    assert not _problems(seed), RandomNet.seeded(seed).text()


@pytest.mark.slow
@pytest.mark.parametrize("first", TENS)
def test_random_nets(first: int) -> None:
    """Thirty times ten, so that two workers share them."""
    for seed in range(first, first + 10):
        assert not _problems(seed), f"seed {seed}\n{RandomNet.seeded(seed).text()}"


@pytest.mark.soak
@given(seed=st.integers(min_value=2**20, max_value=2**40))
@settings(phases=[Phase.explicit, Phase.reuse, Phase.generate])  # a smaller seed is no smaller net
def test_random_nets_at_large(seed: int) -> None:
    """In so many nets some number is a tie that rounding decides: with other numbers it is not.

    LRN is the exact form: the native one loses digits where what it norms is large.
    """
    text = RandomNet.seeded(seed).text()
    assert not all(differences(text, "fast", numbers) for numbers in range(3)), text


@pytest.mark.slow
def test_the_300_nets_have_everything() -> None:
    nets = [RandomNet.seeded(seed) for seed in range(300)]
    layers = [layer for net in nets for layer in net.layers.values()]
    types, neurons = Counter(layer.type for layer in layers), Counter(la.neuron.kind for la in layers if la.neuron)
    assert min(types[kind] for kind in LAYER_TYPES) >= 30, types
    assert min(neurons[kind] for kind in KINDS) >= 3, neurons
    texts = [net.text() for net in nets]
    devices = Counter(len({d for places in net.placement.values() for d in places}) for net in nets)
    assert min(devices[count] for count in (1, 2, 3, 4)) >= 30, devices
    assert sum("share_weights" in text for text in texts) >= 30
    assert sum("outputs: [" in text for text in texts) >= 30
    assert sum(getattr(layer, "groups", 1) > 1 for layer in layers) >= 30
    assert sum(len(layer.inputs) > 1 for layer in layers) >= 200
    assert len(set(texts)) == 300


@pytest.mark.slow
def test_what_is_generated_passes_ruff(tmp_path: Path) -> None:
    """With ruff's own rules and nobody's configuration."""
    for seed in range(100):
        (tmp_path / f"net{seed}.py").write_text(generated(RandomNet.seeded(seed).text()), encoding="utf-8")
    options = ["--isolated", "--no-cache", "--output-format", "concise"]
    command = [sys.executable, "-m", "ruff", "check", *options, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[:2000]
