"""The World of several processes: their shares of a batch, and sums over them. It holds no net."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, cast

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed import ProcessGroup, Work

from netspec_runtime.training.launch import MeshError
from netspec_runtime.training.peers import Peers, no_one_lost

_BUCKET: Final = 1 << 23  # numbers: 32 MiB of float32, where links are at full speed


class Mesh:
    """The World of several processes.

    ``everywhere``: canonical names of the parameters that all processes have, where towers have some (the trick);
    ``counts``: whether this process has scores of images.
    """

    def __init__(self, peers: Peers, everywhere: frozenset[str] = frozenset(), counts: bool = True) -> None:
        self._peers, self._everywhere, self._counts = peers, everywhere, counts
        self.rank, self.size = peers.launch.rank, peers.launch.size

    def rows(self, batch: int) -> slice:
        """This data group's share; sizes differ by one at most, the first are larger. Raises MeshError for none."""
        shape = self._peers.shape
        parts, number = (self.size, self.rank) if shape.trick else (shape.data, self._peers.data_number)
        each, over = divmod(batch, parts)
        if not each:
            reason = f"{parts} processes cannot share a batch of {batch}"
            raise MeshError("--mesh", reason, "use fewer, or a larger batch: --set train.batch=...")
        start = number * each + min(number, over)
        return slice(start, start + each + (number < over))

    def sum_gradients(self, parameters: Mapping[str, torch.nn.Parameter]) -> None:
        trick = self._peers.shape.trick
        chosen = [p for name, p in parameters.items() if not trick or name in self._everywhere]
        group = self._peers.tower if trick else self._peers.data
        gradients = [p.grad for p in chosen if p.grad is not None]
        if group.size() > 1 and gradients:
            with no_one_lost():
                _sum_all(gradients, group)

    def total(self, numbers: Iterable[float]) -> list[float]:
        own = torch.tensor([float(number) for number in numbers], dtype=torch.float64)
        if not self._counts:
            own = torch.zeros_like(own)  # not times 0, which leaves NaN
        with no_one_lost():
            dist.all_reduce(own, group=self._peers.everyone)
        total: list[float] = own.tolist()
        return total

    def any(self, flag: bool) -> bool:
        with no_one_lost():
            dist.all_reduce(answer := torch.tensor(int(flag)), dist.ReduceOp.MAX, group=self._peers.everyone)
        return bool(answer.item())

    def barrier(self) -> None:
        with no_one_lost():
            dist.barrier(group=self._peers.everyone)

    def share(self, text: str) -> str:
        """What the first process says, such as the folder of the run."""
        content = torch.frombuffer(bytearray(text.encode()), dtype=torch.uint8) if text else torch.empty(0).byte()
        with no_one_lost():
            dist.broadcast(length := torch.tensor(len(content)), 0, group=self._peers.everyone)
            if not length:
                return ""
            received = content if self.rank == 0 else torch.empty(int(length), dtype=torch.uint8)
            dist.broadcast(received, 0, group=self._peers.everyone)
        return bytes(received.tolist()).decode()

    def leave(self) -> None:
        """Let go of the others, at the end of the process."""
        self._peers.leave()


def _sum_all(gradients: list[Tensor], group: ProcessGroup) -> None:
    """Sum each over the group, in place: small ones together, in the same order everywhere."""
    works = []
    for bucket in _buckets(gradients):
        flat = bucket[0].view(-1) if len(bucket) == 1 and bucket[0].is_contiguous() else _flattened(bucket)
        works.append((bucket, flat, cast(Work, dist.all_reduce(flat, group=group, async_op=True))))
    for bucket, flat, work in works:
        work.wait()
        if flat.data_ptr() != bucket[0].data_ptr():
            for gradient, part in zip(bucket, torch.split(flat, [g.numel() for g in bucket]), strict=True):
                gradient.copy_(part.view(gradient.shape))


def _flattened(bucket: list[Tensor]) -> Tensor:
    return torch.cat([gradient.reshape(-1) for gradient in bucket])


def _buckets(gradients: list[Tensor]) -> Iterator[list[Tensor]]:
    """Neighbours of one type, so many that they are worth a message."""
    bucket: list[Tensor] = []
    for gradient in gradients:
        full = sum(g.numel() for g in bucket) + gradient.numel() > _BUCKET
        if bucket and (full or bucket[0].dtype != gradient.dtype):
            yield bucket
            bucket = []
        bucket.append(gradient)
    yield bucket
