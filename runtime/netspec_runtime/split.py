"""A net that lies in one ONNX file a device, run as one: each device computes a stage, then values are exchanged.

onnxruntime runs a graph from its inputs to its end and a session uses one device, so each device's graph is cut into
the stages that the file names, a session each. It decides nothing about placement: the files do.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import numpy as np
from numpy.typing import NDArray

from netspec_runtime.card import SPLIT_KEY
from netspec_runtime.device import Device
from netspec_runtime.errors import DataError
from netspec_runtime.model_file import GraphFile, ModelFile, read_graph
from netspec_runtime.session import Net, Opened, RefusedModelError, Session, Value, checked_net, open_session

if TYPE_CHECKING:
    import onnx

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Stage:
    """A session and the values that it reads and makes."""

    session: Session
    reads: tuple[str, ...]
    makes: tuple[str, ...]


@dataclass(frozen=True)
class Part:
    """One device's file: its stages, its copy of the input, and which values of others it takes under which name."""

    inputs: tuple[str, ...]
    stages: tuple[Stage | None, ...]
    copies: dict[str, str]


class SplitNet:
    """All devices of one net. ``run`` gives what the merged file would; ``outputs`` maps its names to values."""

    def __init__(self, parts: Sequence[Part], outputs: dict[str, str]) -> None:
        self.parts, self.outputs = tuple(parts), outputs

    def complete(self) -> bool:
        """Whether every value is made before it is read."""
        known = {name for part in self.parts for name in part.inputs}
        for number in range(max(len(part.stages) for part in self.parts)):
            stages = [part.stages[number] for part in self.parts if number < len(part.stages)]
            if not known.issuperset(name for stage in stages if stage for name in stage.reads):
                return False
            known.update(name for stage in stages if stage for name in stage.makes)
            known.update(own for part in self.parts for own, theirs in part.copies.items() if theirs in known)
        return known.issuperset(self.outputs.values())

    def run(self, images: Array) -> dict[str, Array]:
        """Every output [N, ...] by name, in order, for images [N, channels, height, width]."""
        values: dict[str, Array] = {name: images for part in self.parts for name in part.inputs}
        for number in range(max(len(part.stages) for part in self.parts)):
            for part in self.parts:
                stage = part.stages[number] if number < len(part.stages) else None
                if stage is not None:
                    made = stage.session.run(list(stage.makes), {name: values[name] for name in stage.reads})
                    values.update(zip(stage.makes, made, strict=True))
            for part in self.parts:
                values.update({own: values[theirs] for own, theirs in part.copies.items() if theirs in values})
        return {name: values[value] for name, value in self.outputs.items()}


def open_split(path: str, devices: Sequence[Device]) -> SplitNet:
    """The net that ``path``, the file of any of its devices, belongs to; ``devices``: one for all, or one for each.

    Raises DataError where a file is missing or they do not belong together, EnvironmentProblem for a device.
    """
    first = _Graph.read(path)
    graphs = [_Graph.read(str(Path(path).parent / Path(name).name)) for name in first.plan["files"]]
    if len({graph.model.metadata.get("netspec.hash") for graph in graphs}) > 1:
        raise DataError(path, "the files beside it are of another net", "build them together with --split")
    if len({graph.plan["weights"] for graph in graphs}) > 1:
        raise DataError(path, "the files beside it have other weights", "build them together with --split")
    wanted = list(devices) * len(graphs) if len(devices) == 1 else list(devices)
    if len(wanted) != len(graphs):
        raise DataError(path, f"{len(wanted)} devices for {len(graphs)} files", "name one device, or one for each file")
    parts = [graph.part(device) for graph, device in zip(graphs, wanted, strict=True)]
    net = SplitNet(parts, dict(first.plan["outputs"]))
    if not net.complete():
        raise _unusable(path, "its plan leaves out values that it needs")
    return net


def open_split_net(model: ModelFile, device: Device) -> Net:
    """The net of which ``model`` is one device's file, to classify with as with a whole one. Raises as open_split."""
    net = open_split(model.name, [device])
    session = _AsOneSession(net)
    return checked_net(model, Opened(session, ", ".join(session.get_providers()), None))


