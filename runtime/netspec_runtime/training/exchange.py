"""What one tower sends to others and receives, forward and back, in the same order everywhere. It sums no weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import torch
import torch.distributed as dist
from torch import Tensor
from torch.autograd.function import once_differentiable

from netspec_runtime.errors import EnvironmentProblem
from netspec_runtime.training.peers import Peers, no_one_lost

_DTYPES: Final = (torch.float32, torch.bfloat16, torch.float16, torch.float64)
_Sizes = tuple[int, ...]


@dataclass(frozen=True)
class _Form:
    """How a value looks, and the tower at its other end: a gradient has the form of its value."""

    peer: int
    sizes: _Sizes
    dtype: torch.dtype
    channels_last: bool

    @classmethod
    def of(cls, peer: int, value: Tensor) -> _Form:
        last = value.dim() == 4 and not value.is_contiguous()
        last = last and value.is_contiguous(memory_format=torch.channels_last)
        return cls(peer, tuple(value.shape), value.dtype, last)

    def empty(self, device: torch.device) -> Tensor:
        layout = torch.channels_last if self.channels_last else torch.contiguous_format
        return torch.empty(self.sizes, dtype=self.dtype, device=device, memory_format=layout)

    def flat(self, value: Tensor) -> Tensor:
        """The value as a contiguous tensor, in the order in which it lies in memory."""
        return (value.permute(0, 2, 3, 1) if self.channels_last else value).contiguous()


class Exchange:
    """All that leaves and reaches one tower. A generated class calls it in its ``logits``, after ``begin``.

    The anchor is a zero that runs through every exchange: each depends on the one before, so their gradients run back
    in the reverse order in every tower; the loss must include it.
    """

    def __init__(self, peers: Peers) -> None:
        self._peers = peers
        self._known: dict[tuple[object, ...], list[_Form]] = {}
        self._rows = self._count = self._first = 0
        self._counts: list[int] = []
        self._anchor = torch.zeros((), device=peers.device)
        self._training = False
        self._whole_first = 0
        self.key: int | None = None
        # torch.compile is kept out of what it cannot trace.
        self.swap = torch.compiler.disable(self.swap)  # type: ignore[method-assign, no-untyped-call]
        self.counts = torch.compiler.disable(self.counts)  # type: ignore[method-assign, no-untyped-call]

    @property
    def draw(self) -> Tensor | None:
        """What dropout draws from where all images are: int32 [key, place of the first image]; None is torch's own."""
        if self.key is None:
            return None
        return torch.tensor([self.key, self._whole_first], dtype=torch.int32, device=self._peers.device)

    @property
    def anchor(self) -> Tensor:
        """The zero, behind all exchanges since ``begin``."""
        return self._anchor

    def begin(self, images: int, first: int, training: bool) -> None:
        """Start a pass of this tower's images, the first of which has the place ``first`` in the batch."""
        self._rows, self._first, self._count, self._counts = images, first, 0, []
        self._training = training
        self._anchor = torch.zeros((), device=self._peers.device, requires_grad=torch.is_grad_enabled())

    def __call__(
        self, sends: Mapping[int, Sequence[Tensor]], shapes: Mapping[int, Sequence[_Sizes]]
    ) -> tuple[Tensor, ...]:
        """Send values to towers by number; what comes, of these shapes (of one image), by tower and in order."""
        outgoing = [(peer, value) for peer in sorted(sends) for value in sends[peer]]
        incoming = [(peer, (self._rows, *shape)) for peer in sorted(shapes) for shape in shapes[peer]]
        return self.swap(outgoing, incoming)

    def gather(self, value: Tensor) -> Tensor:
        """This tower's images' values to those of all images, in the batch's order."""
        own, towers = self._peers.tower_number, range(self._peers.shape.tower)
        counts = self.counts()
        others = [t for t in towers if t != own]
        received = self.swap([(t, value) for t in others], [(t, (counts[t], *value.shape[1:])) for t in others])
        self._rows = sum(counts)
        parts = dict(zip(others, received, strict=True)) | {own: value}
        return torch.cat([parts[t] for t in towers])

    def scatter(self, owner: int, shape: _Sizes, value: Tensor | None) -> Tensor:
        """The values of all images, which the owner has, to those of each tower's own images."""
        own, counts = self._peers.tower_number, self.counts()
        if value is None:
            return self.swap([], [(owner, (counts[own], *shape))])[0]
        parts = torch.split(value, counts)
        self.swap([(t, part) for t, part in enumerate(parts) if t != own], [])
        return parts[own]

    def swap(self, outgoing: list[tuple[int, Tensor]], incoming: list[tuple[int, _Sizes]]) -> tuple[Tensor, ...]:
        """Send values to towers; what comes, of these sizes."""
        sent = [_Form.of(peer, value) for peer, value in outgoing]
        received = self._agree(sent, incoming)
        values = [value for _, value in outgoing]
        self._anchor, *arrived = _Swap.apply(self._peers, sent, received, self._anchor, *values)  # type: ignore[no-untyped-call]  # torch's
        return tuple(arrived)

    def _agree(self, sent: list[_Form], incoming: list[tuple[int, _Sizes]]) -> list[_Form]:
        """The forms of what comes. Types and layouts are told once for each kind of pass, the same for all towers."""
        kind = self._peers.device.type
        cast = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else None
        key = (self._count, cast, self._training, *(self._counts or [self._rows]))
        self._count += 1
        if key not in self._known:
            told = self._tell(sent, [peer for peer, _ in incoming])
            forms = [
                _Form(peer, sizes, _DTYPES[code], bool(last))
                for (peer, sizes), (code, last) in zip(incoming, told, strict=True)
            ]
            self._known[key] = forms
        return self._known[key]

    def _tell(self, sent: list[_Form], sources: list[int]) -> list[list[int]]:
        notes = [(f.peer, torch.tensor([_DTYPES.index(f.dtype), int(f.channels_last)])) for f in sent]
        answers = [(peer, torch.zeros(2, dtype=torch.int64)) for peer in sources]
        _move(self._peers.tower_control, notes, answers)
        return [answer.tolist() for _, answer in answers]

    def counts(self) -> list[int]:
        """How many images each tower has. Raises EnvironmentProblem where they are no one stretch of a batch."""
        if self._counts:
            return self._counts
        found = [torch.zeros(2, dtype=torch.int64) for _ in range(self._peers.shape.tower)]
        with no_one_lost():
            dist.all_gather(found, torch.tensor([self._rows, self._first]), group=self._peers.tower_control)
        counts, firsts = zip(*(pair.tolist() for pair in found), strict=True)
        neighbours = zip(firsts, counts, firsts[1:], strict=False)
        if self._training and any(first + count != after for first, count, after in neighbours):
            reason = "a batch in pieces is not gathered in its order, which dropout needs"
            raise EnvironmentProblem("--mesh trick", reason, "use it with --parts 1")
        self._counts, self._whole_first = list(counts), firsts[0]
        return self._counts


