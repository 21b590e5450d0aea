"""Infer: a Graph to a TypedGraph. Shapes, parameters and multiply-adds of every layer, errors of all layers in one run.

1. a layer whose input failed is skipped in silence; 2. a tied weight must have its owner's dimensions; 3. a softmax
that ends the net has as many outputs as there are classes.
"""

from __future__ import annotations

import re
from dataclasses import replace

from netspec.diagnostics import Diagnostic, Findings, did_you_mean
from netspec.ir.graph import Graph, Node, OwnedParameter, TypedGraph, TypedNode
from netspec.ir.layer import Illegal
from netspec.ir.parameter import Parameter
from netspec.ir.reasons import size_reasons
from netspec.ir.shape import Shape
from netspec.spec.model import Spec

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
            place = self.spec.spans.value("layers", node.name, error.key)
            notes = size_reasons(self.nodes, node.layer.inputs[0]) if error.code == "NS302" else ()
            self.findings.add(Diagnostic(error.code, error.message, place, notes=notes, help=error.help))
            return
        largest = max([shape.units, *(p.count for p in parameters)])
        if min(shape.dims) < 1 or largest > MAX_UNITS:
            message = f"`{node.name}` has {largest:,} numbers in one tensor; at most {MAX_UNITS:,} work"
            place = self.spec.spans.key("layers", node.name)
            self.findings.add(Diagnostic("NS312", message, place, help="reduce its size, filters or outputs"))
            return
        owned = tuple(OwnedParameter(f"{node.name}.{p.path}", p.path, False, p) for p in parameters)
        self.shapes[node.name] = shape
        self.nodes[node.name] = TypedNode(node.name, node.layer, inputs, shape, owned, node.layer.macs(inputs))

    def _tie(self, node: TypedNode) -> TypedNode:
        tied = tuple(self._owner(node, p) if p.parameter.tied else p for p in node.parameters)
        return node if tied == node.parameters else replace(node, parameters=tied)

    def _owner(self, node: TypedNode, own: OwnedParameter) -> OwnedParameter:
        source = own.parameter.tied
        match = _SOURCE.fullmatch(source)
        name, number = (match[1], int(match[2] or 0)) if match else (source, 0)
        owner = self.nodes.get(name)
        candidates = [p for p in owner.parameters if p.parameter.role == "weight"] if owner else []
        if owner is None or number >= len(candidates):
            self._refuse_tie(node, own, f"`{source}` has no weights to share", name)
            return own
        chosen = candidates[number]
        if chosen.parameter.tied:
            self._refuse_tie(
                node, own, f"`{source}` has no weights of its own: they are `{chosen.parameter.tied}`'s", name
            )
        elif chosen.parameter.dims != own.parameter.dims or owner.layer.type != node.layer.type:
            message = f"`{name}` has {owner.layer.type} weights {_dims(chosen.parameter)}, but these are"
            self._refuse_tie(node, own, f"{message} {node.layer.type} weights {_dims(own.parameter)}", name)
        return OwnedParameter(chosen.name, own.path, True, own.parameter)

    def _refuse_tie(self, node: TypedNode, own: OwnedParameter, message: str, name: str) -> None:
        place = self.spec.spans.value("layers", node.name, "share_weights")
        if ("layers", node.name, "share_weights") not in self.spec.spans.values:
            place = self.spec.spans.value("layers", node.name, "per_input")
        help = "" if name in self.nodes else did_you_mean(name, self.nodes)
        self.findings.add(Diagnostic("NS314", message, place, help=help))

    def _check_classes(self) -> None:
        for name in self.graph.outputs:
            node = self.nodes.get(name)
            if node is None or node.layer.type != "softmax" or self.spec.classes in (None, node.shape.units):
                continue
            message = f"`{name}` tells {node.shape.units:,} classes apart, but `classes` is {self.spec.classes:,}"
            place = self.spec.spans.value("classes")
            self.findings.add(Diagnostic("NS316", message, place, help="make them agree"))


def _dims(parameter: Parameter) -> str:
    return "x".join(map(str, parameter.dims))
