"""Towers: a PlacedGraph to a program for each of its devices. Transfers that can go together do, in one exchange.

1. steps are taken in order, slices as early as they can be; 2. the first step that needs a value from elsewhere
starts an exchange of every transfer whose source is there by then, whichever tower needs it later; 3. a tower's
program is its own steps and the exchanges that it takes part in, in that order. So no tower waits for another twice
where once will do, and all meet in the same order.
"""

from __future__ import annotations

from collections.abc import Iterable

from netspec.ir.placed import Compute, Join, PlacedGraph, Slice, Step, Transfer, Value
from netspec.ir.tower import Exchange, Tower
from netspec.passes.place import place_at

Scheduled = Compute | Slice | Join | Exchange


def split_towers(graph: PlacedGraph) -> tuple[Tower, ...]:
    """A program for each device."""
    placed = _with_one_softmax(graph)
    result = trained_value(placed)
    schedule = schedule_exchanges(without_softmax(placed, result))
    inputs = {value.device: value.name for value in placed.inputs}
    return tuple(
        Tower(
            number,
            graph.devices,
            inputs.get(device, graph.typed.input.name),
            tuple(step for step in schedule if takes_part(step, device)),
            result if result.device == device else None,
        )
        for number, device in enumerate(graph.devices)
    )


def trained_value(graph: PlacedGraph) -> Value:
    """What the last softmax takes, where it is made, or the first output of a net that does not end in one softmax."""
    last = graph.steps[-1]
    ends = isinstance(last, Compute) and last.layer.type == "softmax" and last.part is None
    if not (ends and len(graph.outputs) == 1 and isinstance(last, Compute)):
        return graph.outputs[0]
    copied = {t.output: t.input for t in graph.transfers}
    return copied.get(last.inputs[0], last.inputs[0])


def _with_one_softmax(graph: PlacedGraph) -> PlacedGraph:
    """The graph with a last softmax on one device, where its scores are joined for the loss."""
    last = graph.typed.nodes[-1]
    if last.layer.type != "softmax" or len(graph.outputs) > 1 or len(graph.devices_of[last.name]) == 1:
        return graph
    return place_at(graph.typed, {**graph.devices_of, last.name: graph.devices_of[last.name][:1]})


def schedule_exchanges(steps: Iterable[Step]) -> tuple[Scheduled, ...]:
    """The steps of all devices, with their transfers gathered into exchanges."""
    waiting = list(_slices_first(steps))
    transfers = [step for step in waiting if isinstance(step, Transfer)]
    missing = {t.output.name for t in transfers}
    made: set[str] = set()
    schedule: list[Scheduled] = []
    unmade = {step.output.name for step in waiting}
    for step in waiting:
        if isinstance(step, Transfer):
            continue
        if any(value.name in missing for value in read(step)):
            ready = tuple(t for t in transfers if t.input.name in made or t.input.name not in unmade)
            transfers = [t for t in transfers if t not in ready]
            missing -= {t.output.name for t in ready}
            schedule.append(Exchange(ready))
        schedule.append(step)
        made.add(step.output.name)
    return tuple(schedule)


def read(step: Step) -> tuple[Value, ...]:
    """The values that a step reads."""
    return step.inputs if isinstance(step, Compute | Join) else (step.input,)


def takes_part(step: Scheduled, device: int) -> bool:
    """Whether a step is one of this device."""
    if isinstance(step, Exchange):
        return any(device in (t.input.device, t.output.device) for t in step.transfers)
    return step.output.device == device


def without_softmax(graph: PlacedGraph, result: Value) -> tuple[Step, ...]:
    """The steps up to the scores; their way to the softmax is left out too."""
    if result == graph.outputs[0]:
        return graph.steps
    steps = graph.steps[:-1]
    wanted = {value for step in steps for value in read(step)}
    return tuple(step for step in steps if not isinstance(step, Transfer) or step.output in wanted)


def _slices_first(steps: Iterable[Step]) -> list[Step]:
    """The steps, each slice right after what makes its source, so that its transfer can go with others."""
    ordered: list[Step] = []
    place: dict[str, int] = {}
    for step in steps:
        if isinstance(step, Slice):
            at = place.get(step.input.name, -1) + 1
            ordered.insert(at, step)
            place = {name: n + (n >= at) for name, n in place.items()} | {step.output.name: at}
        else:
            place[step.output.name] = len(ordered)
            ordered.append(step)
    return ordered
