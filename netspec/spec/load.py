"""A layer file to a Spec: reads, overrides, decodes, and checks what no annotation can say. It wires nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import cast

from netspec.diagnostics import Diagnostic, Findings, did_you_mean
from netspec.ir.layer import Layer
from netspec.layers import LAYER_TYPES
from netspec.source import Source
from netspec.spec.model import LANGUAGE, Header, RateSpec, Spec
from netspec.spec.names import NET_NAME, layer_name_problem
from netspec.spec.overrides import override
from netspec.syntax.decode import INVALID, Decoder, found, keys_of
from netspec.syntax.reader import read_source, read_tree
from netspec.syntax.spans import SpanTable
from netspec.syntax.tree import Mapping, Scalar, Tree

_TOP = tuple(keys_of(Header)) + ("layers", "defaults")


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
    findings = Findings()
    spec = _Loader(Decoder(SpanTable(source), findings)).load(tree)
    findings.stop_on_errors()
    return cast(Spec, spec)


class _Loader:
    def __init__(self, decoder: Decoder) -> None:
        self.decoder = decoder
        self.spans = decoder.spans

    def load(self, tree: Tree) -> Spec | None:
        if not isinstance(tree, Mapping):
            self.decoder.refuse("NS203", tree.span, f"a spec is a mapping, found {found(tree)}", "start with `netspec: 1`")
            return None
        known = tuple(Entry for Entry in tree.entries if self._known(Entry.key))
        header = self.decoder.dataclass(Mapping(known, tree.span), Header, (), skip=("layers", "defaults"))
        layers = self._layers(tree)
        if not isinstance(header, Header) or layers is None:
            return None
        self._check(header)
        values = {f.name: getattr(header, f.name) for f in fields(Header)}
        return Spec(**values, layers=layers, spans=self.spans)

    def _known(self, key: Scalar) -> bool:
        if key.text in _TOP:
            return True
        self.decoder.refuse("NS201", key.span, f"a spec has no key `{key.text}`", did_you_mean(key.text, _TOP))
        return False

    def _check(self, header: Header) -> None:
        if header.netspec != LANGUAGE:
            message = f"version {header.netspec} of the language is not known"
            self.decoder.refuse("NS210", self.spans.value("netspec"), message, f"this netspec reads `netspec: {LANGUAGE}`")
        if not NET_NAME.fullmatch(header.name):
            help = "ASCII letters, digits, `-` and `_`, starting with a letter, at most 64"
            self.decoder.refuse("NS207", self.spans.value("name"), f"`{header.name}` is no name for a net", help)
        if problem := layer_name_problem(header.input.name):
            self.decoder.refuse(problem[0], self.spans.value("input", "name"), problem[1], problem[2])
        self._check_data(header)
        for name in ("lr", "lr_b"):
            self._check_rate(name, getattr(header.train, name))

    def _check_data(self, header: Header) -> None:
        data = header.data
        if data.crop is not None and data.crop != header.input.size:
            message = f"a crop of {data.crop[0]}x{data.crop[1]} is not the input's {header.input.size[0]}x{header.input.size[1]}"
            self.decoder.refuse("NS217", self.spans.value("data", "crop"), message, "make them agree")
        if data.resize is not None and data.resize < max(header.input.size):
            message = f"a picture of {data.resize} pixels is smaller than the input"
            self.decoder.refuse("NS217", self.spans.value("data", "resize"), message, f"at least {max(header.input.size)}")
        if data.test_views not in (1, 10):
            self.decoder.refuse("NS205", self.spans.value("data", "test_views"), "expected one of 1, 10")
        for name in ("mean", "mean_color", "std"):
            values = getattr(data, name)
            if isinstance(values, tuple) and len(values) != header.input.channels:
                message = f"{len(values)} numbers for {header.input.channels} channels"
                self.decoder.refuse("NS209", self.spans.value("data", name), message)
            if name == "std" and isinstance(values, tuple) and min(values, default=1) <= 0:
                self.decoder.refuse("NS204", self.spans.value("data", name), "a divisor must be above 0")

    def _check_rate(self, name: str, rate: float | RateSpec | None) -> None:
        if not isinstance(rate, RateSpec):
            return
        idle = {"steps": ("levels",), "dexp": ("when", "times"), "jdexp": ("when", "times")}
        for key in idle.get(rate.curve, ("when", "times", "levels")):
            if (path := ("train", name, key)) in self.spans.keys:
                message = f"`{key}` has no meaning with `curve: {rate.curve}`"
                self.decoder.refuse("NS217", self.spans.key(*path), message, "remove one of the two")
        epochs = rate.when if isinstance(rate.when, tuple) else ()
        if sorted(set(epochs)) != list(epochs):
            message = "the numbers of epochs do not rise"
            self.decoder.refuse("NS217", self.spans.value("train", name, "when"), message, f"`{sorted(set(epochs))}`")

    def _layers(self, root: Mapping) -> dict[str, Layer] | None:
        entry = root.get("layers")
        if entry is None:
            self.decoder.refuse("NS202", root.span, "a spec needs the key `layers`", "`layers:` maps names to layers")
            return None
        self.spans.record(("layers",), entry.key.span, entry.value.span)
        if not isinstance(entry.value, Mapping) or not entry.value.entries:
            self.decoder.refuse("NS203", entry.value.span, f"expected layers by name, found {found(entry.value)}")
            return None
        defaults = self._defaults(root)
        layers = {}
        for item in entry.value.entries:
            self.spans.record(("layers", item.key.text), item.key.span, item.value.span)
            if problem := layer_name_problem(item.key.text):
                self.decoder.refuse(problem[0], item.key.span, problem[1], problem[2])
            layer = self._layer(item.key.text, item.value, defaults)
            if isinstance(layer, Layer):
                layers[item.key.text] = layer
        return layers

    def _defaults(self, root: Mapping) -> dict[str, Mapping]:
        entry = root.get("defaults")
        if entry is None:
            return {}
        if not isinstance(entry.value, Mapping):
            self.decoder.refuse("NS203", entry.value.span, f"expected layer types, found {found(entry.value)}")
            return {}
        defaults = {}
        for item in entry.value.entries:
            if item.key.text not in LAYER_TYPES:
                help = did_you_mean(item.key.text, LAYER_TYPES)
                self.decoder.refuse("NS206", item.key.span, f"there is no layer type `{item.key.text}`", help)
            elif not isinstance(item.value, Mapping):
                self.decoder.refuse("NS203", item.value.span, f"expected keys of the type, found {found(item.value)}")
            else:
                defaults[item.key.text] = item.value
        return defaults

    def _layer(self, name: str, tree: Tree, defaults: dict[str, Mapping]) -> object:
        if not isinstance(tree, Mapping):
            help = "for instance `{type: fc, inputs: data, outputs: 10}`"
            return self.decoder.refuse("NS203", tree.span, f"expected a layer, found {found(tree)}", help)
        entry = tree.get("type")
        if entry is None:
            return self.decoder.refuse("NS215", self.spans.key("layers", name), f"the layer `{name}` has no `type`")
        self.spans.record(("layers", name, "type"), entry.key.span, entry.value.span)
        kind = entry.value.text if isinstance(entry.value, Scalar) else ""
        if kind not in LAYER_TYPES:
            message = f"there is no layer type `{kind}`" if kind else "a layer type is a word"
            return self.decoder.refuse("NS206", entry.value.span, message, did_you_mean(kind, LAYER_TYPES))
        own = {e.key.text for e in tree.entries}
        more = tuple(e for e in defaults[kind].entries if e.key.text not in own) if kind in defaults else ()
        merged = Mapping(tree.entries + more, tree.span)
        layer = self.decoder.dataclass(merged, LAYER_TYPES[kind], ("layers", name), skip=("type",))
        return layer if layer is INVALID else self._checked(name, cast(Layer, layer))

    def _checked(self, name: str, layer: Layer) -> Layer:
        least, most = layer.arity
        count = len(layer.inputs)
        if count < least or (most is not None and count > most):
            wanted = str(least) if most == least else (f"{least} to {most}" if most else f"at least {least}")
            place = self.spans.value("layers", name, "inputs")
            message = f"a `{layer.type}` layer takes {wanted} input{'' if wanted == '1' else 's'}, found {count}"
            self.decoder.findings.add(Diagnostic("NS308", message, place))
        if layer.gpu is not None and len(set(layer.gpu)) != len(layer.gpu):
            place = self.spans.value("layers", name, "gpu")
            self.decoder.findings.add(Diagnostic("NS403", "a device stands twice in the list", place))
        return layer