class _Swap(torch.autograd.Function):
    """Values forward; gradients backward, along the same edges."""

    @staticmethod
    def forward(
        ctx: Any, peers: Peers, sent: list[_Form], received: list[_Form], anchor: Tensor, *values: Tensor
    ) -> tuple[Tensor, ...]:
        ctx.peers, ctx.sent, ctx.received = peers, sent, received
        return anchor.clone(), *_carry(peers, sent, values, received)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, anchor: Tensor, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        return None, None, None, anchor, *_carry(ctx.peers, ctx.received, gradients, ctx.sent)


def _carry(peers: Peers, out: list[_Form], values: Sequence[Tensor], back: list[_Form]) -> list[Tensor]:
    """Send values of the forms ``out``; the tensors of the forms ``back`` that come in."""
    arrived = [form.empty(peers.device) for form in back]
    leaving = [(form.peer, form.flat(value)) for form, value in zip(out, values, strict=True)]
    _move(peers.tower, leaving, [(form.peer, form.flat(value)) for form, value in zip(back, arrived, strict=True)])
    return arrived


def _move(
    group: dist.ProcessGroup, leaving: Sequence[tuple[int, Tensor]], arriving: Sequence[tuple[int, Tensor]]
) -> None:
    """Send and fill contiguous tensors, by tower; between two towers in the order given. Empty ones stay at home."""
    operations = [dist.P2POp(dist.isend, v, group=group, group_peer=p) for p, v in leaving if v.numel()]
    operations += [dist.P2POp(dist.irecv, v, group=group, group_peer=p) for p, v in arriving if v.numel()]
    with no_one_lost():
        for work in dist.batch_isend_irecv(operations) if operations else ():
            work.wait()
