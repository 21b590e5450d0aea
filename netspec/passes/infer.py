"""Infer: a Graph to a TypedGraph. Shapes, parameters and multiply-adds of every layer, errors of all layers in one run.

1. a layer whose input failed is skipped in silence; 2. a tied weight must have its owner's dimensions; 3. a softmax
that ends the net has as many outputs as there are classes.
"""

from __future__ import annotations

import re
from dataclasses import replace

from netspec.diagnostics import Diagnostic, Findings, Label, did_you_mean
from netspec.ir.graph import Graph, Node, OwnedParameter, TypedGraph, TypedNode
from netspec.ir.layer import Illegal
from netspec.ir.parameter import Parameter
from netspec.ir.shape import Shape
from netspec.passes.causes import causes
from netspec.source import within
from netspec.spec.model import Spec
from netspec.syntax.scalars import shorten

MAX_UNITS = 1 << 31
_SOURCE = re.compile(r"([A-Za-z][A-Za-z0-9_]*)(?:\[([0-9]{1,4})\])?", re.ASCII)


def infer(graph: Graph, spec: Spec) -> TypedGraph:
    """Raises SpecError with every shape error."""
    findings = Findings()
    typed = _Inference(graph, spec, findings).run()
    findings.stop_on_errors()
    return typed


class _Inference:
    def __init__(self, graph: Graph, spec: Spec, findings: Findings) -> None:
        self.graph, self.spec, self.findings = graph, spec, findings
        self.shapes: dict[str, Shape] = {graph.input.name: graph.input.shape}
        self.nodes: dict[str, TypedNode] = {}

    def run(self) -> TypedGraph:
        for node in self.graph.nodes:
            if all(source in self.shapes for source in node.layer.inputs):
                self._infer(node)
        nodes = tuple(self._tie(node) for node in self.nodes.values())
        self._check_classes()
        return TypedGraph(self.graph.name, self.graph.input, nodes, self.graph.outputs)

    def _infer(self, node: Node) -> None:
        inputs = tuple(self.shapes[source] for source in node.layer.inputs)
        try:
            shape = node.layer.infer(inputs)
            parameters = node.layer.parameters(inputs)
        except Illegal as error:
            self._refuse(node, error)
            return
        largest = max([shape.units, *(p.count for p in parameters)])
        if min(shape.dims) < 1 or largest > MAX_UNITS:
            tensor = "output" if largest == shape.units else "weight"
            message = f"the {tensor} of `{node.name}` would have {largest:,} numbers, more than {MAX_UNITS:,}"
            place = self.spec.spans.key("layers", node.name)
            notes = causes("NS312", node.layer.inputs[:1], self.nodes, self.graph.input)
            self.findings.add(
                Diagnostic("NS312", message, place, notes=notes, help="make it, or what it reads, smaller")
            )
            return
        owned = tuple(OwnedParameter(f"{node.name}.{p.path}", p.path, False, p) for p in parameters)
        self.shapes[node.name] = shape
        self.nodes[node.name] = TypedNode(node.name, node.layer, inputs, shape, owned, node.layer.macs(inputs))

    def _refuse(self, node: Node, error: Illegal) -> None:
        spans = self.spec.spans
        place, layer = spans.value("layers", node.name, *error.path), spans.values["layers", node.name]
        elsewhere = not within(place, layer) and place != spans.key("layers", node.name)
        others = (Label(spans.key("layers", node.name), "in this layer"),) if elsewhere else ()
        blamed = [] if error.input is None else [node.layer.inputs[error.input]]
        if error.code == "NS307":
            blamed.append(node.layer.inputs[0])
        because = causes(error.code, blamed, self.nodes, self.graph.input)
        self.findings.add(Diagnostic(error.code, error.message, place, notes=because, help=error.help, others=others))

    def _tie(self, node: TypedNode) -> TypedNode:
        tied = tuple(self._owner(node, p) if p.parameter.tied else p for p in node.parameters)
        return node if tied == node.parameters else replace(node, parameters=tied)

    def _owner(self, node: TypedNode, own: OwnedParameter) -> OwnedParameter:
        source = own.parameter.tied
        match = _SOURCE.fullmatch(source)
        name, number = (match[1], int(match[2] or 0)) if match else (source, 0)
        owner = self.nodes.get(name)
        weights = [p for p in owner.parameters if p.parameter.role == "weight"] if owner else []
        if owner is None or number >= len(weights):
            self._refuse_tie(node, own, name, f"`{shorten(source)}` has no weights to share")
            return own
        chosen = weights[number]
        if chosen.parameter.tied:
            message = f"`{source}` has no weights of its own: it uses those of `{chosen.parameter.tied}`"
            self._refuse_tie(node, own, name, message)
        elif chosen.parameter.dims != own.parameter.dims or owner.layer.type != node.layer.type:
            theirs, ours = (f"{n.layer.type} weights {_dims(p.parameter)}" for n, p in ((owner, chosen), (node, own)))
            self._refuse_tie(node, own, name, f"`{name}` has {theirs}, but `{node.name}` needs {ours}")
        return OwnedParameter(chosen.name, own.path, True, own.parameter)

    def _refuse_tie(self, node: TypedNode, own: OwnedParameter, name: str, message: str) -> None:
        if name not in self.nodes and name in self.spec.layers:
            return  # it was refused itself
        spans, number = self.spec.spans, own.path.partition(".")[0]
        branch = ("layers", node.name, "per_input", int(number) if number.isdigit() else 0, "share_weights")
        place = spans.value(*(branch if branch in spans.values else ("layers", node.name, "share_weights")))
        learned = [n.name for n in self.nodes.values() if n.layer.type == node.layer.type and n.name != node.name]
        help = "" if name in self.nodes else did_you_mean(name, learned, "these layers have such weights:")
        others = (Label(spans.key("layers", name), "this layer"),) if name in self.nodes else ()
        self.findings.add(Diagnostic("NS314", message, place, help=help, others=others))

    def _check_classes(self) -> None:
        for name in self.graph.outputs:
            node = self.nodes.get(name)
            if node is None or node.layer.type != "softmax" or self.spec.classes in (None, node.shape.units):
                continue
            message = f"`{name}` tells {node.shape.units:,} classes apart, but `classes` is {self.spec.classes:,}"
            place, source = self.spec.spans.value("classes"), node.layer.inputs[0]
            key = self.spec.spans.key("layers", source if source in self.nodes else name)
            label = Label(key, f"this has {node.shape.units:,} outputs")
            self.findings.add(Diagnostic("NS316", message, place, help="make them agree", others=(label,)))


def _dims(parameter: Parameter) -> str:
    return "x".join(map(str, parameter.dims))
