"""Caffe nets to specs: a .prototxt, a .caffemodel, or both. It says each decision, and writes no file.

1. the layers of phase TEST, with the data layers of TRAIN; 2. costs taken off; 3. each layer by its type's reader;
4. weights by layer name; 5. what the options ask for. Source: caffe.proto and the layers of BVLC Caffe 1.0.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from netspec.diagnostics import Diagnostic, Findings, SpecError
from netspec.diagnostics.grammar import listed
from netspec.importers.caffe.caffemodel import CaffeModel, read_caffemodel, read_mean
from netspec.importers.caffe.colours import turn_colours
from netspec.importers.caffe.convert import Blobs, convert
from netspec.importers.caffe.ends import Ends, find_ends
from netspec.importers.caffe.fold import fold_norms
from netspec.importers.caffe.inputs import Known, Mean, options_of
from netspec.importers.caffe.message import Message
from netspec.importers.caffe.other_phases import say_others
from netspec.importers.caffe.phases import SOURCES, Sources, choose
from netspec.importers.caffe.pictures import preparation
from netspec.importers.caffe.probabilities import end_softmax
from netspec.importers.caffe.prototxt import read_prototxt
from netspec.importers.caffe.reading import Held, NetInMaking
from netspec.importers.caffe.rewrite import prune, readers_of
from netspec.importers.caffe.seems import check_seems_caffe
from netspec.importers.caffe.sharing import owned_tensors
from netspec.importers.caffe.solver import apply_solver
from netspec.importers.caffe.sources import channels_of_weights, only_source, say_unread, shape_of
from netspec.importers.caffe.tensors import take_blobs
from netspec.importers.caffe.unknown import take_known
from netspec.importers.caffe.upgrade import upgraded
from netspec.importers.caffe.wiring import Wired, wire
from netspec.importers.draft import Draft
from netspec.importers.names import Names, net_name
from netspec.importers.remark import Imported, Origin, Remarks
from netspec.source import Source, whole
from netspec.spec import TrainSpec

if TYPE_CHECKING:
    from netspec.importers.caffe.reading import Array

_IMAGES: Final = {"cifar": 50_000, "mnist": 60_000, "ilsvrc12": 1_281_167}  # training sets, by their files in Caffe
_LISTED: Final = 7  # layers in a remark
_CLASSIFYING: Final = ("SoftmaxWithLoss", "MultinomialLogisticLoss")


@dataclass(frozen=True)
class CaffeOptions:
    """What an import is asked for. ``size`` and ``channels`` are the input's where the files do not say them.

    ``lenient``: leave out what the language cannot say. ``rgb``: turn a net of blue, green, red around.
    ``fold_batchnorm``: put batch norms into the weights before them. ``name``: what to call the net.
    """

    lenient: bool = False
    rgb: bool = False
    fold_batchnorm: bool = False
    size: int | None = None
    channels: int | None = None
    name: str | None = None


def read_caffe(
    net: Source | None,
    options: CaffeOptions = CaffeOptions(),
    weights: Path | None = None,
    solver: Source | None = None,
    mean: Path | None = None,
) -> Imported:
    """A net with or without weights, or from its weights alone: a .caffemodel holds the net that was trained.

    Raises SpecError with places in the files, NS804 for what cannot be said; DataError for damaged files and weights
    that are not the net's.
    """
    findings = Findings()
    try:
        return _read(net, options, weights, solver, mean, findings)
    except SpecError as error:
        together = Findings()
        for diagnostic in (*findings.items, *error.diagnostics):
            together.add(diagnostic)
        raise SpecError(together.items) from None


def _read(
    net: Source | None,
    options: CaffeOptions,
    weights: Path | None,
    solver: Source | None,
    mean: Path | None,
    findings: Findings,
) -> Imported:
    """What it raises is not all: the rest is in ``findings``."""
    remarks = Remarks()
    model = read_caffemodel(weights, remarks if net is None else Remarks()) if weights is not None else None
    for source in (net, solver):
        if source is not None:
            check_seems_caffe(source)
    if net is not None:
        message = upgraded(read_prototxt(net, remarks, findings=findings, lenient=options.lenient), remarks)
    elif model is not None:
        net, message = Source(str(weights), ""), model.net
        _check_input(message)
    else:
        raise ValueError("neither a net nor weights")
    recipe = _solver(solver, remarks, findings, lenient=options.lenient) if solver is not None else None
    image = Mean(read_mean(mean).data[0], whole(Source(str(mean), ""))) if mean is not None else None
    return _Import(Draft(net), message, recipe, model, image, options, remarks, Names(remarks), findings).run()


def _check_input(net: Message) -> None:
    """Raise SpecError NS804 for the net of a .caffemodel that was written without what it reads."""
    if not any(layer.word("type", "") in SOURCES for layer in net.children("layer")):
        help = "give the .prototxt too, which says what the net reads"
        raise SpecError([Diagnostic("NS804", "this file has no input layer", net.place, help=help)])


def _solver(source: Source, remarks: Remarks, findings: Findings, *, lenient: bool) -> Message:
    return read_prototxt(source, remarks, "SolverParameter", findings, lenient=lenient)


@dataclass
class _Import:
    """One import: what was read, and the draft that it becomes."""

    draft: Draft
    message: Message
    solver: Message | None
    model: CaffeModel | None
    mean: Mean | None
    options: CaffeOptions
    remarks: Remarks
    names: Names
    findings: Findings
    input: str = ""

    def run(self) -> Imported:
        chosen = choose(self.message)
        say_others(self.message, chosen, self.remarks)
        wired = take_known(
            wire(chosen.layers, self.findings), self.findings, self.remarks, lenient=self.options.lenient
        )
        ends = self._ends(wired)
        self.draft.keys["name"] = self._name()
        net = NetInMaking(self.draft, self.names, self.remarks, self._decay(), self.solver is None)
        inputs = self._input(ends, wired, chosen.sources, net)
        blobs = convert(ends, wired, inputs, net, self.findings, lenient=self.options.lenient)
        held = self._outputs(ends, blobs, net)
        outputs = list(dict.fromkeys(one.layer for one in held))
        prune(self.draft, outputs)
        tensors = self._tensors(net)
        became = self._change(tensors, outputs)
        self._end(outputs, held, wired)
        self._train(net, chosen.sources)
        spec = self.draft.spec()
        origins = tuple(self._origins(wired, blobs, became))
        return Imported(spec, tuple(self.remarks.items), origins, owned_tensors(spec, tensors))

    def _ends(self, wired: tuple[Wired, ...]) -> Ends:
        try:
            return find_ends(wired, self.message.place, self.remarks)
        except SpecError:
            self.findings.stop_on_errors()  # what is missing may be what is wrong
            raise

    def _name(self) -> str:
        return self.options.name or net_name(self.message.text("name", "") or Path(self.draft.source.name).stem)

    def _decay(self) -> float:
        return self.solver.number("weight_decay", 0.0) if self.solver else TrainSpec().decay

    def _input(self, ends: Ends, wired: Sequence[Wired], sources: Sources, net: NetInMaking) -> Blobs:
        """The one blob of pictures that the net reads. Raises SpecError for none or several."""
        try:
            layer, top = only_source(ends, self.message.place)
        except SpecError:
            self.findings.stop_on_errors()  # what is missing may be what is wrong
            raise
        say_unread(wired, self.remarks)
        channels = self.options.channels
        if channels is None and self.model is not None:
            channels = channels_of_weights(ends, top, self.model)
        known = Known(self.options.size, self.mean, channels)
        given = sources.get(top.name) or (layer.message,)
        shape = shape_of(layer, top, given, known, self.remarks)
        self.input = net.names.new(top.name, layer.place)
        channels, height, width = (*shape[1:], 1, 1)[:3]
        self.draft.keys["input"] = {"name": self.input, "channels": channels, "size": (height, width)}
        data = preparation(given, shape, self.mean, self.remarks)
        if data:
            self.draft.keys["data"] = data
        return {top: Held(self.input, shape)}

    def _outputs(self, ends: Ends, blobs: Blobs, net: NetInMaking) -> list[Held]:
        """What the net returns. Raises SpecError where that is its input: nothing of it is left."""
        held = [blobs[end] for end in ends.outputs if end in blobs and blobs[end].layer in self.draft.layers]
        if not held:
            help = "the net needs a layer that netspec has"
            raise SpecError([Diagnostic("NS804", "nothing is left of the net", self.message.place, help=help)])
        return end_softmax(ends, held, blobs, net)

    def _tensors(self, net: NetInMaking) -> dict[str, Array] | None:
        if self.model is None:
            return None
        kept = {name: one for name, one in net.numbers.items() if name.rpartition(".")[0] in self.draft.layers}
        types = {layer.text("name", ""): layer.word("type", "") for layer in self.message.children("layer")}
        known = {name: kind if net.named.get(name) in self.draft.layers else "" for name, kind in types.items()}
        return take_blobs(kept, known, self.model, self.model.net.place.source.name, self.remarks)

    def _change(self, tensors: dict[str, Array] | None, outputs: list[str]) -> dict[str, str]:
        """What the options ask for; returns which layer each folded one became."""
        became: dict[str, str] = {}
        if self.options.fold_batchnorm and tensors is not None:
            became = fold_norms(self.draft, tensors, outputs, self.remarks)
        elif self.options.fold_batchnorm:
            self.remarks.dropped("fold", "there are no weights to fold batch norms into", self.message.place)
        if self.options.rgb:
            turn_colours(self.draft, self.input, tensors, self.remarks)
        return became

    def _end(self, outputs: list[str], held: Sequence[Held], wired: Sequence[Wired]) -> None:
        """`outputs` where they are not plain, and `classes` where there is one number of them."""
        first = held[0]
        if len(first.image) > 1 and first.pixels == 1 and first.units > 1:
            self._flatten(outputs)
        if len(outputs) > 1 or any(readers_of(self.draft, name) for name in outputs):
            self.draft.keys["outputs"] = tuple(outputs)
        layers = self.draft.layers
        told = {one.units for one in held if one.layer in layers and layers[one.layer].type == "softmax"}
        classifying = bool(told) or any(layer.type in _CLASSIFYING for layer in wired)
        if first.pixels == 1 and classifying and told <= {first.units}:
            self.draft.keys["classes"] = first.units

    def _flatten(self, outputs: list[str]) -> None:
        """The first output, which is maps of one pixel, as units: what tells classes apart."""
        place = self.draft.layers[outputs[0]].place
        name = self.names.new(f"{outputs[0]}_flat", place)
        self.draft.add(name, "flatten", place, inputs=outputs[0])
        self.remarks.meaning("output", f"the maps of `{outputs[0]}` have one pixel: `{name}` returns them flat", place)
        outputs[0] = name

    def _train(self, net: NetInMaking, sources: Sources) -> None:
        training = [layer for layers in sources.values() for layer in layers if layer.word("type", "") != "Input"]
        options = options_of(training[0]) if training else Message("", (), self.message.place)
        batch, source = options.integer("batch_size", 0), options.text("source", "").lower()
        if self.solver is not None:
            images = next((count for word, count in _IMAGES.items() if word in source), None)
            apply_solver(self.draft, self.solver, batch or None, self.remarks, images)
        elif batch:
            self.draft.keys["train"] = {"batch": batch}
        if net.decaying and self._decay():
            text = "biases, and the numbers of Scale and PReLU, never decay here; in Caffe those of "
            text += listed([f"`{name}`" for name in dict.fromkeys(net.decaying)], _LISTED) + " do"
            self.remarks.dropped("decay", text, self.message.place)

    def _origins(self, wired: Sequence[Wired], blobs: Blobs, became: dict[str, str]) -> Iterator[Origin]:
        """What became of each layer, those of other phases included; Caffe's own Split layers are none."""
        names = {self.input, *self.draft.layers}
        by_message = {id(layer.message): layer for layer in wired}
        for message in self.message.children("layer"):
            layer = by_message.get(id(message))
            held = next((blobs[top].layer for top in layer.tops if top in blobs), "") if layer else ""
            held = became.get(held, held)
            if message.word("type", "") != "Split":
                name, kind = message.text("name", ""), message.word("type", "")
                yield Origin(name, kind, message.place, held if held in names else "")
