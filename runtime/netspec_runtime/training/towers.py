"""A tower: one process's part of a net, with its parameters under their canonical names. It computes no losses."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

import torch
import torch.distributed as dist
from safetensors.torch import load as unpacked
from safetensors.torch import save as packed
from torch import Tensor, nn

from netspec_runtime.training.exchange import Exchange
from netspec_runtime.training.launch import Launch, MeshShape
from netspec_runtime.training.meeting import meet
from netspec_runtime.training.mesh import Mesh
from netspec_runtime.training.net import LocalNet, Rows, State, TrainableNet, check_shares, compile_pass, load_class
from netspec_runtime.training.peers import Peers, no_one_lost


class TowerNet:
    """The TrainableNet of one process of several that share a net, from the generated file of towers."""

    def __init__(
        self, source: str, name: str, peers: Peers, channels_last: bool = False, compiled: bool = False
    ) -> None:
        classes = [load_class(source, f"{name}Tower{number}") for number in range(peers.shape.tower)]
        own = peers.tower_number
        self.device = peers.device
        self.module = cast(Any, classes[own])(Exchange(peers)).to(self.device)
        if channels_last:
            self.module.to(memory_format=torch.channels_last)
        forward = self.module.logits
        self._forward: Callable[[Tensor], Tensor | None] = compile_pass(forward) if compiled else forward
        self._exchange = cast(Exchange, self.module._exchange)  # noqa: SLF001 - a name that no layer can have
        self._peers = peers
        self._tables = [cast(Rows, vars(cls)["ROWS"]) for cls in classes]
        self._rows = self._tables[own]
        self._canonical = {part: merged for merged, part, _, _ in self._rows}
        self._first = 0
        self.has_scores = bool(vars(classes[own])["SCORES"])

    @property
    def everywhere(self) -> frozenset[str]:
        """Canonical names of the parameters that more than one tower has whole."""
        tables = [{(merged, start, end) for merged, _, start, end in table} for table in self._tables]
        return frozenset(row[0] for n, table in enumerate(tables) for other in tables[:n] for row in table & other)

    def logits(self, images: Tensor) -> Tensor | None:
        self._exchange.begin(len(images), self._first, self.module.training)
        scores = self._forward(images)
        return None if scores is None else scores.flatten(1)

    def anchor(self) -> Tensor | None:
        return self._exchange.anchor

    def draw(self, key: int, first: int) -> None:
        self._first, self._exchange.key = first, key
        if hasattr(self.module, "draw"):  # it has dropout
            self.module.draw = torch.tensor([key, first], dtype=torch.int32, device=self.device)

    def parameters(self) -> dict[str, nn.Parameter]:
        own = dict(self.module.named_parameters(remove_duplicate=False))
        return {part: own[part] for _, part, _, _ in self._rows if part in own}

    def canonical(self, name: str) -> str:
        return self._canonical[name]

    def collect(self, tensors: Mapping[str, Tensor]) -> State:
        own = {part: tensors[part].detach().cpu().contiguous() for part in self._leading() if part in tensors}
        everyone = self._gathered(own)
        parts: dict[str, list[tuple[int, Tensor]]] = {}
        for table, found in zip(self._tables, everyone, strict=True):
            for merged, part, start, _ in table:
                if part in found:
                    parts.setdefault(merged, []).append((start, found[part]))
        return {name: torch.cat([rows for _, rows in sorted(p, key=_start)]) for name, p in parts.items()}

    def distribute(self, state: Mapping[str, Tensor]) -> State:
        return {part: state[name][start:end] for name, part, start, end in self._rows if name in state}

    def _leading(self) -> Iterator[str]:
        """The names here of what no tower before this one has."""
        before = self._tables[: self._peers.tower_number]
        known = {(merged, start, end) for table in before for merged, _, start, end in table}
        return (part for merged, part, start, end in self._rows if (merged, start, end) not in known)

    def _gathered(self, own: State) -> list[State]:
        """What each tower gives."""
        group, count = self._peers.tower_control, self._peers.shape.tower
        content = torch.frombuffer(bytearray(packed(own)), dtype=torch.uint8)
        lengths = [torch.zeros(1, dtype=torch.int64) for _ in range(count)]
        with no_one_lost():
            dist.all_gather(lengths, torch.tensor([len(content)]), group=group)
            longest = max(int(length) for length in lengths)
            padded = torch.zeros(longest, dtype=torch.uint8)
            padded[: len(content)] = content
            everyone = [torch.empty(longest, dtype=torch.uint8) for _ in range(count)]
            dist.all_gather(everyone, padded, group=group)
        return [unpacked(c[: int(n)].numpy().tobytes()) for c, n in zip(everyone, lengths, strict=True)]


def join(
    launch: Launch,
    shape: MeshShape,
    source: str,
    name: str,
    device: torch.device,
    channels_last: bool = False,
    compiled: bool = False,
) -> tuple[TrainableNet, Mesh]:
    """This process's part of the net and its world; waits for all processes.

    ``source`` is the generated module with one tower, else the file of towers. Raises MeshError for a net whose layers
    need the whole batch in one place, and EnvironmentProblem.
    """
    with no_one_lost():
        store = meet(launch)
    peers = Peers.join(store, launch, shape, device)
    if shape.tower == 1:
        whole = LocalNet(source, name, (str(device),), channels_last, compiled)
        check_statistics(whole, shape)
        return whole, Mesh(peers)
    part = TowerNet(source, name, peers, channels_last, compiled)
    check_statistics(part, shape)
    counts = shape.trick or part.has_scores
    return part, Mesh(peers, part.everywhere if shape.trick else frozenset(), counts)


def check_statistics(net: TrainableNet, shape: MeshShape) -> None:
    """Refuse shares of a batch for a net that cannot have them. Raises MeshError."""
    if shape.data > 1 or shape.trick:
        check_shares(net, "--mesh", "train with --mesh tower=N or in one process")


def _start(rows: tuple[int, Tensor]) -> int:
    return rows[0]
