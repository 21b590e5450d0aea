"""A layer file to a Spec: reads, overrides, decodes, and checks what no annotation can say. It wires nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import cast

from netspec.diagnostics import Findings, did_you_mean
from netspec.diagnostics.suggest import said, suggestion
from netspec.ir.layer import Layer
from netspec.layers import LAYER_TYPES
from netspec.source import Source, Span
from netspec.spec.checks import check_header, check_layer, check_name
from netspec.spec.model import Header, Spec
from netspec.spec.overrides import override
from netspec.spec.unused import warn_of_unused
from netspec.syntax.decode import Decoder, Invalid, keys_of
from netspec.syntax.phrases import found
from netspec.syntax.reader import read_source, read_tree
from netspec.syntax.scalars import shorten
from netspec.syntax.spans import SpanTable
from netspec.syntax.tree import Mapping, Scalar, Tree

MAX_LAYERS = 1000
_TOP = (*keys_of(Header), "layers", "defaults")


def load_spec(path: Path, assignments: Iterable[str] = (), name: str | None = None) -> Spec:
    """The spec in a file. ``assignments`` are ``path=value``. Raises SpecError with all that is wrong."""
    return load_source(read_source(path, name), assignments)


def load_text(text: str, assignments: Iterable[str] = (), name: str = "<string>") -> Spec:
    """The spec in a string. Raises SpecError."""
    return load_source(Source(name, text), assignments)


def load_source(source: Source, assignments: Iterable[str] = ()) -> Spec:
    """The spec in a source. Raises SpecError."""
    tree = read_tree(source)
    for assignment in assignments:
        tree = override(tree, assignment)
    return load_tree(source, tree)


def load_tree(source: Source, tree: Tree) -> Spec:
    """The spec of a tree that was read from a source, and perhaps changed since. Raises SpecError."""
    findings = Findings()
    spec = _Loader(Decoder(SpanTable(source), findings)).load(tree)
    findings.stop_on_errors()
    return cast(Spec, spec)


class _Loader:
    def __init__(self, decoder: Decoder) -> None:
        self.decoder = decoder
        self.spans, self.findings = decoder.spans, decoder.findings

    def load(self, tree: Tree) -> Spec | None:
        if not isinstance(tree, Mapping):
            message = f"expected a mapping of keys, found {found(tree)}"
            self.decoder.refuse("NS203", tree.span, message, "start with `netspec: 1`")
            return None
        known = tuple(entry for entry in tree.entries if self._known(entry.key))
        header = self.decoder.dataclass(Mapping(known, tree.span), Header, (), skip=("layers", "defaults"))
        if isinstance(header, Header):
            check_header(header, self.spans, self.findings)
        layers = self._layers(tree)
        if not isinstance(header, Header) or self.findings.errors:
            return None
        warn_of_unused(header, layers, self.spans, self.findings)
        values = {f.name: getattr(header, f.name) for f in fields(Header)}
        return Spec(**values, layers=layers, spans=self.spans, warnings=self.findings.warnings)

    def _known(self, key: Scalar) -> bool:
        if key.text in _TOP:
            return True
        message, help = f"a spec has no key `{shorten(key.text)}`", did_you_mean(key.text, _TOP, "its keys are")
        self.decoder.refuse("NS201", key.span, message, help)
        return False

    def _layers(self, root: Mapping) -> dict[str, Layer]:
        defaults = self._defaults(root)
        entry = root.get("layers")
        if entry is None:
            if not any(suggestion(e.key.text, _TOP) == "layers" for e in root.entries if e.key.text not in _TOP):
                help = "`layers:` maps names to layers"
                self.decoder.refuse("NS202", root.span.start, "a spec needs the key `layers`", help)
            return {}
        self.spans.record(("layers",), entry.key.span, entry.value.span)
        if not isinstance(entry.value, Mapping) or not entry.value.entries:
            empty = isinstance(entry.value, Mapping)
            message = "there are no layers" if empty else f"expected layers by name, found {found(entry.value)}"
            help = "write each as `name: {type: fc, inputs: data, outputs: 10}`"
            self.decoder.refuse("NS203", entry.value.span, message, help)
            return {}
        if len(entry.value.entries) > MAX_LAYERS:
            place = entry.value.entries[MAX_LAYERS].key.span
            self.decoder.refuse("NS111", place, f"more than {MAX_LAYERS:,} layers", "a spec of this size is not read")
            return {}
        return self._each_layer(entry.value, defaults)

    def _each_layer(self, tree: Mapping, defaults: dict[str, Mapping]) -> dict[str, Layer]:
        layers = {}
        for item in tree.entries:
            self.spans.record(("layers", item.key.text), item.key.span, item.value.span)
            check_name(item.key.text, item.key.span, self.findings)
            layer = self._layer(item.key.text, item.value, defaults)
            if isinstance(layer, Layer):
                check_layer(item.key.text, layer, self.spans, self.findings)
                layers[item.key.text] = layer
        return layers

    def _defaults(self, root: Mapping) -> dict[str, Mapping]:
        """What the layers of a type share. Each key is decoded here too: a wrong one is found without a layer."""
        entry = root.get("defaults")
        if entry is None:
            return {}
        if not isinstance(entry.value, Mapping):
            message = f"expected keys by layer type, found {found(entry.value)}"
            self.decoder.refuse("NS203", entry.value.span, message, "for instance `defaults: {conv: {neuron: relu}}`")
            return {}
        defaults = {}
        for kind, tree in ((item.key, item.value) for item in entry.value.entries):
            self.spans.record(("defaults", kind.text), kind.span, tree.span)
            if kind.text not in LAYER_TYPES:
                self._refuse_type(kind.text, kind.span)
            elif not isinstance(tree, Mapping):
                self.decoder.refuse("NS203", tree.span, f"expected keys of `{kind.text}`, found {found(tree)}")
            else:
                self.decoder.keys(tree, LAYER_TYPES[kind.text], ("defaults", kind.text))
                defaults[kind.text] = tree
        return defaults

    def _refuse_type(self, kind: str, place: Span) -> Invalid:
        message = f"there is no layer type `{shorten(kind)}`"
        return self.decoder.refuse("NS206", place, message, did_you_mean(kind, LAYER_TYPES, "the types are"))

    def _layer(self, name: str, tree: Tree, defaults: dict[str, Mapping]) -> object:
        if not isinstance(tree, Mapping):
            help = "for instance `{type: fc, inputs: data, outputs: 10}`"
            return self.decoder.refuse("NS203", tree.span, f"expected a layer, found {found(tree)}", help)
        entry = tree.get("type")
        if entry is None:
            return self._refuse_untyped(name, tree)
        self.spans.record(("layers", name, "type"), entry.key.span, entry.value.span)
        kind = entry.value
        if not isinstance(kind, Scalar):
            return self.decoder.refuse("NS206", kind.span, f"a layer type is a word, found {found(kind)}")
        if kind.text not in LAYER_TYPES:
            return self._refuse_type(kind.text, kind.span)
        own = {e.key.text for e in tree.entries}
        shared = defaults[kind.text].entries if kind.text in defaults else ()
        merged = Mapping(tree.entries + tuple(e for e in shared if e.key.text not in own), tree.span)
        return self.decoder.dataclass(merged, LAYER_TYPES[kind.text], ("layers", name), skip=("type",))

    def _refuse_untyped(self, name: str, tree: Mapping) -> Invalid:
        for entry in tree.entries:
            if suggestion(entry.key.text, ("type", "inputs")) == "type":
                message = f"a layer has no key `{shorten(entry.key.text)}`"
                return self.decoder.refuse("NS201", entry.key.span, message, said("type"))
        message = f"the layer `{shorten(name)}` has no `type`"
        types = ", ".join(f"`{kind}`" for kind in LAYER_TYPES)
        return self.decoder.refuse("NS215", self.spans.key("layers", name), message, f"the types are {types}")