class _AsOneSession:
    """A split net where a session is expected."""

    def __init__(self, net: SplitNet) -> None:
        self.net = net
        self.sessions = [stage.session for part in net.parts for stage in part.stages if stage]

    def get_providers(self) -> list[str]:
        return list(dict.fromkeys(session.get_providers()[0] for session in self.sessions))

    def get_inputs(self) -> list[Value]:
        names = {name for part in self.net.parts for name in part.inputs}
        return [value for session in self.sessions for value in session.get_inputs() if value.name in names][:1]

    def get_outputs(self) -> list[Value]:
        last = next(iter(self.net.outputs.values()))
        return [value for session in self.sessions for value in session.get_outputs() if value.name == last]

    def run(self, names: list[str], feeds: dict[str, Array]) -> list[Array]:
        (images,) = feeds.values()
        by_value = {self.net.outputs[name]: answer for name, answer in self.net.run(images).items()}
        return [by_value[name] for name in names]


class _Plan(TypedDict):
    """What the compiler wrote about the exchange (netspec/backends/onnx/split.py)."""

    files: list[str]
    weights: str
    input: list[str]
    outputs: list[tuple[str, str]]
    stages: list[list[str]]
    copies: dict[str, str]


def _plan(path: str, text: str) -> _Plan:
    """The plan, if every part of it has its type. Raises DataError."""
    try:
        document = json.loads(text)
        lists = [document["files"], document["input"], *document["stages"]]
        outputs, copies = dict(document["outputs"]), dict(document["copies"])
        words = [word for part in (*lists, outputs, outputs.values(), copies, copies.values()) for word in part]
        words.append(document["weights"])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise _unusable(path, "what it says of the other devices is damaged") from None
    known = all(isinstance(part, list) for part in lists) and all(isinstance(word, str) for word in words)
    if not known or not document["files"] or not outputs:
        raise _unusable(path, "what it says of the other devices is damaged")
    plan: _Plan = document
    return plan


def _unusable(path: str, reason: str) -> DataError:
    return DataError(path, reason, "write it again with `netspec build --split`")


@dataclass(frozen=True)
class _Graph:
    """One device's file: its model without the large weights, and its plan."""

    model: GraphFile
    proto: onnx.ModelProto
    plan: _Plan

    @classmethod
    def read(cls, path: str) -> _Graph:
        import onnx

        model = read_graph(path)
        if SPLIT_KEY not in model.metadata:
            raise DataError(path, "it is a whole net, no part of one", "build the parts with `netspec build --split`")
        return cls(model, onnx.ModelProto.FromString(model.graph), _plan(path, model.metadata[SPLIT_KEY]))

    def part(self, device: Device) -> Part:
        known = set(self.plan["input"]) | set(self.plan["copies"])
        stages: list[Stage | None] = []
        for number, makes in enumerate(self.plan["stages"]):
            stages.append(self._stage(tuple(makes), known, number, device) if makes else None)
            known |= set(makes)
        return Part(tuple(self.plan["input"]), tuple(stages), self.plan["copies"])

    def _stage(self, makes: tuple[str, ...], known: set[str], number: int, device: Device) -> Stage:
        """The nodes that lead to ``makes`` from what is known, as a session."""
        nodes, reads = self._nodes(makes, known)
        later = {name for stage in self.plan["stages"][number + 1 :] for name in stage}
        wanted = {value.name for value in self.proto.graph.output} | (self._nodes(tuple(later), known | set(makes))[1])
        kept = tuple(name for name in makes if name in wanted)
        graph = self._submodel(nodes, sorted(reads), kept)
        try:
            session = open_session(graph, self.model.path.parent, device, prepack=True).session
        except RefusedModelError as error:
            raise _unusable(self.model.name, f"onnxruntime refuses it: {error}") from error
        return Stage(session, tuple(sorted(reads)), kept)

    def _nodes(self, makes: tuple[str, ...], known: set[str]) -> tuple[list[onnx.NodeProto], set[str]]:
        """The nodes between known values and ``makes``, in order, and the known values that they read."""
        wanted, nodes = set(makes), []
        for node in reversed(self.proto.graph.node):
            if node.output[0] in wanted and node.output[0] not in known:
                nodes.append(node)
                wanted |= set(node.input)
        return nodes[::-1], wanted & known

    def _submodel(self, nodes: list[onnx.NodeProto], reads: list[str], makes: tuple[str, ...]) -> bytes:
        import onnx

        graph = self.proto.graph
        used = {name for node in nodes for name in node.input}
        values = {value.name: value for value in (*graph.input, *graph.value_info, *graph.output)}
        body = onnx.helper.make_graph(
            nodes,
            graph.name,
            [values[name] for name in reads],
            [values[name] for name in makes],
            initializer=[tensor for tensor in graph.initializer if tensor.name in used],
        )
        model = onnx.helper.make_model(body, ir_version=self.proto.ir_version, opset_imports=self.proto.opset_import)
        return bytes(model.SerializeToString())
