"""The sections of a definition in their order: each to layers of the draft and an origin. It knows no layer type.

Source: reference/cuda-convnet.md 0 (graph rules), 4 (devices).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from netspec.diagnostics import Diagnostic, did_you_mean
from netspec.diagnostics.suggest import said, suggestion
from netspec.importers.cuda_convnet.costs import COSTS, read_cost
from netspec.importers.cuda_convnet.dialect import type_of
from netspec.importers.cuda_convnet.layer import INPUT, FileLayer, Net, Output
from netspec.importers.cuda_convnet.neurons import neuron_key
from netspec.importers.cuda_convnet.options import Options, Refused
from netspec.importers.cuda_convnet.picture import Picture, read_data
from netspec.importers.cuda_convnet.placement import devices_of, place
from netspec.importers.cuda_convnet.sections import Section
from netspec.importers.cuda_convnet.types import ALL_TYPES, DATA, LAYER_KINDS
from netspec.importers.remark import Origin
from netspec.spec.checks import MAX_INPUTS
from netspec.syntax.scalars import shorten

_OF_DATA = ("type",)
_OF_COSTS = (*_OF_DATA, "inputs", "gpu")
_OF_LAYERS = (*_OF_COSTS, "neuron")
_NO_PARAMS = "such options stand in the parameter file: give it with `--params`, or for `diff` behind a comma"


@dataclass
class Reading:
    """``judged`` are the draft's layers that costs read."""

    net: Net
    picture: Picture
    origins: list[Origin] = field(default_factory=list)
    judged: list[str] = field(default_factory=list)
    index: int | None = None

    def __post_init__(self) -> None:
        self.net.names.new(INPUT, next(iter(self.net.definition.values())).place)
        self.names = {
            name: self.net.names.new(name, section.place)
            for name, section in self.net.definition.items()
            if type_of(section) in LAYER_KINDS
        }

    def read(self, section: Section) -> None:
        kind = type_of(section)
        if kind not in ALL_TYPES:
            self._refuse_type(section, kind)
            return
        layer = self._layer(section, kind)
        if kind == DATA:
            output, self.index = read_data(layer, self.picture, self.index)
            self.net.outputs[section.name] = output
            _note_unknown(layer, _OF_DATA)
            self._origin(layer, output)
        elif kind in COSTS:
            self._cost(layer)
        else:
            self._computed(layer)

    def _layer(self, section: Section, kind: str) -> FileLayer:
        net, name = self.net, section.name
        lists = net.dialect != "2012"
        options = Options(section, net.findings, lists)
        own = (net.params or {}).get(name, Section(name, section.place, {}))
        params = Options(own, net.findings, lists, "" if net.params is not None else _NO_PARAMS)
        sources = () if kind == DATA else _sources(options)
        inputs = tuple(self._input(options, source) for source in sources if source)
        if "" in sources:  # and other lists are not checked against a name too many
            options.find("NS802", "inputs", "a name is missing beside a comma", "`inputs=conv1a,conv1b`")
        return FileLayer(net, section, kind, self.names.get(name, ""), options, params, inputs)

    def _input(self, options: Options, source: str) -> Output:
        if source in self.net.outputs:
            return self.net.outputs[source]
        name, below = options.section.name, self.net.definition.get(source)
        if below is None:
            help = did_you_mean(source, (other for other in self.net.outputs if other != name), "above are")
            options.find("NS805", "inputs", f"`{name}` reads `{shorten(source)}`, which is no layer", help)
        elif type_of(below) in COSTS:
            options.find("NS805", "inputs", f"`{name}` reads the cost `{source}`", "a cost has no output")
        elif source == name:
            options.find("NS805", "inputs", f"`{name}` reads itself", "name a layer above it")
        else:
            help = f"a layer reads layers above it: move `[{shorten(source)}]` up"
            options.find("NS805", "inputs", f"`{name}` reads `{shorten(source)}`, which stands below it", help)
        return Output(source, None)

    def _computed(self, layer: FileLayer) -> None:
        devices = devices_of(layer)
        try:
            output = self._made(layer)
        except Refused:
            output = Output(layer.section.name, None)
        else:
            _note_unknown(layer, _OF_LAYERS)
        place(layer, devices)
        self.net.outputs[layer.section.name] = Output(output.layer, output.shape, devices)
        self._origin(layer, self.net.outputs[layer.section.name])

    def _made(self, layer: FileLayer) -> Output:
        """The layers of the draft, neuron included. Raises Refused."""
        kind = LAYER_KINDS[layer.type]
        if not layer.inputs:
            raise Refused
        if len(layer.inputs) > 1 and not kind.several:
            count = len(layer.inputs)
            layer.options.find("NS802", "inputs", f"`{layer.type}` has one input, found {count}", "name one layer")
        neuron = None if layer.type == "neuron" else neuron_key(layer)
        output = kind.read(layer)
        if neuron is None:
            return output
        if layer.name not in layer.made:  # nothing else was made of it
            return layer.add("neuron", layer.shape(), inputs=output.layer, neuron=neuron)
        self.net.draft.layers[layer.name].keys["neuron"] = neuron
        return output

    def _cost(self, layer: FileLayer) -> None:
        devices = devices_of(layer)
        judged = read_cost(layer)
        if judged is not None:
            self.judged.append(judged)
        _note_unknown(layer, _OF_COSTS)
        self._origin(layer, Output("", None, devices))

    def _origin(self, layer: FileLayer, output: Output) -> None:
        section = layer.section
        self.origins.append(Origin(section.name, layer.type, section.place, output.layer, output.devices))

    def _refuse_type(self, section: Section, kind: str) -> None:
        option = section.options.get("type")
        if option is None or not kind:
            found = Diagnostic(
                "NS803", f"`{shorten(section.name)}` has no `type`", section.place, help="such as `conv`"
            )
        else:
            help = did_you_mean(kind, ALL_TYPES, "the types are")
            found = Diagnostic("NS806", f"there is no layer type `{shorten(kind)}`", option.value, help=help)
        self.net.findings.add(found)
        self.net.outputs[section.name] = Output(section.name, None)


def _sources(options: Options) -> tuple[str, ...]:
    """The names that a layer reads."""
    names = options.texts("inputs")
    if not names:
        options.find("NS803", "inputs", f"`{shorten(options.section.name)}` lacks `inputs`", "`inputs=data`")
    if len(names) > MAX_INPUTS:
        options.find("NS802", "inputs", f"more than {MAX_INPUTS} inputs", "join some first")
    return names[:MAX_INPUTS]


def _note_unknown(layer: FileLayer, common: tuple[str, ...]) -> None:
    """Say which options cuda-convnet would not read either; ``common`` are those of all layers of this sort."""
    known = layer.options.used | {name: name for name in common}
    for option in layer.section.options.values():
        if option.name not in known:
            near = said(suggestion(option.name, tuple(known.values())))
            text = f"`{shorten(option.key.text)}` is no option of `{layer.type}`; cuda-convnet ignores it too"
            text = f"{text} ({near})" if near else text
            layer.net.remarks.dropped("option", text, option.key, layer.section.name)
