"""Small nets to compare, and whether two compute the same numbers: torch in float64 decides."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from netspec.difference import Difference, Row, Scope, compare
from netspec.pipeline import Compiled, compile_spec
from netspec.spec.load import load_text
from tests.conformance.forms import Forms, doubled, run_torch

Told = tuple[str, str, str, str]  # layer, what, the text of A, the text of B
FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Case:
    """Two nets, as lines of layers, and what differs."""

    name: str
    a: str
    b: str
    rows: tuple[Told, ...]


def cases(file: str) -> list[Case]:
    """`# name`, the layers of A, `--`, the layers of B; then, after `=>`, lines of layer | what | in A | in B."""
    blocks = (FOLDER / file).read_text(encoding="utf-8").removeprefix("# ").split("\n\n# ")
    return [_case(block) for block in blocks]


def _case(block: str) -> Case:
    name, _, rest = block.partition("\n")
    nets, _, expected = rest.partition("\n=>\n")
    a, _, b = nets.partition("\n--\n")
    rows = [tuple(cell.strip() for cell in line.split("|")) for line in expected.splitlines()]
    return Case(name, a, b, tuple((row[0], row[1], row[2], row[3]) for row in rows))


def spec(layers: str, head: str = "input: {size: 8}") -> str:
    """A spec with these lines of layers."""
    lines = "".join(f"  {line.strip()}\n" for line in layers.strip().splitlines())
    return f"netspec: 1\nname: small\n{head}\nlayers:\n{lines}"


def net(text: str, name: str = "net.yaml") -> Compiled:
    return compile_spec(load_text(text, name=name))


def difference(a: str, b: str, scope: Scope = Scope()) -> Difference:  # noqa: B008 - it is frozen
    """Of two texts, called a.yaml and b.yaml."""
    return compare(net(a, "a.yaml"), net(b, "b.yaml"), scope)


def told(found: Difference) -> list[Told]:
    """What differs, as words; "" for a net that has nothing of the kind."""
    return [_told(row) for row in found.rows]


def _told(row: Row) -> Told:
    sides = [side for side in (row.a, row.b) if side]
    layer = " / ".join(dict.fromkeys(side.layer for side in sides))
    return layer, row.what, row.a.text if row.a else "", row.b.text if row.b else ""


def compute_alike(a: str, b: str) -> bool:
    """Whether two nets whose weights have the same names start alike and give the same outputs."""
    one, other = Forms.of(a), Forms.of(b)
    starts = [
        [(p.name, p.parameter.count, p.parameter.distribution) for p in form.net.typed.parameters]
        for form in (one, other)
    ]
    if sorted(starts[0]) != sorted(starts[1]) or len(one.net.typed.outputs) != len(other.net.typed.outputs):
        return False
    weights = doubled(one.weights())
    batch = one.inputs().astype(np.float64)
    found = []
    for form in (one, other):  # a bias of one position may have its dimensions or not
        own = {p.name: weights[p.name].reshape(p.parameter.dims) for p in form.net.typed.parameters}
        found.append(run_torch(form.merged(own).double(), batch))
    outputs = zip(one.net.typed.outputs, other.net.typed.outputs, strict=True)
    pairs = [(found[0][x], found[1][y]) for x, y in outputs]
    return all(x.shape == y.shape and np.allclose(x, y, rtol=1e-9, atol=1e-9, equal_nan=True) for x, y in pairs)
