"""One weird trick: convolutions split over the images, fully-connected layers over their units.

Source: Krizhevsky 2014, One weird trick for parallelizing convolutional neural networks. Every tower computes the
layers before the first fully-connected one whole, for its own images; what they leave is gathered for all images, and
from there on the units are split as `gpu: [0, 1, ...]` would. The scores go back to the towers that have the images.
It changes no spec.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from netspec.ir.graph import TypedGraph, TypedNode
from netspec.ir.layer import ChannelwiseLayer, Illegal
from netspec.ir.placed import Compute, Join, PlacedGraph, Step, Transfer, Value
from netspec.ir.shape import even_parts
from netspec.ir.tower import Gather, Scatter, Tower, TowerStep
from netspec.passes.place import place_at
from netspec.passes.towers import read, schedule_exchanges, takes_part, trained_value, without_softmax


def split_trick(typed: TypedGraph, count: int) -> tuple[Tower, ...]:
    """A program for each of ``count`` towers. Raises ValueError, told as a reason, for a net that it cannot be for."""
    front = _front(typed)
    if len(front) == len(typed.nodes):
        raise ValueError("the net has no fully-connected layer to split")
    placed = place_at(typed, _placement(typed, front, count))
    if len(placed.devices) != count:
        raise ValueError(f"{count} does not divide the units of any fully-connected layer")
    return _Trick(placed, front, trained_value(placed)).towers()


def _front(typed: TypedGraph) -> frozenset[str]:
    """The layers that read no fully-connected one, directly or through others."""
    front = {typed.input.name}
    for node in typed.nodes:
        if node.layer.type != "fc" and front.issuperset(node.layer.inputs):
            front.add(node.name)
    return frozenset(front - {typed.input.name})


def _placement(typed: TypedGraph, front: frozenset[str], count: int) -> dict[str, tuple[int, ...]]:
    """Everything on the first tower, but for what can be split evenly behind the front."""
    tied = {p.name for node in typed.nodes for p in node.parameters if p.tied}
    placement: dict[str, tuple[int, ...]] = {}
    for node in typed.nodes:
        free = node.name not in front and tied.isdisjoint(p.name for p in node.parameters)
        placement[node.name] = tuple(range(count)) if free and _splits(node, placement, count) else (0,)
    return placement


def _splits(node: TypedNode, placement: dict[str, tuple[int, ...]], count: int) -> bool:
    follows = isinstance(node.layer, ChannelwiseLayer) and len(placement.get(node.layer.inputs[0], ())) == count
    if node.shape.channels % count or not (node.layer.type == "fc" or follows):
        return False
    try:
        for part in even_parts(node.shape.channels, count):
            node.layer.shard(node.input_shapes, part)
    except Illegal:
        return False
    return True


@dataclass(frozen=True)
class _Trick:
    placed: PlacedGraph
    front: frozenset[str]
    result: Value

    def towers(self) -> tuple[Tower, ...]:
        steps = without_softmax(self.placed, self.result)
        front = [step for step in steps if isinstance(step, Compute) and step.node in self.front]
        back = [step for step in steps if step not in front]
        gathers = self._gathers(front, back)
        schedule = schedule_exchanges(_reading(back, self._whole(gathers, back)))
        ending, result = self._ending(front)
        devices = self.placed.devices
        return tuple(
            Tower(
                number,
                devices,
                self._input.name,
                (*front, *gathers, *(step for step in schedule if takes_part(step, device)), *ending),
                result,
            )
            for number, device in enumerate(devices)
        )

    @property
    def _input(self) -> Value:
        """The images: every tower calls its own by one name."""
        return self.placed.inputs[0]

    def _gathers(self, front: list[Compute], back: list[Step]) -> list[Gather]:
        """What the back reads of the front, or of the images."""
        images = {value.name for value in self.placed.inputs}
        wanted = {value.name for step in back for value in read(step)}
        found = [self._input] if images & wanted else []
        found += [step.output for step in front if step.output.name in wanted]
        return [Gather(value, replace(value, name=self._free(f"{value.name}_whole"))) for value in found]

    def _whole(self, gathers: list[Gather], back: list[Step]) -> dict[str, Value]:
        """The gathered value for every name that the back may read it by."""
        whole = {gather.input.name: gather.output for gather in gathers}
        whole |= {value.name: whole[self._input.name] for value in self.placed.inputs if self._input.name in whole}
        copies = (step for step in back if isinstance(step, Transfer) and step.input.name in whole)
        return whole | {step.output.name: whole[step.input.name] for step in copies}

    def _ending(self, front: list[Compute]) -> tuple[tuple[TowerStep, ...], Value]:
        """The scores of each tower's own images."""
        if any(self.result == step.output for step in front):
            return (), self.result
        own = replace(self.result, name=self._free(f"{self.result.name}_own"))
        return (Scatter(self.placed.devices.index(self.result.device), self.result, own),), own

    def _free(self, name: str) -> str:
        """A name that no value has."""
        taken = {step.output.name for step in self.placed.steps} | {value.name for value in self.placed.inputs}
        while name in taken:
            name += "_"
        return name


def _reading(steps: list[Step], whole: dict[str, Value]) -> list[Step]:
    """The steps with gathered values in the place of those that they stand for; their copies are left out."""
    changed: list[Step] = []
    for step in steps:
        if isinstance(step, Compute | Join):
            changed.append(replace(step, inputs=tuple(whole.get(v.name, v) for v in step.inputs)))
        elif step.output.name not in whole:
            changed.append(replace(step, input=whole.get(step.input.name, step.input)))
    return changed
