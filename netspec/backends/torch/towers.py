"""The generated file of towers: for each process of several the part of the net that it computes. It starts none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from netspec import __version__
from netspec.backends.torch.check import check_generated
from netspec.backends.torch.module import ENVIRONMENT, about, definition, imports_of
from netspec.backends.torch.view import construct, draw_from, lower, share
from netspec.ir.graph import TypedGraph
from netspec.ir.lowering import TorchCode
from netspec.ir.placed import Compute, Transfer
from netspec.ir.tower import Exchange, Gather, Scatter, Tower, TowerStep
from netspec.spec.dump import spec_hash
from netspec.spec.model import Spec
from netspec.spec.names import class_name


@dataclass(frozen=True)
class TowerView:
    """What the template prints of one tower. ``result`` is empty where the scores are another tower's."""

    name: str
    doc: str
    rows: tuple[str, ...]
    init: tuple[str, ...]
    input: str
    body: tuple[str, ...]
    logits_doc: str
    result: str
    helpers: tuple[str, ...]


def emit_towers(spec: Spec, typed: TypedGraph, towers: tuple[Tower, ...]) -> str:
    """Python source with a class for each tower, `AlexnetTower0` and so on; it imports only torch.

    Each is made with an object for what leaves it: called with values for other towers by number and shapes (of one
    image) to receive, it returns the latter; its ``gather`` and ``scatter`` are for values of all images.
    """
    name = class_name(spec.name)
    views = [_view(tower, f"{name}Tower{tower.number}", typed) for tower in towers]
    definitions = [definition(helper) for helper in dict.fromkeys(h for view in views for h in view.helpers)]
    rendered = ENVIRONMENT.get_template("towers.py.j2").render(
        docstring=about(spec, typed),
        version=__version__,
        net=spec.name,
        hash=spec_hash(spec),
        imports=imports_of(definitions, [line for view in views for line in (*view.init, *view.body)]),
        definitions=[d.text for d in definitions],
        classes=views,
    )
    text = rendered.rstrip("\n") + "\n"
    check_generated(text)
    return text


def _view(tower: Tower, name: str, typed: TypedGraph) -> TowerView:
    lowered = [(step, *_lower(step, tower)) for step in tower.steps]
    modules = [(step, code) for step, _, code in lowered if isinstance(step, Compute) and code and code.modules]
    result = tower.result.name if tower.result else ""
    shape = ", ".join(["N", *map(str, typed.input.shape.dims)])
    return TowerView(
        name=name,
        doc=f"Tower {tower.number} of {len(tower.devices)}.",
        rows=tuple(_rows(tower)),
        init=(
            *(construct(step, code, split=False) for step, code in modules),
            *(line for step, _ in modules for line in share(step)),
            *draw_from(code for _, _, code in lowered),
        ),
        input=tower.input,
        body=tuple(_of_all_images([(step, line) for step, line, _ in lowered])),
        logits_doc=f"Images ({shape}) to " + ("what the softmax takes." if result else "nothing: others have the end."),
        result=result,
        helpers=tuple(dict.fromkeys(helper for _, _, code in lowered if code for helper in code.helpers)),
    )


def _of_all_images(lines: list[tuple[TowerStep, str]]) -> Iterator[str]:
    """The lines; behind a gather the first image is the batch's, and random numbers are for all images."""
    gathered = False
    for step, line in lines:
        gathered = gathered or isinstance(step, Gather)
        yield line.replace(" self.draw,", " self._exchange.draw,") if gathered else line


def _rows(tower: Tower) -> Iterator[str]:
    for step in tower.steps:
        if isinstance(step, Compute):
            own = (p for p in step.parameters if not p.tied)
            yield from (f'("{p.name}", "{step.module}.{p.path}", {p.rows.start}, {p.rows.stop}),' for p in own)


def _lower(step: TowerStep, tower: Tower) -> tuple[str, TorchCode | None]:
    """The line of a step in this tower, and what its layer asked for."""
    if isinstance(step, Exchange):
        return _exchange(step, tower), None
    if isinstance(step, Gather):
        return f"{step.output.name} = self._exchange.gather({step.input.name})  # all images", None
    if isinstance(step, Scatter):
        value = step.input.name if step.owner == tower.number else "None"
        shape = step.output.shape.dims
        return f"{step.output.name} = self._exchange.scatter({step.owner}, {shape!r}, {value})  # own images", None
    return lower(step)


def _exchange(step: Exchange, tower: Tower) -> str:
    """``(pool2_1_to0,) = self._exchange({1: (pool2_0,)}, {1: ((128, 13, 13),)})``."""
    sent: dict[int, list[Transfer]] = {}
    received: dict[int, list[Transfer]] = {}
    for transfer in step.transfers:
        if transfer.input.device == tower.device:
            sent.setdefault(tower.devices.index(transfer.output.device), []).append(transfer)
        elif transfer.output.device == tower.device:
            received.setdefault(tower.devices.index(transfer.input.device), []).append(transfer)
    sends = ", ".join(f"{to}: {_tuple(t.input.name for t in sent[to])}" for to in sorted(sent))
    shapes = ", ".join(f"{by}: {_tuple(repr(t.output.shape.dims) for t in received[by])}" for by in sorted(received))
    targets = _tuple(t.output.name for by in sorted(received) for t in received[by])
    call = f"self._exchange({{{sends}}}, {{{shapes}}})"
    return f"{targets} = {call}" if received else call


def _tuple(items: Iterator[str]) -> str:
    texts = list(items)
    return f"({texts[0]},)" if len(texts) == 1 else f"({', '.join(texts)})"
