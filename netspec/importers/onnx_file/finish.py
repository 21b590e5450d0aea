"""The end of an import: neurons into their layers, names, outputs, weights by name. It reads no operator."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from netspec.importers.draft import Draft, Value
from netspec.importers.names import Names, net_name
from netspec.importers.onnx_file.graph import whole_graph
from netspec.importers.onnx_file.plan import Step
from netspec.importers.onnx_file.reading import INPUT, Made, Reading
from netspec.importers.remark import Imported, Origin, Remarks
from netspec.ir.shape import Vector
from netspec.source import Span

if TYPE_CHECKING:
    from netspec.importers.remark import Tensors

_GENERIC: Final = re.compile(r"|[A-Za-z]?_?\d+|[A-Za-z]+_\d+|/?[A-Za-z]+")
_NAMED_BY_WEIGHTS: Final = ("conv", "deconv", "fc", "local")
_WEIGHT_ENDS: Final = re.compile(r"[._/]?(w|W|weights?|kernel)(_\d+)?$")


def finish(reading: Reading, image: str, steps: list[Step], name: str, lenient: bool) -> Imported:
    """The spec and the weights of what was read. Raises SpecError where the language refuses the whole."""
    ending = _Ending(reading, image)
    ending.end()
    if not lenient:
        reading.remarks.stop_on_lost()
    ending.fold()
    ending.call(image)
    draft = ending.draft(net_name(name))
    spec = draft.spec()
    return Imported(spec, tuple(reading.remarks.items), ending.origins(steps), ending.tensors(), starts=False)


@dataclass
class _Ending:
    """``kept`` are the layers that stay; ``into`` says which layer a folded neuron is now part of."""

    reading: Reading
    image: str
    outputs: list[int] = field(default_factory=list)
    into: dict[int, int] = field(default_factory=dict)
    kept: list[int] = field(default_factory=list)
    names: dict[int, str] = field(default_factory=dict)

    @property
    def made(self) -> list[Made]:
        return self.reading.made

    def end(self) -> None:
        """The layers that the graph's outputs are. The image itself is one only through a layer that does nothing."""
        graph = self.reading.values.graph
        for value in graph.outputs:
            ref = self.reading.refs.get(value.name)
            if ref is None:
                self._lose(value.name)
                continue
            layer = ref.layer
            shape = self.reading.shape(layer)
            node = graph.producers.get(value.name)
            if layer == INPUT or any(ref.pads) or layer in self.outputs:
                place = node or (graph.nodes[0] if graph.nodes else None)
                if place is None:
                    continue
                keys: dict[str, Value] = {"neuron": "linear[1.0, 0.0]"}
                self.made.append(Made("neuron", keys, [layer], shape, place, value.name))
                layer = len(self.made) - 1
            elif node is not None and shape.dims != ref.dims and len(ref.dims) == 1:
                self.made.append(Made("flatten", {}, [layer], Vector(ref.dims[0]), node, value.name))
                layer = len(self.made) - 1
            elif shape.dims != ref.dims:
                text = f"the output `{value.name}` is {_text(ref.dims)} in the file, and {shape} here"
                self.reading.remarks.meaning("output", text, whole_graph(graph), value.name)
            self.outputs.append(layer)

    def _lose(self, output: str) -> None:
        node = self.reading.values.graph.producers.get(output)
        constant = node is None or output in self.reading.values.constants
        what = "a constant" if node is None or constant else f"what {node.op} `{node.name}` gives beside its first"
        place = whole_graph(self.reading.values.graph) if node is None else node.place
        self.reading.remarks.lost("output", f"the output `{output}` is {what}", place)

    def fold(self) -> None:
        """A neuron becomes a key of the layer that it alone reads."""
        needed = self._needed()
        readers = Counter(source for number in needed for source in set(self.made[number].reads))
        for number in needed:
            made = self.made[number]
            source = made.reads[0]
            if made.type != "neuron" or source == INPUT or readers[source] != 1 or source in self.outputs:
                continue
            before = self.made[self._now(source)]
            if "neuron" not in before.keys and self.reading.values.graph.together(before.node, made.node):
                before.keys["neuron"] = made.keys["neuron"]
                if before.node.name.startswith(f"{made.node.name}/"):  # as netspec calls the operators inside a layer
                    before.node = made.node
                self.into[number] = self._now(source)
        self.outputs = [self._now(number) for number in self.outputs]
        self.kept = [number for number in needed if number not in self.into]

    def _needed(self) -> list[int]:
        """The layers that the outputs read, directly or not, in order."""
        found, waiting = set(), list(self.outputs)
        while waiting:
            number = waiting.pop()
            if number not in found and number != INPUT:
                found.add(number)
                made = self.made[number]
                waiting += [*made.reads, *(owner for owner, _ in made.shares.values())]
        return sorted(found)

    def _now(self, number: int) -> int:
        return self.into.get(number, number)

    def call(self, image: str) -> None:
        """Give every layer that stays a name."""
        names, graph = Names(Remarks()), self.reading.values.graph  # it is said below, of the file's own names
        self.names[INPUT] = names.new(image, whole_graph(graph))
        self._say_name(image, INPUT, whole_graph(graph))
        counts: Counter[str] = Counter()
        for number in self.kept:
            made = self.made[number]
            counts[made.type] += 1
            foreign = graph.layer_of(made.node) if graph.ours else made.node.name
            wanted = foreign if graph.ours else _speaking(made, counts[made.type])
            self.names[number] = names.new(wanted, made.node.place)
            self._say_name(foreign, number, made.node.place)

    def _say_name(self, foreign: str, number: int, place: Span) -> None:
        if foreign != self.names[number]:
            self.reading.remarks.meaning("name", f"`{foreign}` is called `{self.names[number]}`", place, foreign)

    def draft(self, name: str) -> Draft:
        """The spec in the making."""
        reading, graph = self.reading, self.reading.values.graph
        shape = reading.input_shape.dims
        draft = Draft(graph.source)
        draft.keys["name"] = name
        draft.keys["input"] = {"name": self.names[INPUT], "channels": shape[0], "size": list(shape[1:])}
        if graph.about and graph.ours:
            draft.keys["about"] = graph.about
        for number in self.kept:
            made = self.made[number]
            inputs: Value = [self.names[self._now(source)] for source in made.reads]
            draft.add(self.names[number], made.type, made.node.place, inputs=inputs, **self._keys(made))
        read = {self._now(source) for number in self.kept for source in self.made[number].reads}
        if len(self.outputs) > 1 or any(number in read for number in self.outputs):
            draft.keys["outputs"] = [self.names[number] for number in self.outputs]
        classes = {self.made[n].shape.units for n in self.outputs if self.made[n].type == "softmax"}
        if len(classes) == 1:
            draft.keys["classes"] = classes.pop()
        text = "an ONNX graph does not say how a picture becomes its input: `data` is left at its defaults"
        reading.remarks.dropped("data", text, whole_graph(graph))
        return draft

    def _keys(self, made: Made) -> dict[str, Value]:
        """The keys, with the owners of shared weights by name."""
        if not made.shares:
            return made.keys
        numbered = {path: (self.names[owner], number) for path, (owner, number) in made.shares.items()}
        owners = {path: f"{name}[{number}]" if number else name for path, (name, number) in numbered.items()}
        if len(made.reads) == 1:
            return {**made.keys, "share_weights": next(iter(owners.values()))}
        written = made.keys.get("per_input")
        own = list(written) if isinstance(written, list) else [{} for _ in made.reads]
        shared = [{"share_weights": owners[f"{n}.weight"]} if f"{n}.weight" in owners else {} for n in range(len(own))]
        merged: list[Value] = [{**a, **b} if isinstance(a, dict) else b for a, b in zip(own, shared, strict=True)]
        return {**made.keys, "per_input": merged}

    def tensors(self) -> Tensors:
        """The weights by canonical name."""
        found = ((f"{self.names[n]}.{path}", w) for n in self.kept for path, w in self.made[n].weights.items())
        return {name: weight.array for name, weight in found}

    def origins(self, steps: list[Step]) -> tuple[Origin, ...]:
        """Each operator that was taken, in the order of the file, and the layer that it is, or is part of."""
        found = []
        for step in steps:
            ref = self.reading.refs.get(step.root.output)
            layer = self.names.get(self._now(ref.layer), "") if ref is not None else ""
            found += [(node.number, Origin(node.name, node.op, node.place, layer)) for node in step.nodes]
        return tuple(origin for _, origin in sorted(found, key=lambda item: item[0]))


def _speaking(made: Made, number: int) -> str:
    """The file's name for a layer; where that is only a number, its weights' or its output's, or its type's."""
    weight = made.weights.get("weight") if made.type in _NAMED_BY_WEIGHTS else None
    called = _WEIGHT_ENDS.sub("", weight.origin[0]) if weight else ""
    names = (made.node.name, called, made.node.output)
    return next((name for name in names if not _GENERIC.fullmatch(name)), f"{made.type}{number}")


def _text(dims: tuple[int, ...]) -> str:
    return "x".join(map(str, dims))
