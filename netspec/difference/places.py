"""One net's half of a difference, with the file and line of its key. It compares nothing."""

from __future__ import annotations

from netspec.difference.fact import Fact
from netspec.difference.operation import NEURON, Operation
from netspec.difference.result import Side
from netspec.source import whole
from netspec.syntax.spans import Path, SpanTable

_MOST_SAID = 6  # facts of a layer that only one net has


def side_of_fact(spans: SpanTable, layer: str, fact: Fact) -> Side:
    """A value."""
    return side(spans, layer, fact.text, fact.path)


def side_of_key(spans: SpanTable, operation: Operation, text: str, key: str) -> Side:
    """What a key of a layer says."""
    return side(spans, operation.layer, text, ("layers", operation.layer, key))


def side_alone(spans: SpanTable, operation: Operation) -> Side:
    """A layer that the other net lacks, in a few words."""
    key = "neuron" if operation.kind == NEURON else "type"
    return side_of_key(spans, operation, described(operation), key)


def standing(operation: Operation) -> str:
    """Where an operation is written."""
    return f"{operation.neuron or operation.kind} after {operation.after}"


def described(operation: Operation) -> str:
    """What an operation is: a neuron's name, or the first of a layer's facts."""
    if operation.neuron is not None:
        return str(operation.neuron)
    said = [fact for fact in operation.facts if fact.aspect == "net" and fact.value not in (None, False)]
    words = [fact.text if fact.what in ("pool", "across") else f"{fact.what} {fact.text}" for fact in said]
    return ", ".join(words[:_MOST_SAID]) or operation.kind


def side(spans: SpanTable, layer: str, text: str, path: Path) -> Side:
    """Text at the key of a path, or at the nearest key above it that is written."""
    while path and path not in spans.keys:
        path = path[:-1]
    if not path:
        return Side(layer, text)
    span = spans.value(*path) if path[0] != "layers" or len(path) > 2 else spans.key(*path)
    if span == whole(span.source):  # an importer's own choice
        return Side(layer, text)
    return Side(layer, text, span.source.name, span.line + 1)
