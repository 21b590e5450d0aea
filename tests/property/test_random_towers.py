"""Random nets as towers, each in a thread, compute what the merged module does; none waits for what never comes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from queue import Queue
from typing import Any, cast

import pytest
import torch
from torch import Tensor, nn

from netspec.backends.torch import emit_module
from netspec.backends.torch.towers import emit_towers
from netspec.ir.tower import Tower
from netspec.passes.towers import split_towers
from netspec.passes.trick import split_trick
from netspec.pipeline import Compiled, compile_spec
from netspec.spec.load import load_text
from netspec.spec.names import class_name
from netspec_runtime.training.net import load_class
from tests.conformance.forms import Forms
from tests.property.graphs import RandomNet

pytestmark = pytest.mark.slow

Mail = dict[tuple[int, int], "Queue[Tensor]"]
ROWS = 5  # a batch that neither two nor three towers share evenly
PATIENCE = 20.0  # seconds: a value that has not come by then was never sent


@dataclass
class Wire:
    """What a tower calls, between threads. ``counts``: how many images each tower has where they share a batch."""

    mail: Mail
    own: int
    counts: tuple[int, ...]
    rows: int = 0
    draw: None = None
    meetings: list[tuple[frozenset[int], frozenset[int]]] = field(default_factory=list)

    def __call__(
        self, sends: Mapping[int, Sequence[Tensor]], shapes: Mapping[int, Sequence[tuple[int, ...]]]
    ) -> tuple[Tensor, ...]:
        self.meetings.append((frozenset(sends), frozenset(shapes)))
        for to, values in sends.items():
            for value in values:
                self.mail[self.own, to].put(value)
        received = [(self._next(by), shape) for by, wanted in shapes.items() for shape in wanted]
        assert all(value.shape == (self.rows, *shape) for value, shape in received)
        return tuple(value for value, _ in received)

    def gather(self, value: Tensor) -> Tensor:
        for to in range(len(self.counts)):
            self.mail[self.own, to].put(value)
        self.rows = sum(self.counts)
        return torch.cat([self._next(by) for by in range(len(self.counts))])

    def scatter(self, owner: int, shape: tuple[int, ...], value: Tensor | None) -> Tensor:
        if value is not None:
            for to, part in enumerate(torch.split(value, list(self.counts))):
                self.mail[self.own, to].put(part)
        own = self._next(owner)
        assert own.shape == (self.counts[self.own], *shape)
        return own

    def _next(self, by: int) -> Tensor:
        return self.mail[by, self.own].get(timeout=PATIENCE)


def run(net: Compiled, towers: tuple[Tower, ...], state: Mapping[str, Tensor], images: Tensor, shared: bool) -> Tensor:
    """The scores of all images; each tower has all of them, or its share."""
    source, count = emit_towers(net.spec, net.typed, towers), len(towers)
    mail: Mail = {(a, b): Queue() for a in range(count) for b in range(count)}
    shares = images.tensor_split(count) if shared else (images,) * count
    counts = tuple(len(share) for share in shares) if shared else (len(images),)
    wires = [Wire(mail, number, counts, len(share)) for number, share in enumerate(shares)]
    parts = [built(source, f"{class_name(net.spec.name)}Tower{n}", wire, state) for n, wire in enumerate(wires)]
    with ThreadPoolExecutor(count) as pool:
        found = list(pool.map(lambda part, share: part(share), parts, shares))
    assert all(queue.empty() for queue in mail.values()), "something was sent that nobody took"
    scores = [values for values in found if values is not None]
    assert len(scores) == (count if shared else 1)
    return torch.cat(scores)


def built(source: str, name: str, wire: Wire, state: Mapping[str, Tensor]) -> Callable[[Tensor], Tensor | None]:
    cls = cast(Any, load_class(source, name))
    module: nn.Module = cls(wire).double()
    own = {part: state[merged][start:end] for merged, part, start, end in cls.ROWS}
    module.load_state_dict(own, strict=False)
    named = dict(module.named_parameters(remove_duplicate=False))
    assert {id(p) for p in named.values()} == {id(named[part]) for part in own if part in named}, "one has no rows"
    return cast(Callable[[Tensor], Tensor | None], module.eval().logits)


def merged_scores(net: Compiled, state: Mapping[str, Tensor], images: Tensor) -> Tensor:
    source = emit_module(net.spec, net.merged, net.merged)
    module = load_class(source, class_name(net.spec.name))().double().eval()
    tied = {f"{node.name}.{p.path}": p.name for node in net.typed.nodes for p in node.parameters if p.tied}
    module.load_state_dict({**state, **{name: state[owner] for name, owner in tied.items()}}, strict=False)
    scores = getattr(module, "logits", module)(images)
    return cast(Tensor, scores[0] if isinstance(scores, tuple) else scores)


def prepared(seed: int) -> tuple[Compiled, dict[str, Tensor], Tensor]:
    """A net, double weights and images."""
    net = compile_spec(load_text(RandomNet.seeded(seed).text()))
    forms = Forms(net)
    state = {name: torch.from_numpy(array).double() for name, array in forms.weights(seed).items()}
    return net, state, torch.from_numpy(forms.inputs(seed, ROWS)).double()


def problems(seed: int) -> list[str]:
    net, state, images = prepared(seed)
    with torch.no_grad():
        wanted = merged_scores(net, state, images)
        got = {"towers": run(net, split_towers(net.placed), state, images, shared=False)}
        for count in (2, 3):
            if towers := trick(net, count):
                got[f"trick={count}"] = run(net, towers, state, images, shared=True)
    return [f"{form} of net {seed}" for form, scores in got.items() if not close(scores, wanted)]


def trick(net: Compiled, count: int) -> tuple[Tower, ...] | None:
    try:
        return split_trick(net.typed, count)
    except ValueError:
        return None


def close(found: Tensor, wanted: Tensor) -> bool:
    return torch.allclose(found, wanted, rtol=1e-9, atol=1e-9, equal_nan=True)


@pytest.mark.parametrize("first", range(2000, 2060, 20))
def test_random_nets_as_towers(first: int) -> None:
    assert not [problem for seed in range(first, first + 20) for problem in problems(seed)]


def test_they_have_every_kind_of_tower() -> None:
    nets = [prepared(seed)[0] for seed in range(2000, 2060)]
    exchanging = [net for net in nets if len(net.placed.devices) > 1 and net.placed.transfers]
    assert len(exchanging) >= 10
    assert len([net for net in nets if trick(net, 2)]) >= 5
    assert len([net for net in nets if trick(net, 3)]) >= 3


@pytest.mark.soak
@pytest.mark.parametrize("first", range(3000, 5000, 100))
def test_many_random_nets_as_towers(first: int) -> None:
    assert not [problem for seed in range(first, first + 100) for problem in problems(seed)]
