"""The graphs as text: one line a node or step, nothing forgotten. Whole texts: tests/cli/test_build.py."""

from __future__ import annotations

import pytest

from netspec.ir.printer import print_graph, print_placed, print_typed
from tests.build.nets import ALL, compiled


@pytest.mark.parametrize("name", ALL)
def test_every_node_step_and_output_has_its_line(name: str) -> None:
    net = compiled(ALL[name])
    graph, typed, placed = print_graph(net.graph), print_typed(net.typed), print_placed(net.placed)
    assert [line.split()[0] for line in graph.splitlines()[1:-1]] == [node.name for node in net.graph.nodes]
    assert [line.split(":")[0].strip() for line in typed.splitlines()[1:-2]] == [node.name for node in net.typed.nodes]
    made = [*(v.name for v in net.placed.inputs), *(s.output.name for s in net.placed.steps)]
    assert [line.split(":")[0].strip() for line in placed.splitlines()[1:-2]] == made
    for text in (graph, typed, placed):
        assert text.endswith("\n")
        assert "  return " in text
    assert f"# {net.placed.cross_device_floats:,} floats an image cross" in placed
    assert f"{net.typed.parameter_count:,} parameters" in typed


def test_slices_joins_and_transfers() -> None:
    text = print_placed(compiled(ALL["three"]).placed)
    assert "  both_4to14: 10x12x12 @1 = slice both[4:14]\n" in text
    assert "  norm_1: 6x12x12 @1 = slice norm_1_wide[2:8]\n" in text
    assert "  norm_0_to2: 6x12x12 @2 = transfer norm_0  # 864 floats\n" in text
    assert "  sum_on0: 6x12x12 @0 = join sum_0_to0, sum_1\n" in text
    assert text.endswith("  return probs, extra_on2\n  # 12,583 floats an image cross between devices\n")
