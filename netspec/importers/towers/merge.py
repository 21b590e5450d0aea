"""Mirrored towers of an imported net to layers with `groups` on several devices. It reads no file.

The nets of 2012 write each GPU's half of a layer as a layer of its own, conv1a and conv1b. The merged net computes the
same numbers: `merged_tensors` moves the weights.
"""

from __future__ import annotations

from dataclasses import replace

from netspec.diagnostics.grammar import listed
from netspec.importers.remark import Imported, Remarks
from netspec.importers.towers.naming import names_of
from netspec.importers.towers.net import Written
from netspec.importers.towers.plan import Plan, plan_towers
from netspec.importers.towers.tensors import convert
from netspec.ir.layer import Layer
from netspec.layers.channels import SliceLayer
from netspec.source import Span
from netspec.spec import Spec
from netspec.syntax.spans import Path, SpanTable


def merge_towers(imported: Imported) -> Imported:
    """The net with its mirrored towers merged, as far as they are, and a remark for each layer and each that is not.

    Weights are moved along; origins name the merged layers. Raises SpecError for a net that does not compile.
    """
    plan = plan_towers(Written.of(imported.spec))
    writer = _Writer(plan)
    remarks = Remarks(list(imported.remarks))
    originals = {origin.layer: origin.name for origin in imported.origins if origin.layer}
    _remark(plan, writer.names, originals, remarks)
    if not plan.has_towers:
        return replace(imported, remarks=tuple(remarks.items))
    spec = writer.spec()
    origins = tuple(replace(origin, layer=writer.now(origin.layer)) for origin in imported.origins)
    tensors = None if imported.tensors is None else convert(plan, imported.tensors)
    return replace(imported, spec=spec, remarks=tuple(remarks.items), origins=origins, tensors=tensors)


def has_towers(spec: Spec) -> bool:
    """Whether the net has towers that can be merged."""
    return plan_towers(Written.of(spec)).has_towers


def _remark(plan: Plan, names: dict[str, str], originals: dict[str, str], remarks: Remarks) -> None:
    spans = plan.net.spec.spans
    for source, merged in plan.merged.items():
        if len(merged.members) > 1:
            quoted = listed([f"`{name}`" for name in merged.members])
            text = f"{quoted} are one layer, `{names[source]}`"
            remarks.meaning("towers", text, spans.key("layers", source), originals.get(source, source))
    for name in plan.left_out:
        text = f"`{name}` would put together what `{names[plan.views[name].source]}` is now"
        remarks.meaning("towers", text, spans.key("layers", name), originals.get(name, name))
    for members, reason in plan.unlike:
        quoted = listed([f"`{name}`" for name in members])
        text = f"{quoted} stay layers of their own: {reason}"
        remarks.meaning("towers", text, spans.key("layers", members[0]), originals.get(members[0], members[0]))
    if not plan.has_towers:
        text = "no layers of several devices mirror each other, so none are merged"
        remarks.meaning("towers", text, spans.key("layers"))


class _Writer:
    """Writes a plan as a spec."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.net = plan, plan.net
        self.names, self.taken = names_of(plan)
        self.layers: dict[str, Layer] = {}
        self.devices: dict[str, tuple[int, ...]] = {plan.net.input: (0,)}
        self.slices: dict[str, str] = {}  # written layers that are parts of merged ones to layers with those parts
        self.written: dict[str, str] = {}  # each layer to the written one that it comes from

    def now(self, name: str) -> str:
        """The layer that a written layer is in; "" for none."""
        return self.names[self.plan.views[name].source] if name else ""

    def spec(self) -> Spec:
        before = self.net.spec
        for name in before.layers:
            if name in self.plan.merged:
                self._add_merged(name)
            elif self.plan.views[name].source == name:
                layer = before.layers[name]
                kept = replace(layer, inputs=tuple(map(self._there, layer.inputs)))
                self._add(self.names[name], kept, self.net.devices[name], name)
        outputs = tuple(dict.fromkeys(map(self._there, self.net.outputs)))
        layers = {name: self._placed(name, layer) for name, layer in self.layers.items()}
        explicit = outputs if before.outputs or len(outputs) > 1 else ()
        return replace(before, layers=layers, outputs=explicit, spans=self._spans(before.spans))

    def _add(self, name: str, layer: Layer, devices: tuple[int, ...], written: str) -> None:
        self.layers[name], self.devices[name], self.written[name] = layer, devices, written

    def _add_merged(self, source: str) -> None:
        merged = self.plan.merged[source]
        inputs = tuple(self.names[read] for read in merged.layer.inputs)
        self._add(self.names[source], replace(merged.layer, inputs=inputs), merged.devices, source)

    def _there(self, name: str) -> str:
        """A layer with the output of a written one: where that is a part of a merged layer, a slice of it."""
        view = self.plan.views[name]
        channels, start = view.channels, view.channels[0]
        if channels == tuple(range(self.plan.channels(view.source))):
            return self.names[view.source]
        if name not in self.slices:
            one = channels == tuple(range(start, start + len(channels)))
            source, layer = self.names[view.source], self.net.spec.layers[name]
            part: Layer = SliceLayer(inputs=(source,), start=start, channels=len(channels))
            if not one:  # a concat of towers in another order
                part = replace(layer, inputs=tuple(map(self._there, layer.inputs)))
            self.slices[name] = self.taken.take(name, 1)
            self._add(self.slices[name], part, self.net.devices[name], name)
        return self.slices[name]

    def _placed(self, name: str, layer: Layer) -> Layer:
        """`gpu` where it is not that of the first input."""
        devices = self.devices[name]
        return replace(layer, gpu=None if self.devices[layer.inputs[0]] == devices else devices)

    def _spans(self, before: SpanTable) -> SpanTable:
        """The places of what the layers come from."""
        spans = SpanTable(before.source)
        for old, new in ((before.keys, spans.keys), (before.values, spans.values)):
            of_layer: dict[str | int, list[tuple[Path, Span]]] = {}
            for path, span in old.items():
                if path[0] == "layers" and len(path) > 1:
                    of_layer.setdefault(path[1], []).append((path[2:], span))
                else:
                    new[path] = span
            for name, written in self.written.items():
                new.update({("layers", name, *path): span for path, span in of_layer.get(written, ())})
        return spans
